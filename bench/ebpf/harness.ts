// Test runs with many repetitions through a wrapper that restores the packet (wrap.bpf.c).
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { type BpfMap, createMap } from '../../agent/kernel/bpf.ts'
import type { BpfProgram } from '../../agent/kernel/bpf-program.ts'
import { isErrno } from '../../agent/kernel/errno.ts'
import { loadPrograms, type ObjectFile, readObject } from '../../agent/kernel/object.ts'
import { type RecordLayout, bindRecord } from '../../agent/kernel/record.ts'

export type Hook = 'tcx' | 'xdp'
export const hooks: readonly Hook[] = ['xdp', 'tcx']

const source = resolve(import.meta.dirname, 'wrap.bpf.c')
const shape = {
  packets: 'u64',
  flow_mask: 'u64',
  size: 'u32',
  is_ipv6: 'u32',
  is_shuffled: 'u32',
  headers: 'u64s',
} as const
/** Flows one after the other, or in an order that has nothing to do with that. */
export type Order = 'straight' | 'shuffled'
/** What a wrapper gives that could not restore the packet. */
const broken = 99

export interface TimedRun {
  readonly result: number
  /** Mean of the repetitions, the harness included. */
  readonly ns: number
}

function compiled(): ObjectFile {
  const folder = mkdtempSync(join(tmpdir(), 'signalbox-bench-'))
  try {
    const path = join(folder, 'wrap.o')
    const multiarch = `/usr/include/${process.arch === 'arm64' ? 'aarch64' : 'x86_64'}-linux-gnu`
    execFileSync('clang', ['-O2', '-g', '-target', 'bpf', '-mcpu=v3', '-I', multiarch, '-c', source, '-o', path])
    return readObject(readFileSync(path), 'wrap.o')
  } finally {
    rmSync(folder, { recursive: true })
  }
}

export class Harness {
  readonly #maps: ReadonlyMap<string, BpfMap>
  readonly #programs: ReadonlyMap<string, BpfProgram>
  readonly #traffic: RecordLayout<typeof shape>
  #packet: Buffer = Buffer.alloc(0)

  constructor() {
    const object = compiled()
    this.#maps = new Map(object.maps.map((definition) => [definition.name, createMap(definition)]))
    this.#programs = loadPrograms(object, this.#maps, new Map())
    this.#traffic = bindRecord(object.btf, 'bench_traffic', shape)
  }

  /** All runs from here on are of this packet, in so many flows; a power of two. */
  send(packet: Buffer, flows: number): void {
    this.#packet = packet
    const headers = Array.from({ length: 10 }, (_, i) => packet.readBigUInt64LE(i * 8))
    this.#traffic.write(this.#view(), 0, {
      packets: 0n,
      flow_mask: BigInt(flows - 1),
      is_shuffled: 0,
      size: packet.length,
      is_ipv6: packet.readUInt16BE(12) === 0x86dd ? 1 : 0,
      headers,
    })
  }

  /** The price of restoring alone. */
  bare(hook: Hook, repeat: number): TimedRun {
    this.#traffic.write(this.#view(), 0, { is_shuffled: 1 })
    return this.#run(`bare_${hook}`, repeat)
  }

  /** The program on packets of all flows in turn, the first one being number `from` of that order. */
  through(hook: Hook, program: BpfProgram, order: Order, from: number, repeat: number): TimedRun {
    const fd = Buffer.alloc(4)
    fd.writeUInt32LE(program.fd)
    this.#map(`target_${hook}`).update(Buffer.alloc(4), fd)
    this.#traffic.write(this.#view(), 0, { packets: BigInt(from), is_shuffled: order === 'shuffled' ? 1 : 0 })
    return this.#run(`wrap_${hook}`, repeat)
  }

  #run(name: string, repeat: number): TimedRun {
    const program = this.#programs.get(name)
    if (program === undefined) throw new Error(`no program ${name}`)
    for (;;) {
      try {
        const { result, durationNs } = program.testRun(this.#packet, { repeat })
        if (result === broken) throw new Error(`${name} could not restore the packet`)
        return { result, ns: durationNs }
      } catch (error) {
        // A signal of the runtime ends a long run early (bpf_test_timer_continue); nothing of it counts.
        if (!isErrno(error, 'EINTR')) throw error
      }
    }
  }

  #map(name: string): BpfMap {
    const map = this.#maps.get(name)
    if (map === undefined) throw new Error(`no map ${name}`)
    return map
  }

  #view(): DataView {
    return new DataView(this.#map('traffic').memory())
  }

  close(): void {
    for (const program of this.#programs.values()) program.close()
    for (const map of this.#maps.values()) map.close()
  }
}

/** On the last CPU while it works: per-CPU state must be one CPU's. Test runs take place where they are called. */
export function onOneCpu<T>(work: () => T): T {
  const pin = (cpus: string) => execFileSync('taskset', ['-cp', cpus, String(process.pid)], { stdio: 'ignore' })
  const last = availableParallelism() - 1
  pin(String(last))
  try {
    return work()
  } finally {
    pin(`0-${last}`)
  }
}
