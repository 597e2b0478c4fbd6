import type { AgentContract } from '../../../core/contract/agent.ts'
import type { ConsoleContract } from '../../../core/contract/console.ts'
import type { Handlers, ParsedInputOf } from '../../../core/contract/define.ts'
import { AppError } from '../../../core/contract/errors.ts'
import { HostAddress } from '../../../core/model/address.ts'
import type { ProofRequest } from '../../../core/model/proof.ts'
import { realServerKey } from '../../../core/model/service.ts'
import type { ClientHost, DirectorProfile } from '../../../core/model/ssh.ts'
import type { Flow } from '../../../core/model/telemetry.ts'
import type { Client } from '../../../core/rpc/client.ts'
import type { HostShell } from '../hosts.ts'
import type { ClockPort } from '../ports.ts'
import type { Attempt, ServiceKind } from './attempt.ts'
import { batchSize, requestsFromHost } from './from-host.ts'
import { requestFromHere } from './from-workstation.ts'

/** What a proof needs of the rest of the console core. */
export interface ProofPorts {
  readonly clock: ClockPort
  director(directorId: string): { readonly profile: DirectorProfile; readonly client: () => Client<AgentContract> }
  clientHost(id: string): Promise<ClientHost>
  openTarget(directorId: string, host: ClientHost, signal: AbortSignal): Promise<HostShell>
}

type ProofInput = ParsedInputOf<ConsoleContract['proof.run']>
/** Called with each attempt as it ends. */
type OnAttempt = (attempt: Attempt) => void

const parallelHere = 8
const parallelBatches = 2
/** The record of a flow is there with its first packet; a busy agent may take a moment to answer for it. */
const lookupPausesMs = [0, 50, 150, 300]

/** Real requests through a VIP; who answered is what the dataplane's own flow record says. */
export function proofHandler(ports: ProofPorts): Handlers<ConsoleContract>['proof.run'] {
  return async function* run(input, { signal }) {
    const { profile, client } = ports.director(input.directorId)
    const agent = client()
    const stop = new AbortController()
    const both = AbortSignal.any([signal, stop.signal])
    const done: ProofRequest[] = []
    let wake = () => {}
    const outcome: { isOver: boolean; failure?: Error } = { isOver: false }
    let index = 0

    const end = (failure?: Error) => {
      outcome.isOver = true
      outcome.failure ??= failure
      wake()
    }
    const send = await sender(input, ports, profile, both)
    const lookups: Promise<void>[] = []
    const work = send((attempt) => {
      const at = index++
      const lookup = attribute(agent, ports.clock, input, attempt, both).then((who) => {
        done.push({ index: at, ...withoutAddress(attempt), ...who })
        wake()
      })
      // A director that is lost ends the proof at once; the rest of the lookups fail with it.
      lookup.catch(end)
      lookups.push(lookup)
    })
    work.then(() => Promise.all(lookups)).then(() => end(), end)
    const onAbort = () => wake()
    both.addEventListener('abort', onAbort)
    try {
      for (;;) {
        const next = done.shift()
        if (next !== undefined) yield next
        else if (outcome.failure !== undefined) throw outcome.failure
        else if (outcome.isOver || signal.aborted) return
        else {
          await new Promise<void>((resolve) => {
            wake = resolve
            if (done.length > 0 || outcome.isOver || signal.aborted) resolve()
          })
        }
      }
    } finally {
      both.removeEventListener('abort', onAbort)
      stop.abort(new AppError('CANCELLED', 'The proof was ended.'))
    }
  }
}

/** Where the requests come from; rejects before the first one where that cannot work. */
async function sender(
  input: ProofInput,
  ports: ProofPorts,
  profile: DirectorProfile,
  signal: AbortSignal,
): Promise<(onAttempt: OnAttempt) => Promise<void>> {
  if (input.from.kind === 'workstation') return (onAttempt) => fromWorkstation(input, onAttempt, signal)
  const host = await ports.clientHost(input.from.id)
  if (host.target.host === profile.target.host && host.target.port === profile.target.port) {
    throw new AppError('REFUSED', `${host.name} is the director itself; in DR it cannot test its own VIP.`, {
      hint: 'Choose a host that is neither the director nor a real server of this service.',
    })
  }
  const shell = await ports.openTarget(input.directorId, host, signal)
  return (onAttempt) => fromHost(input, shell, onAttempt, signal)
}

/** The first request alone: it shows whether the service speaks HTTP. */
async function fromWorkstation({ vip, port, requests }: ProofInput, onAttempt: OnAttempt, signal: AbortSignal) {
  let kind: ServiceKind = 'unknown'
  let left = requests
  const one = async () => {
    left--
    const result = await requestFromHere(vip, port, kind, signal)
    if (signal.aborted) return
    if (kind === 'unknown') kind = result.kind
    onAttempt(result.attempt)
  }
  const worker = async () => {
    while (left > 0 && !signal.aborted) await one()
  }
  await one()
  await Promise.all(Array.from({ length: parallelHere }, worker))
}

async function fromHost(
  { vip, port, requests }: ProofInput,
  shell: HostShell,
  onAttempt: OnAttempt,
  signal: AbortSignal,
) {
  let kind = await requestsFromHost(shell, vip, port, 1, 'unknown', onAttempt, signal)
  let left = requests - 1
  const worker = async () => {
    while (left > 0 && !signal.aborted) {
      const count = Math.min(batchSize, left)
      left -= count
      kind = await requestsFromHost(shell, vip, port, count, kind, onAttempt, signal)
    }
  }
  await Promise.all(Array.from({ length: parallelBatches }, worker))
}

/** Who answered, from the flow record of the request's own source port. */
async function attribute(
  agent: Client<AgentContract>,
  clock: ClockPort,
  { vip, port }: ProofInput,
  { clientAddress, clientPort, isOk }: Attempt,
  signal: AbortSignal,
): Promise<Pick<ProofRequest, 'realServer' | 'clientAddress'>> {
  const nobody = { realServer: null, clientAddress: null }
  if (clientPort === null) return nobody
  const address = HostAddress.safeParse(clientAddress)
  for (const pauseMs of isOk ? lookupPausesMs : [0]) {
    if (pauseMs > 0) await new Promise<void>((resolve) => clock.after(pauseMs, resolve))
    if (signal.aborted) return nobody
    const flow = await lookup(agent, { vip, port, clientPort, address: address.data ?? null }, signal)
    if (flow !== null) return { realServer: realServerKey(flow.realServer), clientAddress: flow.clientAddress }
  }
  return nobody
}

async function lookup(
  agent: Client<AgentContract>,
  { vip, port, clientPort, address }: { vip: string; port: number; clientPort: number; address: string | null },
  signal: AbortSignal,
): Promise<Flow | null> {
  const by = { vip, port, clientPort }
  const exact = address === null ? null : await agent.call('flow.lookup', { ...by, clientAddress: address }, { signal })
  // An address translated on the way keeps its port more often than not.
  return exact ?? agent.call('flow.lookup', by, { signal })
}

function withoutAddress({ isOk, durationMs, httpStatus, error, clientPort }: Attempt) {
  return { isOk, durationMs, httpStatus, error, clientPort }
}
