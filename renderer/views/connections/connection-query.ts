import { type Connection, ConnectionQuery, ebpfStates } from '../../../core/model/connection.ts'

/** What the operator asks for, as it stands in the fields. */
export interface Asked {
  readonly client: string
  readonly service: string | null
  readonly realServer: string | null
  readonly state: string | null
  readonly hasTemplates: boolean
  readonly sortBy: ConnectionQuery['sortBy']
  readonly isDescending: boolean
  readonly page: number
}

export const pageSize = 200

export const everything: Asked = {
  client: '',
  service: null,
  realServer: null,
  state: null,
  hasTemplates: true,
  sortBy: 'client',
  isDescending: false,
  page: 0,
}

/**
 * IPVS: the kernel's words (ip_vs_proto_tcp.c, ip_vs_proto_udp.c, ip_vs_proto_sctp.c), the frequent ones first; then what
 * only the eBPF dataplane says.
 */
const ipvsStates = [
  'ESTABLISHED',
  'SYN_RECV',
  'SYN_SENT',
  'FIN_WAIT',
  'TIME_WAIT',
  'CLOSE',
  'CLOSE_WAIT',
  'LAST_ACK',
  'LISTEN',
  'SYNACK',
  'UDP',
  'INIT',
  'COOKIE_SENT',
  'SHUTDOWN_SENT',
  'CLOSED',
  'NONE',
  'ASSURED',
] as const
export const states: readonly string[] = [...new Set([...ipvsStates, ...ebpfStates])]

export const isFiltered = (asked: Asked): boolean =>
  asked.client.trim() !== '' ||
  asked.service !== null ||
  asked.realServer !== null ||
  asked.state !== null ||
  !asked.hasTemplates

/** The agent's question; null where what stands in the client's field is no beginning of an address. */
export function queryOf(asked: Asked): ConnectionQuery | null {
  const parsed = ConnectionQuery.safeParse({
    ...(asked.client.trim() === '' ? {} : { client: asked.client.trim() }),
    ...(asked.service === null ? {} : { service: asked.service }),
    ...(asked.realServer === null ? {} : { realServer: asked.realServer }),
    ...(asked.state === null ? {} : { state: asked.state }),
    templates: asked.hasTemplates,
    sortBy: asked.sortBy,
    descending: asked.isDescending,
    offset: asked.page * pageSize,
    limit: pageSize,
  })
  return parsed.success ? parsed.data : null
}

const csvHead = [
  'dataplane',
  'protocol',
  'client',
  'client_port',
  'vip',
  'port',
  'fwmark',
  'real_server',
  'real_server_port',
  'state',
  'is_template',
  'packets',
  'bytes',
  'expires_s',
]

/** One page as CSV (RFC 4180). No field can hold a comma or a quote: addresses, numbers and the kernel's words. */
export function csvOf(rows: readonly Connection[]): string {
  const lines = rows.map((row) =>
    [
      row.dataplane,
      row.protocol,
      row.clientAddress,
      row.clientPort,
      row.vip,
      row.port,
      row.fwmark ?? '',
      row.realServer.address,
      row.realServer.port,
      row.state,
      row.isTemplate,
      row.packets ?? '',
      row.bytes ?? '',
      row.expiresSec,
    ].join(','),
  )
  return [csvHead.join(','), ...lines, ''].join('\r\n')
}
