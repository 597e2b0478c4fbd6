// The kernel's connections, filtered, sorted and cut to a page here: the whole table never travels.
import { createReadStream } from 'node:fs'
import { createInterface } from 'node:readline'
import type { Connection, ConnectionPage, ConnectionQuery } from '../../../core/model/connection.ts'
import type { Flow } from '../../../core/model/telemetry.ts'
import { maxKept, orderOf } from '../connection-order.ts'
import type { FlowQuery } from '../dataplane.ts'
import { type IpvsConnection, parseConnection } from './proc.ts'

export interface ConnectionTable {
  page(query: ConnectionQuery): Promise<ConnectionPage>
  lookup(query: FlowQuery): Promise<Flow | null>
}

/** @param file `/proc/net/ip_vs_conn`; absent while the module is not loaded, which is an empty table. */
export function connectionTable(nowMs: () => number, file = '/proc/net/ip_vs_conn'): ConnectionTable {
  return {
    async page(query) {
      const fits = filterOf(query)
      const kept: Connection[] = []
      let [total, matched] = [0, 0]
      for await (const connection of connectionsOf(file)) {
        total++
        if (!fits(connection)) continue
        matched++
        if (kept.length < maxKept) kept.push(connection)
      }
      const rows = kept.toSorted(orderOf(query)).slice(query.offset, query.offset + query.limit)
      return { rows, matched, total, isCut: matched > kept.length, takenAtMs: nowMs() }
    },
    async lookup({ clientAddress, clientPort, vip, port }) {
      for await (const one of connectionsOf(file)) {
        const isIt =
          one.clientPort === clientPort &&
          one.vip === vip &&
          one.port === port &&
          !one.isTemplate &&
          (clientAddress === undefined || one.clientAddress === clientAddress)
        if (isIt) return flowOf(one)
      }
      return null
    },
  }
}

/** Line by line from a stream, so that a table of a million rows does not stop the event loop. */
async function* connectionsOf(file: string): AsyncGenerator<Connection> {
  const input = createReadStream(file, { highWaterMark: 256 * 1024 })
  try {
    for await (const line of createInterface({ input })) {
      // The first line names the columns.
      if (line === '' || line.startsWith('Pro ')) continue
      const connection = spoken(parseConnection(line))
      if (connection !== null) yield connection
    }
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error
  } finally {
    input.destroy()
  }
}

/** Null for protocols that no virtual service of the model has (ICMP, AH, ESP). */
function spoken(one: IpvsConnection): Connection | null {
  const { protocol, client, virtual, realServer, state, isTemplate, expiresSec, fwmark } = one
  if (protocol !== 'tcp' && protocol !== 'udp' && protocol !== 'sctp' && protocol !== 'ip') return null
  return {
    dataplane: 'ipvs',
    protocol,
    clientAddress: client.address,
    clientPort: client.port,
    vip: virtual?.address ?? '',
    port: virtual?.port ?? 0,
    fwmark,
    realServer: { address: realServer.address, port: realServer.port },
    state,
    isTemplate,
    packets: null,
    bytes: null,
    expiresSec,
  }
}

function filterOf({ service, realServer, client, state, templates }: ConnectionQuery): (one: Connection) => boolean {
  const wanted = client?.toLowerCase()
  return (one) =>
    (templates || !one.isTemplate) &&
    (service === undefined || isOfService(one, service)) &&
    (realServer === undefined || one.realServer.address === realServer) &&
    (wanted === undefined || one.clientAddress.startsWith(wanted)) &&
    (state === undefined || one.state.startsWith(state))
}

/** A connection of a service by fwmark shows the address that the client asked for; only its template has the mark. */
function isOfService(one: Connection, service: string): boolean {
  if (one.fwmark !== null) return service.startsWith(`fwmark/${one.fwmark}/`)
  const [protocol = '', endpoint = ''] = service.split('/')
  return one.protocol === protocol && endpointOf(one) === endpoint
}

const endpointOf = ({ vip, port }: Connection): string => (vip.includes(':') ? `[${vip}]:${port}` : `${vip}:${port}`)

/** IPVS keeps neither packets nor bytes of a connection. */
function flowOf({ clientAddress, clientPort, vip, port, realServer, state }: Connection): Flow {
  const isOpening = state === 'SYN_RECV' || state === 'SYN_SENT' || state === 'SYNACK'
  const isOpen = state === 'ESTABLISHED' || state === 'UDP' || state === 'NONE'
  return {
    clientAddress,
    clientPort,
    vip,
    port,
    realServer: { ...realServer },
    state: isOpening ? 'syn' : isOpen ? 'established' : 'closing',
    packets: null,
    bytes: null,
    idleMs: null,
  }
}
