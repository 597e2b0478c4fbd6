// A page of the flow cache as the contract asks for it.
import { compareAddresses } from '../../../core/model/address.ts'
import type { ConnectionPage, ConnectionQuery } from '../../../core/model/connection.ts'
import { maxKept } from '../connection-order.ts'
import type { FlowTable } from './flow-table.ts'
import type { RealRow, ServiceRow } from './tables.ts'

/** @param services as the maps hold them now: a flow names the index of its real server, and that its service. */
export async function flowPage(
  flows: FlowTable,
  services: readonly ServiceRow[],
  query: ConnectionQuery,
): Promise<ConnectionPage> {
  const asked = query.service === undefined ? services : services.filter(({ key }) => key === query.service)
  const reals = asked
    .flatMap((service) => service.reals)
    .filter(({ address }) => query.realServer === undefined || address === query.realServer)
  const isFiltered = query.service !== undefined || query.realServer !== undefined
  const keep = Math.min(maxKept, query.offset + query.limit)
  const { rows, matched, total } = await flows.list({
    reals: isFiltered ? new Set(reals.map(({ index }) => index)) : null,
    client: query.client === undefined || query.client === '' ? null : query.client.toLowerCase(),
    state: query.state ?? null,
    order: {
      by: query.sortBy,
      isDescending: query.descending,
      rankOfReal: ranksOf(services.flatMap((service) => service.reals)),
    },
    keep,
    skip: query.offset,
  })
  return {
    rows: [...rows],
    matched,
    total,
    isCut: query.offset + query.limit > maxKept && matched > maxKept,
    takenAtMs: Date.now(),
  }
}

function ranksOf(reals: readonly RealRow[]): Uint32Array {
  const ranks = new Uint32Array(Math.max(0, ...reals.map(({ index }) => index)) + 1)
  const inOrder = reals.toSorted((a, b) => compareAddresses(a.address, b.address) || a.port - b.port)
  for (const [rank, { index }] of inOrder.entries()) ranks[index] = rank
  return ranks
}
