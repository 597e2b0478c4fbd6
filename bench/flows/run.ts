// `npm run bench -- flows [--json] [--runs N]`: what a look at a flow cache of a million flows costs the agent, and for how
// long it holds up its event loop at most. Maps of its own, pinned and attached nowhere.
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { parseArgs } from 'node:util'
import { flowPage } from '../../agent/dataplane/ebpf/flow-page.ts'
import { FlowTable } from '../../agent/dataplane/ebpf/flow-table.ts'
import { bindLayout, flowState } from '../../agent/dataplane/ebpf/layout.ts'
import { createMaps } from '../../agent/dataplane/ebpf/map-set.ts'
import { Tables } from '../../agent/dataplane/ebpf/tables.ts'
import { readObject } from '../../agent/kernel/object.ts'
import { ConnectionQuery } from '../../core/model/connection.ts'
import { RealServerConfig, ServiceConfig } from '../../core/model/plan.ts'
import { rounded, spreadOf } from '../statistics.ts'

const flowCount = 1_000_000
const buckets = 262_144
const vip = '192.0.2.10'
const service = `tcp/${vip}:80`

const { values } = parseArgs({
  options: { json: { type: 'boolean', default: false }, runs: { type: 'string', default: '5' } },
})
const runs = Number(values.runs)
if (!Number.isInteger(runs) || runs < 1) {
  process.stderr.write(`--runs: found ${JSON.stringify(values.runs)}, expected a whole number from 1.\n`)
  process.exit(2)
}

const objectFile = resolve(import.meta.dirname, '../../dist/agent/bpf/lb.bpf.o')
const object = readObject(readFileSync(objectFile), 'lb.bpf.o')
const layout = bindLayout(object)
const set = createMaps(null, object, layout, { services: 4, realServers: 64, buckets })
const clock = set.load().get('lb_clock')
if (clock === undefined) throw new TypeError('the object has no program lb_clock')
const tables = new Tables(set, layout)
const flows = new FlowTable(set, layout, clock)
tables.putService(
  service,
  ServiceConfig.parse({
    vip,
    port: 80,
    protocol: 'tcp',
    dataplane: 'ebpf',
    forwarding: 'dr',
    scheduler: 'mh',
    announce: 'none',
    interface: 'lo',
    check: { type: 'none' },
  }),
)
const reals = [1, 2, 3].map((n) =>
  tables.putReal(
    service,
    RealServerConfig.parse({ address: `192.0.2.${20 + n}`, port: 80, weight: 1, state: 'enabled' }),
  ),
)

/** A million established flows, written as the programs write them. */
function fill(): void {
  const { view } = set.rows('lb_buckets')
  const { bucket, flow, real } = layout
  const now = (clock?.testRun(Buffer.alloc(64)).result ?? 0) >>> 0
  const rows = set.rows('lb_reals')
  const templates = reals.map((index) =>
    flow.encode({
      saddr: '0.0.0.0',
      daddr: vip,
      dport: 80,
      proto: 6,
      family: 4,
      real: index,
      generation: real.read(rows.view, rows.at(index)).generation,
      last_seen: now,
      packets: 5,
      bytes: 700,
    }),
  )
  const bytes = new Uint8Array(view.buffer)
  for (let i = 0; i < flowCount; i++) {
    const start = Math.floor(i / bucket.ways) * bucket.size
    const way = i % bucket.ways
    const at = start + bucket.flowsAt + way * bucket.flowSize
    bytes.set(templates[i % templates.length] ?? [], at)
    view.setUint32(at + flow.offsetOf('saddr'), Math.imul(i, 2_654_435_761) >>> 0)
    view.setUint16(at + flow.offsetOf('sport'), i & 0xffff)
    const word = (BigInt(i) << 32n) | 0x100n | BigInt(flowState.established)
    view.setBigUint64(start + bucket.wordsAt + way * 8, word, true)
  }
}

const page = (query: Partial<ConnectionQuery>) => () =>
  flowPage(flows, tables.services(), ConnectionQuery.parse({ limit: 200, ...query }))
const ways: Readonly<Record<string, () => Promise<unknown>>> = {
  sweep: () => flows.sweep(),
  firstPage: page({}),
  byBytes: page({ sortBy: 'bytes', descending: true }),
  byClientPrefix: page({ client: '10.' }),
  page101: page({ offset: 20_000 }),
  oneFlow: () => flows.lookup({ clientPort: 77, vip, port: 80 }),
}

fill()
const figures: Record<string, { ms: number; blockedMs: number }> = {}
for (const [name, look] of Object.entries(ways)) {
  const took: number[] = []
  const blocked: number[] = []
  for (let run = 0; run < runs; run++) {
    const delay = monitorEventLoopDelay({ resolution: 1 })
    delay.enable()
    const startedAt = performance.now()
    await look()
    took.push(performance.now() - startedAt)
    delay.disable()
    blocked.push(delay.max / 1e6)
  }
  const spread = spreadOf(took)
  const blockedMs = rounded(Math.max(...blocked))
  figures[name] = { ms: rounded(spread.median), blockedMs }
  const text = `${rounded(spread.median)} ms [${rounded(spread.min)} to ${rounded(spread.max)}]`
  process.stderr.write(`${name.padEnd(16)} ${text}, event loop held at most ${blockedMs} ms\n`)
}
flows.close()
set.close()
if (values.json) process.stdout.write(`${JSON.stringify({ flows: flowCount, runs, ...figures })}\n`)
