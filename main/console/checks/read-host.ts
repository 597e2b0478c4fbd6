import { randomBytes } from 'node:crypto'
import { AppError } from '../../../core/contract/errors.ts'
import type { HostFacts } from '../../../core/diagnosis/facts.ts'
import { parseProbe } from '../../../core/diagnosis/parse-probe.ts'
import { type ProbeQuestion, probeArguments, probeScript } from '../../../core/diagnosis/probe.ts'
import type { HostShell } from '../hosts.ts'

/** Runs the probe on a host. Rejects with the AppErrors of SSH, or BAD_INPUT where the answer cannot be used. */
export async function readHost(
  shell: HostShell,
  question: Omit<ProbeQuestion, 'nonce'>,
  signal: AbortSignal,
): Promise<HostFacts> {
  const nonce = randomBytes(12).toString('hex')
  const result = await shell.run(
    { script: probeScript, args: probeArguments({ ...question, nonce }) },
    { signal, timeoutMs: 20_000 },
  )
  try {
    return parseProbe(result.stdout, nonce)
  } catch (error) {
    if (!(error instanceof AppError)) throw error
    throw new AppError(error.code, `${shell.host}: ${error.message}`, {
      ...(error.hint === undefined ? {} : { hint: error.hint }),
      details: { exitCode: String(result.code ?? result.signal), stderr: result.stderr.slice(0, 2000) },
    })
  }
}
