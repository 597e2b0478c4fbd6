import { cpus } from 'node:os'
import { resolve } from 'node:path'
import { Worker } from 'node:worker_threads'
import { afterEach, describe, expect, test } from 'vitest'
import { serviceKey } from '../../core/model/service.ts'
import { realServerConfig, serviceConfig } from '../fixtures/configs.ts'
import { flowState } from '../../agent/dataplane/ebpf/layout.ts'
import { synFrame } from '../fixtures/packet-scenarios.ts'
import { type FrameChange, describeFrame, encodeFrame, frameOf } from '../fixtures/packets.ts'
import type { WorkerTask } from './two-cpus-worker.ts'
import { UnderTest, keyOf, macOf, service, vip } from './under-test.ts'

let open: UnderTest | undefined
afterEach(() => {
  open?.close()
  open = undefined
})
const start = (...args: ConstructorParameters<typeof UnderTest>): UnderTest => (open = new UnderTest(...args))

const clientPort = (sourcePort: number, change: FrameChange = {}) =>
  encodeFrame(frameOf(synFrame, { ...change, tcp: { ...change.tcp, sourcePort } }))
const syn = (port: number) => clientPort(port)
const ack = (port: number) => clientPort(port, { tcp: { flags: ['ACK'] } })
const fin = (port: number) => clientPort(port, { tcp: { flags: ['FIN', 'ACK'] } })

/** Client ports in the cache, by what the agent reads. */
async function remembered(dataplane: UnderTest, ports: readonly number[]): Promise<number[]> {
  const found = await Promise.all(ports.map((one) => dataplane.flows.lookup({ clientPort: one, vip, port: 80 })))
  return ports.filter((_, i) => found[i] !== null)
}

describe('one bucket of four', () => {
  test('half-open flows give way to each other, the oldest first', async () => {
    const dataplane = start(2, { buckets: 1 })
    for (const port of [1, 2, 3, 4]) {
      dataplane.run('tcx', syn(port))
      dataplane.age(1)
    }
    expect(dataplane.run('tcx', syn(5)).counted).toMatchObject({ LB_FLOW_NEW: 1, LB_FLOW_EVICTED: 1 })
    expect(await remembered(dataplane, [1, 2, 3, 4, 5])).toEqual([2, 3, 4, 5])
  })

  test('half-open flows never evict established ones: served by the ring, not remembered', async () => {
    const dataplane = start(2, { buckets: 1 })
    const ports = [1, 2, 3, 4]
    for (const port of ports) for (const packet of [syn(port), ack(port)]) dataplane.run('tcx', packet)
    for (let port = 100; port < 120; port++) {
      const outcome = dataplane.run('tcx', syn(port))
      expect(outcome.verdict).toBe('redirect')
      expect(outcome.counted).toEqual({ LB_FWD: 1, LB_FLOW_FULL: 1 })
    }
    expect(await remembered(dataplane, ports)).toEqual(ports)
  })

  test('a flow that is closing makes room, an established one of the same bucket stays', async () => {
    const dataplane = start(2, { buckets: 1 })
    for (const port of [1, 2, 3, 4]) for (const packet of [syn(port), ack(port)]) dataplane.run('tcx', packet)
    dataplane.run('tcx', fin(3))
    expect(dataplane.run('tcx', syn(9)).counted).toMatchObject({ LB_FLOW_NEW: 1, LB_FLOW_EVICTED: 1 })
    expect(await remembered(dataplane, [1, 2, 3, 4, 9])).toEqual([1, 2, 4, 9])
  })

  test('an expired flow makes room without counting as evicted', () => {
    const dataplane = start(2, { buckets: 1 })
    for (const port of [1, 2, 3, 4]) for (const packet of [syn(port), ack(port)]) dataplane.run('tcx', packet)
    dataplane.age(1000)
    expect(dataplane.run('tcx', syn(5)).counted).toEqual({ LB_FWD: 1, LB_FLOW_NEW: 1 })
  })
})

test('one client socket on two services: two flows, each on its own server', async () => {
  const dataplane = start(3, { buckets: 1 })
  const second = serviceKey({ protocol: 'tcp', vip, port: 81 })
  dataplane.tables.putService(second, serviceConfig({ vip, port: 81 }))
  const other = dataplane.tables.putReal(second, realServerConfig({ address: '192.0.2.99', port: 81 }))
  dataplane.write(other, { ifindex: 1, mac: macOf(99), source_mac: macOf(100), is_reachable: 1 })
  const to81 = (flags: readonly ['SYN'] | readonly ['ACK']) =>
    encodeFrame(frameOf(synFrame, { tcp: { flags, destinationPort: 81 } }))
  const macAfter = (packet: Buffer) => describeFrame(dataplane.run('tcx', packet).packet)['ethernet.destination']
  const sourcePort = synFrame.tcp.sourcePort
  const first = macAfter(syn(sourcePort))
  expect(macAfter(to81(['SYN']))).toBe(macOf(99))
  // Both are remembered: no packet is a new flow any more.
  for (const packet of [ack(sourcePort), to81(['ACK'])]) {
    expect(dataplane.run('tcx', packet).counted).toEqual({ LB_FWD: 1 })
  }
  expect(macAfter(ack(sourcePort))).toBe(first)
  expect(await dataplane.flows.lookup({ clientPort: sourcePort, vip, port: 81 })).toMatchObject({ packets: 2 })
})

describe('the agent’s side', () => {
  test('a flow is read as its packets made it', async () => {
    const dataplane = start(2)
    const packets = [syn(7), ack(7), clientPort(7, { tcp: { flags: ['ACK'] }, payload: 'x'.repeat(100) })]
    const out = packets.map((packet) => dataplane.run('tcx', packet))
    const mac = describeFrame(out[0]!.packet)['ethernet.destination']
    const real = [1, 2].find((n) => macOf(n) === mac)!
    const query = { clientPort: 7, vip, port: 80 }
    expect(await dataplane.flows.lookup(query)).toEqual({
      clientAddress: '198.51.100.7',
      clientPort: 7,
      vip,
      port: 80,
      realServer: { address: keyOf(real).replace(':80', ''), port: 80 },
      state: 'established',
      packets: 3,
      bytes: packets.reduce((sum, packet) => sum + packet.length, 0),
      idleMs: expect.any(Number) as number,
    })
    expect(await dataplane.flows.lookup({ ...query, clientAddress: '198.51.100.7' })).not.toBeNull()
    expect(await dataplane.flows.lookup({ ...query, clientAddress: '198.51.100.8' })).toBeNull()
    expect(await dataplane.flows.countOf(dataplane.indexOf(real))).toBe(1)
    dataplane.run('tcx', fin(7))
    expect(await dataplane.flows.lookup(query)).toMatchObject({ state: 'closing' })
    expect(await dataplane.flows.countOf(dataplane.indexOf(real))).toBe(0)
  })

  test('a sweep frees what has expired and counts the rest', async () => {
    const dataplane = start(1)
    for (const port of [1, 2, 3]) for (const packet of [syn(port), ack(port)]) dataplane.run('tcx', packet)
    for (const port of [4, 5]) dataplane.run('tcx', syn(port))
    expect(await dataplane.flows.sweep()).toMatchObject({ freed: 0, used: 5 })
    expect(dataplane.flows.activeOf(dataplane.indexOf(1))).toBe(5)
    dataplane.age(100)
    expect(await dataplane.flows.sweep()).toMatchObject({ freed: 2, used: 3 })
    expect(dataplane.flows.activeOf(dataplane.indexOf(1))).toBe(3)
  })

  test('the index of a removed server comes back when two sweeps found it nowhere, under another generation', async () => {
    const dataplane = start(2)
    const rows = dataplane.set.rows('lb_reals')
    const index = dataplane.indexOf(2)
    const generation = dataplane.layout.real.read(rows.view, rows.at(index)).generation
    dataplane.tables.removeReal(service, keyOf(2))
    const sweep = async () => dataplane.tables.release((await dataplane.flows.sweep())?.held ?? new Set())
    dataplane.add(3)
    expect(dataplane.indexOf(3)).not.toBe(index)
    expect([await sweep(), await sweep(), await sweep()]).toEqual([0, 1, 0])
    dataplane.add(4)
    expect(dataplane.indexOf(4)).toBe(index)
    expect(dataplane.layout.real.read(rows.view, rows.at(index)).generation).not.toBe(generation)
  })

  test('more services or real servers than there is room for are refused, and nothing changes', () => {
    const dataplane = start(2, { services: 1, realServers: 3 })
    const before = dataplane.tables.observed()
    expect(() => dataplane.add(3)).toThrow('The dataplane has room for 2 real servers')
    const config = { ...before[0]!, port: 81 }
    expect(() => dataplane.tables.putService(`tcp/${vip}:81`, config)).toThrow('The dataplane has room for 1 services')
    expect(dataplane.tables.observed()).toEqual(before)
  })
})

describe('two CPUs on one bucket', () => {
  const enough = cpus().length > 1
  test.skipIf(!enough)('no packet ever goes to the server of another flow', { timeout: 60_000 }, async () => {
    const dataplane = start(8, { buckets: 1 })
    // The ring does not change, so each flow has one right server, remembered or not.
    const flows = Array.from({ length: 12 }, (_, i) => {
      const packets = [syn(1000 + i), ack(1000 + i), fin(1000 + i)]
      const mac = dataplane.run('tcx', packets[0]!).packet.toString('hex', 0, 6)
      return { packets, mac }
    })
    expect(new Set(flows.map((flow) => flow.mac)).size).toBeGreaterThan(2)
    const task: WorkerTask = { programFd: dataplane.program('lb_tcx').fd, flows, rounds: 800 }
    const deadline = Date.now() + 40_000
    let sent = 0
    let wrong = 0
    do {
      const results = await Promise.all([runWorker(task), runWorker(task)])
      for (const result of results) {
        sent += result.sent
        wrong += result.wrong
      }
    } while (dataplane.counters()['LB_FLOW_RACE'] === 0 && Date.now() < deadline)
    expect(wrong).toBe(0)
    expect(dataplane.counters()['LB_FLOW_RACE'], `races among ${sent} packets`).toBeGreaterThan(0)
    expect(entriesOf(dataplane)).toEqual({ withWrongServer: 0, twice: 0, beingWritten: 0 })
  })

  function runWorker(task: WorkerTask): Promise<{ sent: number; wrong: number }> {
    return new Promise((done, fail) => {
      const worker = new Worker(resolve(import.meta.dirname, 'two-cpus-worker.ts'), { workerData: task })
      worker.once('message', done)
      worker.once('error', fail)
    })
  }

  /** Looks at every entry that is left. */
  function entriesOf(dataplane: UnderTest): Record<string, number> {
    const { view } = dataplane.set.rows('lb_buckets')
    const states = [0, 1, 2, 3].map((way) => view.getUint8(dataplane.layout.bucket.wordsAt + way * 8))
    const beingWritten = states.filter((state) => state === flowState.writing).length
    const ports: number[] = []
    let withWrongServer = 0
    for (const { base } of dataplane.slots()) {
      const flow = dataplane.layout.flow.read(view, base)
      ports.push(flow.sport)
      const right = dataplane.run('tcx', fin(flow.sport)).packet.readUInt8(5)
      if (dataplane.indexOf(right) !== flow.real) withWrongServer++
    }
    return { withWrongServer, beingWritten, twice: ports.length - new Set(ports).size }
  }
})

test('a flood of new flows is capped: served, not remembered', () => {
  const dataplane = start(1)
  const rows = dataplane.set.rows('lb_cpus')
  expect(dataplane.run('tcx', syn(1)).counted).toMatchObject({ LB_FLOW_NEW: 1 })
  for (let cpu = 0; cpu < dataplane.set.cpus; cpu++)
    dataplane.layout.cpu.write(rows.view, rows.at(cpu), { inserts: 0x7fffffff })
  const outcomes = [2, 3, 4, 5, 6].map((port) => dataplane.run('tcx', syn(port)))
  expect(outcomes.every((outcome) => outcome.verdict === 'redirect')).toBe(true)
  // The window may have ended in between; then the count began anew.
  expect(outcomes.filter((outcome) => outcome.counted['LB_FLOW_CAPPED'] === 1).length).toBeGreaterThan(0)
})

test('while new flows are stopped, known ones go on and new ones are dropped under a name', () => {
  const dataplane = start(2)
  for (const packet of [syn(1), ack(1)]) dataplane.run('tcx', packet)
  const rows = dataplane.set.rows('lb_switches')
  dataplane.layout.switches.write(rows.view, 0, { new_flows_stopped: 1 })
  for (const hook of ['tcx', 'xdp'] as const) {
    expect(dataplane.run(hook, ack(1)).verdict).toBe('redirect')
    expect(dataplane.run(hook, syn(2))).toMatchObject({ verdict: 'drop', counted: { LB_DROP_STOPPED: 1 } })
    expect(dataplane.run(hook, ack(3))).toMatchObject({ verdict: 'drop', counted: { LB_DROP_STOPPED: 1 } })
  }
  dataplane.layout.switches.write(rows.view, 0, { new_flows_stopped: 0 })
  expect(dataplane.run('tcx', syn(2)).verdict).toBe('redirect')
})
