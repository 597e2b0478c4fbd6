import { formatEndpoint } from '../../core/model/address.ts'
import type { ConnectionPage } from '../../core/model/connection.ts'

/** One line a connection, then how many there are in all. */
export function connectionLines({ rows, matched, total, isCut }: ConnectionPage): string[] {
  const lines = rows.map((one) => {
    const client = formatEndpoint(one.clientAddress, one.clientPort)
    const vip = formatEndpoint(one.vip, one.port)
    const realServer = formatEndpoint(one.realServer.address, one.realServer.port)
    const what = one.isTemplate ? `${one.state} (persistence)` : one.state
    return `${one.protocol} ${client} -> ${vip} -> ${realServer} ${what}, expires in ${one.expiresSec} s`
  })
  const cut = isCut ? '; there are more than can be sorted' : ''
  return [...lines, `${rows.length} of ${matched} that fit, of ${total} in all${cut}.`]
}
