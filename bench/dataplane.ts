// What a packet costs in the dataplane, by test runs, and how long loading takes. Prints nanoseconds: median of rounds
// with the smallest and the largest, the bare wrapper taken off. `node bench/dataplane.ts` as root, after a build.
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { createMap } from '../agent/kernel/bpf.ts'
import type { BpfProgram } from '../agent/kernel/bpf-program.ts'
import { loadPrograms, readObject } from '../agent/kernel/object.ts'
import { synFrame } from '../test/fixtures/packet-scenarios.ts'
import { type FrameChange, encodeFrame, frameOf } from '../test/fixtures/packets.ts'
import { type Hook, UnderTest } from '../test/packet/under-test.ts'

const rounds = 9
const packets = 400_000

const folder = mkdtempSync(join(tmpdir(), 'bench-'))
const objectPath = join(folder, 'wrap.o')
const source = resolve(import.meta.dirname, 'dataplane/wrap.bpf.c')
const multiarch = `/usr/include/${process.arch === 'arm64' ? 'aarch64' : 'x86_64'}-linux-gnu`
execFileSync('clang', ['-O2', '-g', '-target', 'bpf', '-mcpu=v3', '-I', multiarch, '-c', source, '-o', objectPath])
const object = readObject(readFileSync(objectPath), 'wrap.o')
rmSync(folder, { recursive: true })

const maps = new Map(object.maps.map((definition) => [definition.name, createMap(definition)]))
const wrappers = loadPrograms(object, maps, new Map())
const state = new BigUint64Array(maps.get('state')!.memory())

const loadStart = performance.now()
const dataplane = new UnderTest(3, { services: 16, realServers: 1024, buckets: 262144 })
const loadMs = performance.now() - loadStart

function pointAt(hook: Hook): void {
  const fd = Buffer.alloc(4)
  fd.writeUInt32LE(dataplane.program(`lb_${hook}`).fd)
  maps.get(`target_${hook}`)!.update(Buffer.alloc(4), fd)
}

const median = (values: number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1]!

function measure(
  hook: Hook,
  change: FrameChange,
  flowMask: bigint,
): { bare: number[]; whole: number[]; result: number } {
  pointAt(hook)
  const packet = encodeFrame(frameOf(synFrame, change))
  const run = (program: BpfProgram) => program.testRun(packet, { repeat: packets })
  const [whole, bare]: number[][] = [[], []]
  state[1] = flowMask
  // Once without measuring: flows get their entries.
  run(wrappers.get(`wrap_${hook}`)!)
  let result = 0
  for (let i = 0; i < rounds; i++) {
    bare!.push(run(wrappers.get(`bare_${hook}`)!).durationNs)
    const one = run(wrappers.get(`wrap_${hook}`)!)
    result = one.result
    whole!.push(one.durationNs)
  }
  return { bare: bare!, whole: whole!, result }
}

const ack: FrameChange = { tcp: { flags: ['ACK'] } }
const cases: readonly (readonly [name: string, change: FrameChange, flowMask: bigint])[] = [
  ['hit, 1 flow', ack, 0n],
  ['hit, 64k flows', ack, 0xffffn],
  ['hit, 256k flows', ack, 0x3ffffn],
  ['new flow', {}, 0xffffffn],
  ['not for a service', { ip: { destination: '192.0.2.2' } }, 0n],
]

console.log(`load: ${loadMs.toFixed(0)} ms (object, maps of 1,048,576 flows, three programs, three real servers)`)
for (const hook of ['tcx', 'xdp'] as const) {
  for (const [name, change, flowMask] of cases) {
    const before = dataplane.counters()
    const { bare, whole, result } = measure(hook, change, flowMask)
    const after = dataplane.counters()
    const counted = Object.entries(after).filter(([key, count]) => count - (before[key] ?? 0) > packets)
    const net = whole.map((value) => value - median(bare))
    const range = `[${Math.min(...net)}-${Math.max(...net)}]`
    const names = counted.map(([key]) => key).join(' ')
    console.log(
      `${hook}  ${name.padEnd(18)} ${String(median(net)).padStart(5)} ns ${range}  result ${result}  ${names}`,
    )
  }
}
dataplane.close()
