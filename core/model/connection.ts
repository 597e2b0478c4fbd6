import { z } from 'zod'
import { HostAddress } from './address.ts'
import { DataplaneName } from './dataplane.ts'
import { ServiceKey } from './service.ts'

/** Of a flow in the eBPF dataplane: one packet or SYNs only; more than that; FIN or RST seen. */
export const ebpfStates = ['HALF_OPEN', 'ESTABLISHED', 'CLOSING'] as const

/** One connection as the dataplane has it. */
export const Connection = z.object({
  dataplane: DataplaneName,
  /** Lower case; `ip` in a persistence template of a service by fwmark. */
  protocol: z.enum(['tcp', 'udp', 'sctp', 'ip']),
  clientAddress: z.string(),
  /** 0 in a persistence template: every port of the client. */
  clientPort: z.number().int(),
  /** Empty in a template of a service by fwmark. */
  vip: z.string(),
  port: z.number().int(),
  fwmark: z.number().int().nullable(),
  realServer: z.object({ address: z.string(), port: z.number().int() }),
  /** IPVS: the kernel's word, such as ESTABLISHED or FIN_WAIT; of a template NONE or ASSURED. eBPF: `ebpfStates`. */
  state: z.string(),
  /** A rule that keeps a client on its real server, no connection. */
  isTemplate: z.boolean(),
  /** Of the client's direction, since the connection was first seen; null where the dataplane does not count them. */
  packets: z.number().int().nullable(),
  bytes: z.number().int().nullable(),
  expiresSec: z.number().int(),
})

export const ConnectionQuery = z.strictObject({
  service: ServiceKey.optional(),
  realServer: HostAddress.optional(),
  /** A client's address, or the beginning of its text. */
  client: z
    .string()
    .max(45)
    .regex(/^[0-9a-fA-F:.]*$/)
    .optional(),
  state: z
    .string()
    .max(20)
    .regex(/^[A-Z_0-9]*$/)
    .optional(),
  templates: z.boolean().default(true),
  sortBy: z.enum(['client', 'vip', 'realServer', 'state', 'packets', 'bytes', 'expires']).default('client'),
  descending: z.boolean().default(false),
  offset: z.int().min(0).max(10_000_000).default(0),
  limit: z.int().min(1).max(500).default(100),
})

export const ConnectionPage = z.object({
  rows: z.array(Connection),
  /** How many fit the query, and how many there are. */
  matched: z.number().int(),
  total: z.number().int(),
  /** True where the table is larger than what is read at once: `matched` counts what was read. */
  isCut: z.boolean(),
  takenAtMs: z.number(),
})

export type Connection = z.infer<typeof Connection>
export type ConnectionQuery = z.infer<typeof ConnectionQuery>
export type ConnectionPage = z.infer<typeof ConnectionPage>
