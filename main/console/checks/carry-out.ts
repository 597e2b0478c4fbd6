import { AppError } from '../../../core/contract/errors.ts'
import type { Fix } from '../../../core/diagnosis/finding.ts'
import type { HostShell } from '../hosts.ts'

/** One line as an operator would type it. */
async function runLine(shell: HostShell, line: string, signal?: AbortSignal): Promise<void> {
  const result = await shell.run(
    { script: line },
    { asRoot: true, timeoutMs: 30_000, ...(signal === undefined ? {} : { signal }) },
  )
  if (result.code === 0) return
  const end = result.code === null ? `signal ${result.signal ?? '?'}` : `exit code ${result.code}`
  const words = result.stderr.trim()
  throw new AppError(
    'REFUSED',
    `On ${shell.host} "${line}" ended with ${end}${words === '' ? '.' : `: ${words.slice(0, 500)}`}`,
    {
      details: { command: line, exitCode: String(result.code ?? result.signal), stderr: words.slice(0, 4000) },
    },
  )
}

/**
 * Runs a fix's commands in order. When one fails, what the earlier ones did is taken back before this rejects with the
 * failing command, its exit code and stderr; `details.notUndone` names undo lines that failed too.
 */
export async function carryOut(shell: HostShell, fix: Fix, signal: AbortSignal): Promise<void> {
  for (const [index, line] of fix.commands.entries()) {
    // After this the line may have run, whatever becomes of the connection.
    let wasSent = false
    try {
      signal.throwIfAborted()
      wasSent = true
      await runLine(shell, line, signal)
    } catch (error) {
      const at = fix.undo.length - index
      const own = wasSent ? fix.undo.slice(at - 1, at) : []
      const earlier = fix.undo.slice(at)
      // A line that ended badly may have done half of its work, so its own undo runs too; that this one fails means
      // little. After a broken connection nobody knows whether the line ran, so then it means much.
      const hasEnded = error instanceof AppError && error.details?.['exitCode'] !== undefined
      const ownFailed = await undoLines(shell, own)
      const earlierFailed = await undoLines(shell, earlier)
      const notUndone = hasEnded ? earlierFailed : [...ownFailed, ...earlierFailed]
      const cause =
        error instanceof AppError ? error : new AppError('CANCELLED', 'The fix was called off.', { cause: error })
      throw new AppError(cause.code, cause.message, {
        hint:
          notUndone.length === 0
            ? 'What the fix had changed on this host was taken back.'
            : 'Not all of what the fix had changed could be taken back; the details list what is left to run.',
        details: { ...cause.details, ...(notUndone.length === 0 ? {} : { notUndone: notUndone.join('\n') }) },
        cause: error,
      })
    }
  }
}

/** Takes a fix back. Rejects at the first line that fails. */
export async function takeBack(shell: HostShell, fix: Fix): Promise<void> {
  for (const line of fix.undo) await runLine(shell, line)
}

/** Runs each line, whatever becomes of the others; resolves to those that failed. */
async function undoLines(shell: HostShell, lines: readonly string[]): Promise<string[]> {
  const failed: string[] = []
  for (const line of lines) {
    try {
      await runLine(shell, line)
    } catch {
      failed.push(line)
    }
  }
  return failed
}
