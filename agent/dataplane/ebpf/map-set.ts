// The dataplane's maps: made once, pinned, and found again by the next agent.
import { randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, unlinkSync } from 'node:fs'
import { join } from 'node:path'
import { AppError } from '../../../core/contract/errors.ts'
import { arrayStride, type BpfMap, createMap, openPinnedMap } from '../../kernel/bpf.ts'
import type { BpfProgram } from '../../kernel/bpf-program.ts'
import { loadPrograms, type ObjectFile } from '../../kernel/object.ts'
import { clockResolutionNs, fileSystemMagic, mountFileSystem } from '../../kernel/syscall.ts'
import { flowState, type Layout, word } from './layout.ts'

export const bpffs = '/sys/fs/bpf'
/** BPF_FS_MAGIC of include/uapi/linux/magic.h. */
const bpffsMagic = 0xcafe4a11
const clockMonotonicCoarse = 6

/** Seconds without a packet until an entry of the flow cache may be given to another flow; as IPVS has them. */
const timeoutsSec = { halfOpen: 60, established: 900, closing: 30, udp: 300 } as const
/** New entries of one CPU in a window of some 0.1 s. */
const insertCap = 20_000

/** How much is kept room for; the object's own numbers where left out. Powers of two for `buckets`. */
export interface Capacity {
  readonly services?: number
  readonly realServers?: number
  readonly buckets?: number
}

/** Places of one ARRAY map in memory. */
export interface Rows {
  readonly view: DataView
  readonly count: number
  at(index: number): number
}

export interface MapSet {
  readonly maps: ReadonlyMap<string, BpfMap>
  readonly epoch: string
  readonly ringSeed: bigint
  readonly cpus: number
  readonly sizes: { readonly buckets: number; readonly reals: number; readonly services: number }
  readonly millisecondsPerJiffy: number
  rows(name: string): Rows
  map(name: string): BpfMap
  /** Programs on these maps, with this load's constants; `insertCap` stands for the usual one. */
  load(limits?: { readonly insertCap?: number }): Map<string, BpfProgram>
  close(): void
}

export function isBpffsMounted(): boolean {
  return existsSync(bpffs) && fileSystemMagic(bpffs) === bpffsMagic
}

/** CPUs that there may ever be, from `0-3,8`. Rows by CPU must reach the last one. */
export function possibleCpus(text = readFileSync('/sys/devices/system/cpu/possible', 'utf8')): number {
  return Math.max(...text.trim().split(/[,-]/).map(Number)) + 1
}

export const isPinned = (folder: string): boolean => existsSync(join(folder, 'lb_meta'))

/** Opens the pinned maps. REFUSED where another layout made them: reading them would give nonsense. */
export function openMaps(folder: string, object: ObjectFile, layout: Layout): MapSet {
  const maps = new Map(object.maps.map(({ name }) => [name, openPinnedMap(join(folder, name))]))
  const set = mapSet(maps, object, layout)
  const meta = layout.meta.read(set.rows('lb_meta').view, 0)
  if (meta.layout !== layout.digest) {
    set.close()
    throw new AppError(
      'REFUSED',
      'The pinned dataplane was made by another version of the agent and has another layout.',
      {
        hint: 'Take it down with the agent that made it, or with `signalbox teardown`; its connections end then.',
      },
    )
  }
  return set
}

/** Entries of each map; rows by CPU are as many as there may ever be CPUs. */
function entriesOf(object: ObjectFile, capacity: Capacity, cpus: number): Record<string, number> {
  const own = Object.fromEntries(object.maps.map(({ name, maxEntries }) => [name, maxEntries]))
  const services = capacity.services ?? own['lb_svc_info'] ?? 0
  const reals = capacity.realServers ?? own['lb_reals'] ?? 0
  const buckets = capacity.buckets ?? own['lb_buckets'] ?? 0
  return {
    ...own,
    lb_cpus: cpus,
    lb_work: cpus,
    lb_services: services,
    lb_vips: services,
    lb_svc_info: services,
    lb_ring: services,
    lb_svc_stats: services * cpus,
    lb_reals: reals,
    lb_real_stats: reals * cpus,
    lb_nat_ends: reals,
    lb_buckets: buckets,
  }
}

/** Makes the maps and pins them; with null for the folder they die with the process. Leaves nothing where it fails. */
export function createMaps(folder: string | null, object: ObjectFile, layout: Layout, capacity: Capacity = {}): MapSet {
  const entries = entriesOf(object, capacity, possibleCpus())
  const maps = new Map<string, BpfMap>()
  try {
    if (folder !== null) prepareFolder(folder)
    for (const definition of object.maps) {
      maps.set(definition.name, createMap({ ...definition, maxEntries: entries[definition.name] ?? 1 }))
    }
    const set = mapSet(maps, object, layout)
    layout.meta.write(set.rows('lb_meta').view, 0, {
      layout: layout.digest,
      epoch: BigInt(Date.now()),
      flow_secret: [randomBytes(8).readBigUInt64LE(), randomBytes(8).readBigUInt64LE()],
      // One seed for every director: rings and choices agree without a word between them.
      ring_seed: 0x5369676e616c626fn,
    })
    // The one that tells of all the others goes last: a half-made set is not taken for a whole one.
    for (const [name, map] of [...maps].toSorted(([a], [b]) => Number(a === 'lb_meta') - Number(b === 'lb_meta'))) {
      if (folder !== null) map.pin(join(folder, name))
    }
    return mapSet(maps, object, layout)
  } catch (error) {
    for (const map of maps.values()) map.close()
    if (folder !== null) removePins(folder)
    throw error
  }
}

function prepareFolder(folder: string): void {
  if (!isBpffsMounted()) mountFileSystem('bpf', bpffs, 'bpf')
  // What an agent that died while making it left behind.
  removePins(folder)
  mkdirSync(folder, { recursive: true, mode: 0o700 })
}

/** Unpins everything; the kernel frees it when nobody holds it. */
export function removePins(folder: string): void {
  if (!existsSync(folder)) return
  for (const name of readdirSync(folder)) unlinkSync(join(folder, name))
  rmdirSync(folder)
}

function mapSet(maps: ReadonlyMap<string, BpfMap>, object: ObjectFile, layout: Layout): MapSet {
  const map = (name: string): BpfMap => {
    const found = maps.get(name)
    if (found === undefined) throw new TypeError(`no map ${name}`)
    return found
  }
  const known = new Map<string, Rows>()
  const rows = (name: string): Rows => {
    const found = known.get(name)
    if (found !== undefined) return found
    const { valueSize, maxEntries } = map(name).definition
    const stride = arrayStride(valueSize)
    const made = { view: new DataView(map(name).memory()), count: maxEntries, at: (index: number) => index * stride }
    known.set(name, made)
    return made
  }
  const entries = (name: string) => map(name).definition.maxEntries
  const cpus = entries('lb_cpus')
  const sizes = { buckets: entries('lb_buckets'), reals: entries('lb_reals'), services: entries('lb_svc_info') }
  const meta = layout.meta.read(rows('lb_meta').view, 0)
  const millisecondsPerJiffy = clockResolutionNs(clockMonotonicCoarse) / 1e6
  const jiffies = (seconds: number) => Math.round((seconds * 1000) / millisecondsPerJiffy)
  return {
    maps,
    epoch: meta.epoch.toString(36),
    ringSeed: meta.ring_seed,
    cpus,
    sizes,
    millisecondsPerJiffy,
    rows,
    map,
    load: (limits) =>
      loadPrograms(
        object,
        maps,
        new Map([
          [
            'lb_config',
            layout.config.encode({
              flow_secret: meta.flow_secret,
              ring_seed: meta.ring_seed,
              bucket_mask: sizes.buckets - 1,
              reals_max: sizes.reals,
              services_max: sizes.services,
              insert_cap: limits?.insertCap ?? insertCap,
              insert_window_shift: Math.max(0, Math.round(Math.log2(100 / millisecondsPerJiffy))),
              timeout_half_open: jiffies(timeoutsSec.halfOpen),
              timeout_established: jiffies(timeoutsSec.established),
              timeout_closing: jiffies(timeoutsSec.closing),
              timeout_udp: jiffies(timeoutsSec.udp),
            }),
          ],
        ]),
      ),
    close: () => {
      for (const each of maps.values()) each.close()
    },
  }
}

const byState = [0, 0, timeoutsSec.halfOpen, timeoutsSec.established, timeoutsSec.closing].map((s) => s * 1000)

/** How long a flow may be silent, for the agent's own sweep; as lb_timeout_of() has it. */
export const timeoutMsOf = (state: number, protocol: number): number =>
  state === flowState.established && protocol === word.protocol.udp ? timeoutsSec.udp * 1000 : (byState[state] ?? 0)
