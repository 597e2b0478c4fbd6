import type { CheckRequest, CheckedHostReport } from '../../../core/contract/console.ts'
import { AppError, type WireError, toWireError } from '../../../core/contract/errors.ts'
import type { HostFacts } from '../../../core/diagnosis/facts.ts'
import { judgeHost, roleOf, unreadHost } from '../../../core/diagnosis/judge.ts'
import { familyOf } from '../../../core/model/address.ts'
import { networksOfVip } from '../../../core/diagnosis/read-facts.ts'
import type { ArpAnswers, CheckParameters } from '../../../core/diagnosis/rule.ts'
import type { HostShell, Hosts } from '../hosts.ts'
import type { ClockPort } from '../ports.ts'
import { readHost } from './read-host.ts'

export interface ArpProbe {
  readonly address: string
  readonly interface?: string
  readonly waitMs: number
}

/** What checks need of the rest of the console core. */
export interface InspectionPorts {
  readonly hosts: Hosts
  readonly clock: ClockPort
  /** `arp.probe` of the director's agent. Rejects with AppError, OFFLINE among them. */
  probeArp(
    directorId: string,
    probe: ArpProbe,
    signal: AbortSignal,
  ): Promise<{ readonly interface: string; readonly answers: readonly string[] }>
}

/** What came of reading one host. */
export type HostReading =
  | { readonly kind: 'read'; readonly shell: HostShell; readonly facts: HostFacts; readonly takenAtMs: number }
  /** No SSH access was given. */
  | { readonly kind: 'notChecked' }
  | { readonly kind: 'failed'; readonly error: WireError }

export function parametersOf(request: CheckRequest): CheckParameters {
  const { vip, port, protocol, forwarding, dataplane, announce, isLive, allowOwnAddress, realServers } = request
  return { vip, port, protocol, forwarding, dataplane, announce, isLive, allowOwnAddress, realServers }
}

/** `director` first, then the real servers in the order given, each once. */
export function hostsOf(request: CheckRequest): string[] {
  return ['director', ...new Set(request.realServers.map(({ address }) => address))]
}

/** Logs in and runs the probe. Failures are part of the result; only a defect or the caller's leaving rejects. */
export async function readRequestedHost(
  ports: InspectionPorts,
  request: CheckRequest,
  host: string,
  signal: AbortSignal,
): Promise<HostReading> {
  const access = request.realServers.find(({ address }) => address === host)?.access
  try {
    const shell = await ports.hosts.openHost(request.directorId, host, {
      signal,
      ...(access === undefined ? {} : { access }),
    })
    if (shell === null) return { kind: 'notChecked' }
    const isDirector = roleOf(host) === 'director'
    const facts = await readHost(
      shell,
      {
        isDirector,
        vip: request.vip,
        port: request.port,
        routesTo: isDirector ? [...new Set(request.realServers.map(({ address }) => address))] : [],
      },
      signal,
    )
    return { kind: 'read', shell, facts, takenAtMs: ports.clock.nowMs() }
  } catch (error) {
    signal.throwIfAborted()
    if (!(error instanceof AppError)) throw error
    return { kind: 'failed', error: toWireError(error) }
  }
}

/** Asks the network of the VIP who has it. */
export async function askArp(
  ports: InspectionPorts,
  request: CheckRequest,
  director: HostFacts,
  signal: AbortSignal,
): Promise<ArpAnswers> {
  if (familyOf(request.vip) !== 'ipv4') return { kind: 'notAsked', reason: 'ARP is of IPv4' }
  if (request.announce !== 'arp') return { kind: 'notAsked', reason: 'the VIP is not announced by ARP' }
  const name = director.interfaces.length === 0 ? undefined : networksOfVip(director, request.vip)[0]?.interface.name
  if (name === undefined) return { kind: 'notAsked', reason: 'no interface has a network with the VIP' }
  try {
    const probe = { address: request.vip, interface: name, waitMs: 1000 }
    const { interface: asked, answers } = await ports.probeArp(request.directorId, probe, signal)
    return { kind: 'answers', interface: asked, macs: answers }
  } catch (error) {
    signal.throwIfAborted()
    if (!(error instanceof AppError)) throw error
    return { kind: 'notAsked', reason: error.message }
  }
}

/** The rows of one host. `error` overrides: something was wanted of the host and failed. */
export function reportOf(
  request: CheckRequest,
  host: string,
  reading: HostReading,
  around: {
    readonly director: HostFacts | null
    readonly realServers: ReadonlyMap<string, HostFacts>
    readonly arp: ArpAnswers
  },
  error: WireError | null = null,
): CheckedHostReport {
  const parameters = parametersOf(request)
  switch (reading.kind) {
    case 'read':
      return {
        host,
        state: error === null ? 'done' : 'failed',
        findings: judgeHost({ request: parameters, host, facts: reading.facts, ...around }),
        error,
        takenAtMs: reading.takenAtMs,
      }
    case 'notChecked':
      return {
        host,
        state: error === null ? 'done' : 'failed',
        findings: unreadHost(parameters, host, 'notChecked', 'no SSH access'),
        error,
        takenAtMs: null,
      }
    case 'failed':
      return {
        host,
        state: 'failed',
        findings: unreadHost(parameters, host, 'unknown', host === 'director' ? 'the director' : host),
        error: error ?? reading.error,
        takenAtMs: null,
      }
  }
}

export function runningReport(host: string): CheckedHostReport {
  return { host, state: 'running', findings: [], error: null, takenAtMs: null }
}
