// The structs of agent/bpf/ as TypeScript sees them. Offsets, sizes and strides come from the object's BTF; a field that
// one side has and the other does not is an error at load time.
import { createHash } from 'node:crypto'
import { AppError } from '../../../core/contract/errors.ts'
import type { IpFamily } from '../../../core/model/address.ts'
import type { Btf } from '../../kernel/btf.ts'
import { MalformedError } from '../../kernel/bytes.ts'
import type { ObjectFile } from '../../kernel/object.ts'
import { type RecordLayout, type RecordOf, bindRecord } from '../../kernel/record.ts'

const shapes = {
  config: {
    flow_secret: 'u64s',
    ring_seed: 'u64',
    bucket_mask: 'u32',
    reals_max: 'u32',
    services_max: 'u32',
    insert_cap: 'u32',
    insert_window_shift: 'u32',
    timeout_half_open: 'u32',
    timeout_established: 'u32',
    timeout_closing: 'u32',
    timeout_udp: 'u32',
  },
  meta: { layout: 'u64', epoch: 'u64', flow_secret: 'u64s', ring_seed: 'u64' },
  serviceKey: { vip: 'address', port: 'be16', proto: 'u8', family: 'u8' },
  service: { id: 'u32', forwarding: 'u8', scheduler: 'u8' },
  vipKey: { vip: 'address', proto: 'u8', family: 'u8', zero: 'u16' },
  vip: { services: 'u32' },
  serviceInfo: {
    vip: 'address',
    port: 'be16',
    proto: 'u8',
    family: 'u8',
    use: 'u8',
    forwarding: 'u8',
    scheduler: 'u8',
    announce: 'u8',
    check_type: 'u8',
    check_interval_ms: 'u32',
    check_timeout_ms: 'u32',
    check_rise: 'u32',
    check_fall: 'u32',
    interface: 'text',
    ring_digest: 'text',
  },
  real: {
    addr: 'address',
    generation: 'u32',
    ifindex: 'u32',
    mac: 'mac',
    source_mac: 'mac',
    service: 'u16',
    port: 'be16',
    mtu: 'u32',
    weight: 'u16',
    family: 'u8',
    use: 'u8',
    state: 'u8',
    is_down: 'u8',
    is_reachable: 'u8',
    forwarding: 'u8',
    vlan: 'u16',
    tunnel_port: 'be16',
    tunnel_type: 'u8',
    active: 'u32',
    outer_saddr: 'address',
  },
  flow: {
    saddr: 'address',
    daddr: 'address',
    sport: 'be16',
    dport: 'be16',
    proto: 'u8',
    family: 'u8',
    real: 'u16',
    generation: 'u32',
    last_seen: 'u32',
    packets: 'count',
    bytes: 'count',
  },
  switches: { new_flows_stopped: 'u32', translates: 'u32' },
  stats: {
    packets: 'count',
    bytes: 'count',
    connections: 'count',
    turns: 'count',
    reply_packets: 'count',
    reply_bytes: 'count',
  },
  natKey: { addr: 'address', port: 'be16', proto: 'u8', family: 'u8' },
  natEnd: { services: 'u32' },
  wanted: { addr: 'address', ifindex: 'u32', family: 'u32' },
  iface: { mac: 'mac', is_known: 'u8' },
  cpu: {
    count: 'u64s',
    best: 'u64',
    best_word: 'u64',
    best_way: 'u32',
    insert_window: 'u32',
    inserts: 'u32',
  },
} as const

type Shapes = typeof shapes
type ShapeName = keyof Shapes

const structNames: Readonly<Record<ShapeName, string>> = {
  config: 'lb_config',
  meta: 'lb_meta',
  serviceKey: 'lb_service_key',
  service: 'lb_service',
  vipKey: 'lb_vip_key',
  vip: 'lb_vip',
  serviceInfo: 'lb_service_info',
  real: 'lb_real',
  flow: 'lb_flow',
  stats: 'lb_stats',
  switches: 'lb_switch',
  natKey: 'lb_nat_key',
  natEnd: 'lb_nat_end',
  wanted: 'lb_wanted',
  iface: 'lb_iface',
  cpu: 'lb_cpu',
}

export type Records = { readonly [K in ShapeName]: RecordLayout<Shapes[K]> }
export type ServiceInfoRecord = RecordOf<Shapes['serviceInfo']>
export type RealRecord = RecordOf<Shapes['real']>
export type FlowRecord = RecordOf<Shapes['flow']>

/** A bucket of the flow cache: words first, then the records. Offsets in bytes. */
export interface BucketLayout {
  readonly size: number
  readonly ways: number
  readonly wordsAt: number
  readonly flowsAt: number
  readonly flowSize: number
}

/** What the programs and the agent agree on: one record layout per struct, and what the enum names. */
export interface Layout extends Records {
  readonly bucket: BucketLayout
  /** Names of the counters by their place in a CPU's row. */
  readonly counters: readonly string[]
  /** Digest of all structs that live in maps: state of another layout is refused, never reused. */
  readonly digest: bigint
}

const noVerdict = 'LB_NONE'
const marker = /_LAST$|^LB_COUNTERS$/

export function bindLayout(object: ObjectFile): Layout {
  try {
    const { btf } = object
    const names = btf.enumValues('lb_counter')
    const counters = [...names].filter(([name]) => name !== noVerdict && !marker.test(name))
    const list: string[] = []
    for (const [name, place] of counters) list[place] = name
    return {
      ...bindAll(btf),
      bucket: bindBucket(btf),
      counters: Array.from(list, (name) => name ?? ''),
      digest: layoutDigest(object),
    }
  } catch (error) {
    if (!(error instanceof MalformedError)) throw error
    throw new AppError('REFUSED', `The dataplane's object does not belong to this agent: ${error.message}.`, {
      cause: error,
      hint: 'Install the agent again.',
    })
  }
}

function bindBucket(btf: Btf): BucketLayout {
  const { size, fields } = btf.struct('lb_bucket')
  const words = fields.find((field) => field.name === 'way')
  const flows = fields.find((field) => field.name === 'flow')
  if (words === undefined || flows === undefined || words.elementSize !== 8 || words.length !== flows.length) {
    throw new MalformedError('struct lb_bucket', 'not as many words as flows')
  }
  return {
    size,
    ways: words.length,
    wordsAt: words.offset,
    flowsAt: flows.offset,
    flowSize: flows.elementSize,
  }
}

function bindAll(btf: Btf): Records {
  return Object.fromEntries(
    Object.entries(shapes).map(([key, shape]) => [key, bindRecord(btf, structNames[key as ShapeName], shape)]),
  ) as unknown as Records
}

/** Over type and flags of each map and over each field of its key and value: what pinned state must share. */
function layoutDigest(object: ObjectFile): bigint {
  const describe = (typeId: number | undefined): string => {
    if (typeId === undefined) return '-'
    const name = object.btf.structName(typeId)
    if (name === null) return String(object.btf.sizeOf(typeId))
    const { size, fields } = object.btf.struct(name)
    return `${name} ${size} ${fields.map((f) => `${f.name}@${f.offset}:${f.elementSize}x${f.length}`).join(' ')}`
  }
  const lines = object.btf.mapDefinitions().map(({ name, numbers, types }) => {
    return [name, numbers['type'], numbers['map_flags'] ?? 0, describe(types['key']), describe(types['value'])].join(
      '|',
    )
  })
  return createHash('sha256').update(lines.toSorted().join('\n')).digest().readBigUInt64LE(0)
}

/** Numbers that structs carry for words of the model. */
export const word = {
  protocol: { tcp: 6, udp: 17 },
  forwarding: { dr: 1, nat: 2, tun: 3 },
  tunnel: { ipip: 1, gue: 2 },
  scheduler: { mh: 1, sh: 2, rr: 3, wrr: 4, lc: 5, wlc: 6 },
  announce: { arp: 1, route: 2, none: 3 },
  check: { none: 1, tcp: 2 },
  state: { enabled: 0, drain: 1, offline: 2 },
} as const
/** `family` of a struct, by the model's word. */
export const familyNumber = { ipv4: 4, ipv6: 6 } as const satisfies Record<IpFamily, number>
/** `use` of a real server's index. Quarantined: it is gone, and an entry of the flow cache may still name it. */
export const realUse = { free: 0, inUse: 1, quarantined: 2 } as const
/** Lowest byte of a bucket's word; above it the sequence, then the tag. */
export const flowState = { free: 0, writing: 1, halfOpen: 2, established: 3, closing: 4 } as const

/** The word of a number that a struct carries; a number that nobody wrote is a defect of the map. */
export function wordOf<T extends string>(words: Readonly<Record<T, number>>, value: number, field: string): T {
  for (const [name, number] of Object.entries(words)) if (number === value) return name as T
  throw new AppError('REFUSED', `The dataplane's maps hold ${field} ${value}, which this agent does not know.`)
}
