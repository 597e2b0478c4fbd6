// In which order connections are shown, whichever dataplane has them.
import { compareAddresses } from '../../core/model/address.ts'
import type { Connection, ConnectionPage, ConnectionQuery } from '../../core/model/connection.ts'

/** Rows that are kept to be sorted; what a page would show beyond them is cut, and said so. */
export const maxKept = 200_000

type Order = (a: Connection, b: Connection) => number

export function orderOf({ sortBy, descending }: Pick<ConnectionQuery, 'sortBy' | 'descending'>): Order {
  const compare = orders[sortBy]
  return descending ? (a, b) => compare(b, a) : compare
}

/** What a dataplane does not count is less than anything counted. */
const counted = (value: number | null): number => value ?? -1

const orders: Readonly<Record<ConnectionQuery['sortBy'], Order>> = {
  client: (a, b) => compareAddresses(a.clientAddress, b.clientAddress) || a.clientPort - b.clientPort,
  vip: (a, b) =>
    (a.vip === '' || b.vip === '' ? a.vip.length - b.vip.length : compareAddresses(a.vip, b.vip)) || a.port - b.port,
  realServer: (a, b) =>
    compareAddresses(a.realServer.address, b.realServer.address) || a.realServer.port - b.realServer.port,
  state: (a, b) => (a.state < b.state ? -1 : a.state > b.state ? 1 : 0),
  packets: (a, b) => counted(a.packets) - counted(b.packets),
  bytes: (a, b) => counted(a.bytes) - counted(b.bytes),
  expires: (a, b) => a.expiresSec - b.expiresSec,
}

/** How a source is asked: its best rows up to the end of the page, in order. The page is cut out of all of them. */
export const fromTheFirst = (query: ConnectionQuery): ConnectionQuery => ({
  ...query,
  offset: 0,
  limit: Math.min(maxKept, query.offset + query.limit),
})

/** One page out of several tables, each of which was asked from its first row. */
export function mergePages(pages: readonly ConnectionPage[], query: ConnectionQuery): ConnectionPage {
  const rows = pages.length === 1 ? (pages[0]?.rows ?? []) : pages.flatMap((page) => page.rows).toSorted(orderOf(query))
  const sum = (field: 'matched' | 'total') => pages.reduce((all, page) => all + page[field], 0)
  return {
    rows: rows.slice(query.offset, query.offset + query.limit),
    matched: sum('matched'),
    total: sum('total'),
    isCut: pages.some(({ isCut }) => isCut),
    takenAtMs: Math.max(0, ...pages.map(({ takenAtMs }) => takenAtMs)),
  }
}
