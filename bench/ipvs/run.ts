// `npm run bench -- ipvs [--json] [--runs N]`: programs and observes 1,000 services with 10,000 real servers, by the
// agent and by ipvsadm(8) in turn, inside one guest; plans the same on this machine.
// Writes report.md.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { build } from 'esbuild'
import { nothingObserved } from '../../core/model/observed.ts'
import { serviceKey } from '../../core/model/service.ts'
import { desiredOf } from '../../core/reconcile/desired.ts'
import { plan } from '../../core/reconcile/plan.ts'
import { startGuest } from '../../test/lab/guest/guest.ts'
import { largeCluster } from './cluster.ts'
import { daemonRssMb } from './daemon.ts'
import { type Measured, reportText, resultOf } from './report.ts'

const root = resolve(import.meta.dirname, '../..')
const isJson = process.argv.includes('--json')
const runsAt = process.argv.indexOf('--runs')
const runs = runsAt === -1 ? 5 : Number(process.argv[runsAt + 1])
const [services, realServers] = [1000, 10]

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

async function measureInside(): Promise<Omit<Measured, 'planMs'>> {
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
    const measured = JSON.parse(await guest.run(script, { timeoutMs: 30 * 60_000 })) as Omit<
      Measured,
      'planMs' | 'rssMb' | 'guest'
    >
    const kernel = (await guest.run('uname -srm; nproc')).trim().replace('\n', ', ')
    return { ...measured, rssMb: await daemonRssMb(guest, largeCluster(services, realServers)), guest: kernel }
  } finally {
    await guest.stop()
    rmSync(folder, { recursive: true, force: true })
  }
}

const startedAt = new Date()
const planMs = planTimes()
const measured: Measured = { ...(await measureInside()), planMs }
const report = reportText(measured, runs, startedAt)
writeFileSync(join(root, 'bench/ipvs/report.md'), report)
process.stderr.write(report)
if (isJson) process.stdout.write(`${JSON.stringify(resultOf(measured, runs))}\n`)
