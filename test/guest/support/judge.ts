// What a cell promises, and whether the answers keep it.
import { type Cell, clientsSeen, type GuestScheduler, namesOf } from './cells.ts'
import { names, type Outcome, shares } from './traffic.ts'

/** Requests for each cell; even, so that two real servers can share them equally. */
export const requestsPerCell = 8

/**
 * How eight requests of one client, one after the other, fall on two real servers of equal weight. `even`: half each;
 * `one`: all on one, by hash, by rank or because it is never full; `any`: by active connections, of which one that has
 * just ended may still be one.
 */
const spread: Readonly<Record<GuestScheduler, 'even' | 'one' | 'any'>> = {
  rr: 'even',
  wrr: 'even',
  lc: 'any',
  wlc: 'any',
  sed: 'any',
  nq: 'any',
  fo: 'one',
  ovf: 'any',
  lblc: 'one',
  lblcr: 'one',
  dh: 'one',
  sh: 'one',
  mh: 'one',
}

/** `pass`, or what was found instead. */
export function judge(cell: Cell, outcome: Outcome): string {
  const { answers, failures } = outcome
  if (failures.length > 0) return `${failures.length} of ${requestsPerCell} failed: ${failures[0]}`
  if (answers.length !== requestsPerCell) return `${answers.length} answers to ${requestsPerCell} requests`
  const stranger = names(outcome).find((name) => !namesOf(cell).includes(name))
  if (stranger !== undefined) return `${stranger} answered`
  const client = answers.find((answer) => !clientsSeen(cell).includes(answer.client))
  if (client !== undefined) return `${client.by} saw the client ${client.client}`
  const counts = Object.values(shares(outcome))
  const found = `shares ${counts.join(':')}`
  if (spread[cell.scheduler] === 'even' && counts.join() !== `${requestsPerCell / 2},${requestsPerCell / 2}`)
    return found
  if (spread[cell.scheduler] === 'one' && counts.length !== 1) return found
  return 'pass'
}
