// `npm run bench -- ipvs [--json] [--runs N]`: programs and observes 1,000 services with 10,000 real servers, by the
// agent and by ipvsadm(8) in turn, inside one guest; plans the same on this machine.
import { mkdtempSync, rmSync } from 'node:fs'
import { loadavg, tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { build } from 'esbuild'
import { nothingObserved } from '../../core/model/observed.ts'
import { serviceKey } from '../../core/model/service.ts'
import { desiredOf } from '../../core/reconcile/desired.ts'
import { plan } from '../../core/reconcile/plan.ts'
import { startGuest } from '../../test/lab/guest/guest.ts'
import { largeCluster } from './cluster.ts'
import { daemonRssMb } from './daemon.ts'

interface Measured {
  readonly programPeerMs: number[]
  readonly programOursMs: number[]
  readonly applyOursMs: number[]
  readonly observePeerMs: number[]
  readonly observeFirstMs: number[]
  readonly observeOursMs: number[]
}

const root = resolve(import.meta.dirname, '../..')
const isJson = process.argv.includes('--json')
const runsAt = process.argv.indexOf('--runs')
const runs = runsAt === -1 ? 5 : Number(process.argv[runsAt + 1])
const [services, realServers] = [1000, 10]

const say = (line: string): void => void process.stderr.write(`${line}\n`)
const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN
const spread = (values: readonly number[]): string =>
  `${Math.round(Math.min(...values))} to ${Math.round(Math.max(...values))} ms`
/** Pair by pair: the machine's speed drifts, and what ran beside each other shares it. */
const ratioOf = (peer: readonly number[], ours: readonly number[]): number =>
  median(peer.map((value, i) => value / (ours[i] ?? Number.NaN)))
const rounded = (value: number): number => Math.round(value * 100) / 100

function planTimes(): number[] {
  const spec = largeCluster(services, realServers)
  const interfaces = Object.fromEntries(spec.services.map((service) => [serviceKey(service), 'lo']))
  const desired = desiredOf(spec, interfaces)
  return Array.from({ length: 9 }, () => {
    const startedAt = performance.now()
    plan(desired, nothingObserved)
    return performance.now() - startedAt
  })
}

async function measureInside(): Promise<Measured & { rssMb: number; machine: string }> {
  const folder = mkdtempSync(join(tmpdir(), 'signalbox-bench-'))
  const guest = await startGuest()
  try {
    await build({
      entryPoints: [join(root, 'bench/ipvs/inside.ts')],
      bundle: true,
      platform: 'node',
      format: 'esm',
      outfile: join(folder, 'inside.mjs'),
      external: ['koffi'],
      banner: { js: "import{createRequire}from'node:module';const require=createRequire(import.meta.url);" },
      define: { __dirname: 'import.meta.dirname', __filename: 'import.meta.filename' },
      logLevel: 'warning',
    })
    // The agent's own package brings koffi in the place where it finds its binary.
    await guest.copyIn(join(root, 'dist/agent-linux-x64-nonode.tar.gz'), '/opt/bench')
    await guest.run('cd /opt/bench && tar -xzf *.tar.gz')
    await guest.copyIn(join(folder, 'inside.mjs'), '/opt/bench')
    const words = [runs, services, realServers].join(' ')
    const script = `cd /opt/bench && exec node inside.mjs ${words}`
    const measured = JSON.parse(await guest.run(script, { timeoutMs: 30 * 60_000 })) as Measured
    const machine = (await guest.run('uname -srm; nproc')).trim().replace('\n', ', ')
    return { ...measured, rssMb: await daemonRssMb(guest, largeCluster(services, realServers)), machine }
  } finally {
    await guest.stop()
    rmSync(folder, { recursive: true, force: true })
  }
}

const planned = planTimes()
const measured = await measureInside()
const { programPeerMs, programOursMs, applyOursMs, observePeerMs, observeFirstMs, observeOursMs, rssMb } = measured
const result = {
  programRatio: rounded(ratioOf(programPeerMs, programOursMs)),
  applyRatio: rounded(ratioOf(programPeerMs, applyOursMs)),
  observeRatio: rounded(ratioOf(observePeerMs, observeOursMs)),
  planMs: rounded(median(planned)),
  agentRssMb: rounded(rssMb),
  runs,
}
say(`${services} services with ${services * realServers} real servers, ${runs} runs in turn, each in a fresh namespace`)
say(`of one guest under emulation (${measured.machine} processors); this machine: ${loadavg()[0]?.toFixed(1)} runnable`)
say(`ipvsadm -R          ${Math.round(median(programPeerMs))} ms (${spread(programPeerMs)})`)
say(
  `agent, the steps    ${Math.round(median(programOursMs))} ms (${spread(programOursMs)}), ${result.programRatio} times as fast`,
)
say(
  `agent, whole apply  ${Math.round(median(applyOursMs))} ms (${spread(applyOursMs)}): plan, journal, programming, look`,
)
say(`ipvsadm -Ln, parsed ${Math.round(median(observePeerMs))} ms (${spread(observePeerMs)})`)
say(`agent, first look   ${Math.round(median(observeFirstMs))} ms (${spread(observeFirstMs)})`)
say(
  `agent, a look       ${Math.round(median(observeOursMs))} ms (${spread(observeOursMs)}), ${result.observeRatio} times as fast`,
)
say(
  `plan on this machine ${result.planMs} ms (${spread(planned)}); anonymous RSS of the agent that runs with it ${result.agentRssMb} MB`,
)
if (isJson) process.stdout.write(`${JSON.stringify(result)}\n`)
