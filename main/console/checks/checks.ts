import type { CheckRequest, CheckedHostReport, ConsoleContract } from '../../../core/contract/console.ts'
import type { CallContext, Handlers } from '../../../core/contract/define.ts'
import { AppError, type WireError, toWireError } from '../../../core/contract/errors.ts'
import type { HostFacts } from '../../../core/diagnosis/facts.ts'
import type { AppliedFix, Finding } from '../../../core/diagnosis/finding.ts'
import { judgeHost } from '../../../core/diagnosis/judge.ts'
import type { ArpAnswers } from '../../../core/diagnosis/rule.ts'
import { serviceKey } from '../../../core/model/service.ts'
import { carryOut, takeBack } from './carry-out.ts'
import { chooseFixes, hostOfFix, whatRestsOn } from './choose-fixes.ts'
import { createHostLocks } from './host-locks.ts'
import type { FixStore } from './fix-store.ts'
import {
  type HostReading,
  type InspectionPorts,
  askArp,
  hostsOf,
  parametersOf,
  readRequestedHost,
  reportOf,
  runningReport,
} from './inspection.ts'
import { mergeJobs } from './merge-streams.ts'
import { readHost } from './read-host.ts'

/** Hosts read at the same time. */
const parallelHosts = 8
/** Hosts whose last findings are kept; a VIP that is tried out in the form counts as a host of its own. */
const rememberedHosts = 4000

export type ChecksHandlers = Pick<
  Handlers<ConsoleContract>,
  'checks.run' | 'checks.fix' | 'fixes.list' | 'fixes.undo' | 'facts.read'
>

/** Done on a host before it is read; resolves to what went wrong. */
type Treatment = (director: () => Promise<HostFacts | null>) => Promise<WireError | null>

const notAskedYet: ArpAnswers = { kind: 'notAsked', reason: 'only the director asks' }

/** Checks of a director and its real servers, fixes and their undo. */
export function createChecks(ports: InspectionPorts, fixes: FixStore): ChecksHandlers {
  const locks = createHostLocks()
  /** Last facts of each real server by director: they name the owner of a MAC when only the director is checked. */
  const lastFacts = new Map<string, Map<string, HostFacts>>()
  /** Last findings that went to the page, by request and host: what the operator saw when choosing fixes. */
  const lastFindings = new Map<string, readonly Finding[]>()

  const remember = (key: string, findings: readonly Finding[]): void => {
    lastFindings.delete(key)
    lastFindings.set(key, findings)
    const [oldest] = lastFindings.keys()
    if (lastFindings.size > rememberedHosts && oldest !== undefined) lastFindings.delete(oldest)
  }

  async function* inspect(
    request: CheckRequest,
    selected: readonly string[],
    treatments: ReadonlyMap<string, Treatment>,
    { signal }: CallContext,
  ): AsyncGenerator<CheckedHostReport> {
    const known = lastFacts.get(request.directorId) ?? new Map<string, HostFacts>()
    lastFacts.set(request.directorId, known)
    let directorReading: Promise<HostReading> | null = null
    const readDirector = (): Promise<HostReading> =>
      (directorReading ??= readRequestedHost(ports, request, 'director', signal))
    const directorFacts = async (): Promise<HostFacts | null> => {
      const reading = await readDirector()
      return reading.kind === 'read' ? reading.facts : null
    }
    const report = (
      host: string,
      reading: HostReading,
      director: HostFacts | null,
      arp: ArpAnswers,
      error: WireError | null,
    ) => {
      const done = reportOf(request, host, reading, { director, realServers: known, arp }, error)
      remember(findingsKey(request, host), done.findings)
      return done
    }

    const realServers = selected.filter((host) => host !== 'director')
    const checkRealServer = async (host: string, emit: (item: CheckedHostReport) => void): Promise<void> => {
      emit(runningReport(host))
      const error = (await treatments.get(host)?.(directorFacts)) ?? null
      const reading = await readRequestedHost(ports, request, host, signal)
      if (reading.kind === 'read') known.set(host, reading.facts)
      else known.delete(host)
      emit(report(host, reading, await directorFacts(), notAskedYet, error))
    }
    let directorError: WireError | null = null
    const arpSeenBy = (reading: HostReading) =>
      reading.kind === 'read' ? askArp(ports, request, reading.facts, signal) : Promise.resolve(notAskedYet)
    /** What is known of the director before the real servers are: one of them may wait for an answer of the operator. */
    let early: { readonly arp: ArpAnswers } | null = null
    const startDirector = async (emit: (item: CheckedHostReport) => void): Promise<void> => {
      emit(runningReport('director'))
      directorError = (await treatments.get('director')?.(directorFacts)) ?? null
      if (treatments.has('director')) directorReading = null
      const reading = await readDirector()
      // Fixes change who answers for the VIP: then it is asked once they are all done.
      if (treatments.size > 0 || realServers.length === 0) return
      early = { arp: await arpSeenBy(reading) }
      emit(report('director', reading, await directorFacts(), early.arp, directorError))
    }
    const isDirectorSelected = selected.includes('director')
    yield* mergeJobs(
      [
        ...(isDirectorSelected ? [startDirector] : []),
        ...realServers.map((host) => (emit: (item: CheckedHostReport) => void) => checkRealServer(host, emit)),
      ],
      parallelHosts,
    )
    if (!isDirectorSelected) return
    // Last: whose MAC it is that answers for the VIP is known when the real servers have been read.
    const reading = await readDirector()
    const { arp } = early ?? { arp: await arpSeenBy(reading) }
    yield report('director', reading, await directorFacts(), arp, directorError)
  }

  /** Carries out the chosen fixes of one host, one after the other, up to the first that fails. */
  const treatmentOf =
    (request: CheckRequest, host: string, ids: readonly string[], { signal }: CallContext): Treatment =>
    (readDirector) =>
      // Read under the lock: another page may be fixing the same host, and commands are made for the state as it is.
      locks.exclusively(`${request.directorId}/${host}`, async () => {
        try {
          const reading = await readRequestedHost(ports, request, host, signal)
          if (reading.kind !== 'read') return cannotTreat(host, reading)
          const director = await readDirector()
          const realServers = lastFacts.get(request.directorId) ?? new Map<string, HostFacts>()
          const subject = {
            request: parametersOf(request),
            host,
            facts: reading.facts,
            director,
            realServers,
            arp: notAskedYet,
          }
          const chosen = chooseFixes(ids, judgeHost(subject), lastFindings.get(findingsKey(request, host)))
          const service = serviceKey(request)
          for (const fix of chosen) {
            const record = await fixes.add(request.directorId, service, fix)
            try {
              await carryOut(reading.shell, fix, signal)
            } catch (error) {
              // What could not be taken back stays on the list, where it can be undone later.
              if (!(error instanceof AppError && error.details?.['notUndone'] !== undefined))
                await fixes.drop(record.id)
              throw error
            }
          }
          return null
        } catch (error) {
          if (!(error instanceof AppError)) throw error
          return toWireError(error)
        }
      })

  return {
    'checks.run': (request, context) => {
      const all = hostsOf(request)
      const wanted = request.hosts
      const selected = wanted === undefined ? all : all.filter((host) => wanted.includes(host))
      mustBeAmong(all, wanted ?? [], 'hosts')
      return inspect(request, selected, new Map(), context)
    },

    'checks.fix': ({ request, fixIds }, context) => {
      const all = hostsOf(request)
      const byHost = Map.groupBy(fixIds, hostOfFix)
      mustBeAmong(all, [...byHost.keys()], 'fixIds')
      const treatments = new Map(
        [...byHost].map(([host, ids]) => [host, treatmentOf(request, host, ids, context)] as const),
      )
      // The director too: whether a real server still answers ARP is seen from there.
      const seesDirector = request.hosts === undefined || request.hosts.includes('director')
      const selected = all.filter((host) => byHost.has(host) || (host === 'director' && seesDirector))
      return inspect(request, selected, treatments, context)
    },

    'fixes.list': ({ directorId }) => fixes.list(directorId),

    'fixes.undo': async ({ directorId, ids }, { signal }) => {
      const all = await fixes.list(directorId)
      const undoing = new Set(ids)
      const undone: string[] = []
      const failed: { id: string; error: WireError }[] = []
      for (const id of undoing) {
        if (all.some((applied) => applied.id === id)) continue
        const error = new AppError(
          'NOT_FOUND',
          `ids: found "${id}", expected the id of an applied fix of this director.`,
        )
        failed.push({ id, error: toWireError(error) })
      }
      // Newest first: what came last rests on what came before.
      const chosen = all.filter(({ id }) => undoing.has(id)).reverse()
      undone.push(...chosen.filter(({ undoneAtMs }) => undoneAtMs !== null).map(({ id }) => id))
      const byHost = Map.groupBy(
        chosen.filter(({ undoneAtMs }) => undoneAtMs === null),
        ({ fix }) => fix.host,
      )
      const undoHost = async (host: string, list: readonly AppliedFix[]): Promise<void> => {
        for (const [index, applied] of list.entries()) {
          try {
            mayBeUndone(applied, all, undoing)
            const shell = await ports.hosts.openHost(directorId, host, { signal })
            if (shell === null) throw new AppError('REFUSED', `There is no SSH access to ${host}.`)
            await takeBack(shell, applied.fix)
            await fixes.markUndone(applied.id)
            undone.push(applied.id)
          } catch (error) {
            if (!(error instanceof AppError)) throw error
            failed.push({ id: applied.id, error: toWireError(error) })
            const left = new AppError(
              'REFUSED',
              `Not undone on ${host}, because undoing ${applied.fix.rule} before it failed.`,
            )
            failed.push(...list.slice(index + 1).map(({ id }) => ({ id, error: toWireError(left) })))
            return
          }
        }
      }
      const jobs = [...byHost].map(
        ([host, list]) =>
          () =>
            locks.exclusively(`${directorId}/${host}`, () => undoHost(host, list)),
      )
      for await (const _ of mergeJobs<never>(jobs, parallelHosts));
      return { undone, failed }
    },

    'facts.read': async ({ directorId, host }, { signal }) => {
      const shell = await ports.hosts.openHost(directorId, host, { signal })
      if (shell === null) throw new AppError('REFUSED', `There is no SSH access to ${host}.`)
      return readHost(shell, { isDirector: host === 'director', routesTo: [] }, signal)
    },
  }
}

function findingsKey(request: CheckRequest, host: string): string {
  return `${request.directorId} ${serviceKey(request)} ${host}`
}

function mustBeAmong(all: readonly string[], hosts: readonly string[], field: string): void {
  const stranger = hosts.find((host) => !all.includes(host))
  if (stranger === undefined) return
  throw new AppError(
    'BAD_INPUT',
    `${field}: found "${stranger}", expected director or one of the request's real servers.`,
  )
}

function cannotTreat(host: string, reading: Exclude<HostReading, { kind: 'read' }>): WireError {
  return reading.kind === 'failed'
    ? reading.error
    : toWireError(new AppError('REFUSED', `Nothing was changed on ${host}: there is no SSH access to it.`))
}

function mayBeUndone(applied: AppliedFix, all: readonly AppliedFix[], undoing: ReadonlySet<string>): void {
  const other = whatRestsOn(applied, all, undoing)
  if (other === null) return
  throw new AppError(
    'REFUSED',
    `${other.fix.rule} on ${other.fix.host} (${other.service}) rests on ${applied.fix.rule}: without it this host would answer ARP for that VIP.`,
    {
      hint: 'Undo both, or keep both.',
    },
  )
}
