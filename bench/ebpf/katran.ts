// Katran beside our dataplane. Nothing of it is here: a directory with its compiled object is given, and these are the
// names and layouts of its maps, as its own tests fill them (katran/lib/bpf/balancer_maps.h, balancer_structs.h).
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { arrayStride, BpfMap, type MapDefinition, createMap } from '../../agent/kernel/bpf.ts'
import { possibleCpus } from '../../agent/dataplane/ebpf/map-set.ts'
import { loadPrograms, type ObjectFile, readObject } from '../../agent/kernel/object.ts'
import type { Loaded } from './ours.ts'
import type { Target } from './target.ts'
import { addressOfReal, port, vips } from './traffic.ts'

const programName = 'balancer_ingress'
const ringSize = 65_537
const realServers = 3
/** Flows that each CPU remembers: as many as our cache has room for. */
const lruEntries = 1_048_576
const lruHash = 9
/** MAX_CONN_RATE: new flows that a CPU remembers in a second, unless it was compiled with another number. */
const usualInsertLimit = 125_000
/** Places in `stats` behind MAX_VIPS (512): LRU_CNTRS, whose second number counts packets that the LRU did not know. */
const lruCounters = 512
/** enum xdp_action: XDP_TX, XDP_PASS. */
const returns = { forward: 3, pass: 2 }
const protocols = { tcp: 6, udp: 17 } as const

/** Arrays that are far larger than two VIPs need; their size changes nothing in what a packet costs. */
const smaller: Readonly<Record<string, number>> = { ch_rings: 2 * ringSize, server_id_map: 16 }

/** What a map of maps is told its maps look like. */
function innerDefinition(name: string, object: ObjectFile): MapDefinition | undefined {
  if (name === 'lru_mapping') {
    const keySize = object.btf.struct('flow_key').size
    const valueSize = object.btf.struct('real_pos_lru').size
    return { name: 'katran_lru', type: lruHash, keySize, valueSize, maxEntries: lruEntries, flags: 0 }
  }
  if (name !== 'vip_to_down_reals_map') return undefined
  return { name: 'katran_down', type: 1, keySize: 4, valueSize: 1, maxEntries: 4096, flags: 1 }
}

export function isInsertLimited(object: ObjectFile): boolean {
  const code = object.elf.section('xdp')?.data ?? Buffer.alloc(0)
  for (let at = 4; at + 4 <= code.length; at += 8) if (code.readInt32LE(at) === usualInsertLimit) return true
  return false
}

/** All of Katran's objects in the directory. Throws where there is none. */
export function katranObjects(directory: string): ObjectFile[] {
  const files = existsSync(directory) ? readdirSync(directory).filter((file) => file.endsWith('.o')) : []
  const objects = files
    .map((file) => readObject(readFileSync(join(directory, file)), file))
    .filter((object) => object.elf.symbols.some((symbol) => symbol.name === programName))
  if (objects.length === 0) {
    throw new Error(
      `--katran: found no object with ${programName} in ${directory}, expected what bench/README.md names.`,
    )
  }
  return objects
}

export function loadKatran(object: ObjectFile): Loaded {
  const maps = new Map(object.maps.map((definition) => [definition.name, make(definition, object)]))
  const map = (name: string): BpfMap => {
    const found = maps.get(name)
    if (found === undefined) throw new Error(`${object.name} has no map ${name}`)
    return found
  }
  fill(map, object)
  const programs = loadPrograms(object, maps, new Map())
  const program = programs.get(programName)
  if (program === undefined) throw new Error(`${object.name} has no program ${programName}`)
  const isLimited = isInsertLimited(object)
  const target: Target = {
    name: isLimited ? 'katran' : 'katranLifted',
    title: isLimited ? 'Katran' : 'Katran, insert limit lifted',
    hook: 'xdp',
    program,
    returns,
    family: 'ipv4',
    misses: () => sumOverCpus(map('stats'), lruCounters, 8),
  }
  const close = (): void => {
    program.close()
    for (const each of maps.values()) each.close()
  }
  return { targets: [target], close }
}

function make(definition: MapDefinition, object: ObjectFile): BpfMap {
  const maxEntries = smaller[definition.name] ?? definition.maxEntries
  const inner = innerDefinition(definition.name, object)
  if (inner === undefined) return createMap({ ...definition, maxEntries })
  const sample = createMap({ ...inner, maxEntries: 1 })
  try {
    return createMap({ ...definition, maxEntries }, sample)
  } finally {
    sample.close()
  }
}

const u32 = (values: readonly number[]): Buffer => Buffer.from(Uint32Array.from(values).buffer)
/** 16 bytes of an address, IPv4 in the first four. */
const addressBytes = (address: string): Buffer =>
  Buffer.concat([Buffer.from(address.split('.').map(Number)), Buffer.alloc(12)])

function fill(map: (name: string) => BpfMap, object: ObjectFile): void {
  // struct vip_definition: address, port, protocol; struct vip_meta: flags, number.
  for (const [number, protocol] of Object.values(protocols).entries()) {
    const key = Buffer.concat([addressBytes(vips.ipv4), Buffer.from([port >>> 8, port & 255, protocol, 0])])
    map('vip_map').update(key, u32([0, number]))
  }
  const slots = Array.from({ length: 2 * ringSize }, (_, slot) => slot)
  map('ch_rings').updateBatch(u32(slots), u32(slots.map((slot) => 1 + (slot % realServers))))
  for (let n = 1; n <= realServers; n++) {
    // struct real_definition: address, flags.
    map('reals').update(u32([n]), Buffer.concat([addressBytes(addressOfReal(n, 'ipv4')), Buffer.alloc(4)]))
  }
  // The gateway's MAC address.
  map('ctl_array').update(u32([0]), Buffer.from('0200000001010000', 'hex'))
  const lru = innerDefinition('lru_mapping', object)
  for (let cpu = 0; lru !== undefined && cpu < possibleCpus(); cpu++) {
    const inner = createMap(lru)
    map('lru_mapping').update(u32([cpu]), u32([inner.fd]))
    inner.close()
  }
}

/** A 64-bit number at that place of a per-CPU entry. The kernel gives the values of all CPUs, one after the other. */
function sumOverCpus(map: BpfMap, index: number, at: number): number {
  const stride = arrayStride(map.definition.valueSize)
  const allCpus = new BpfMap(map.fd, { ...map.definition, valueSize: stride * possibleCpus() })
  const values = allCpus.lookup(u32([index]))
  let sum = 0
  for (let place = at; values !== null && place < values.length; place += stride) {
    sum += Number(values.readBigUInt64LE(place))
  }
  return sum
}
