// Runs inside the guest, in a network namespace of its own: programs and observes the same cluster by ipvsadm(8) and by
// the agent's own code, in turn. Prints one line of JSON.
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Agent } from '../../agent/agent.ts'
import { OwnObjects } from '../../agent/apply/own-objects.ts'
import { systemClock } from '../../agent/clock.ts'
import { BothDataplanes } from '../../agent/dataplane/dataplanes.ts'
import { connectionTable } from '../../agent/dataplane/ipvs/connection-table.ts'
import { HostState } from '../../agent/dataplane/ipvs/host-state.ts'
import { IpvsDataplane } from '../../agent/dataplane/ipvs/ipvs-dataplane.ts'
import { nftNatTable } from '../../agent/dataplane/ipvs/nat-table.ts'
import { kernelPlaces } from '../../agent/dataplane/ipvs/offer.ts'
import { openIpvs } from '../../agent/dataplane/ipvs/open.ts'
import { unavailableDataplane } from '../../agent/dataplane/unavailable.ts'
import { openDisk } from '../../agent/disk.ts'
import { hostControls } from '../../agent/host/host-controls.ts'
import { kernelNetwork } from '../../agent/kernel-network.ts'
import type { DataplaneStep } from '../../agent/dataplane/dataplane.ts'
import { nothingObserved } from '../../core/model/observed.ts'
import { serviceKey } from '../../core/model/service.ts'
import { desiredOf } from '../../core/reconcile/desired.ts'
import { plan } from '../../core/reconcile/plan.ts'
import { ipvsadmRules, largeCluster } from './cluster.ts'

const [runs = 5, services = 1000, realServers = 10] = process.argv.slice(2).map(Number)
const spec = largeCluster(services, realServers)
const rules = ipvsadmRules(spec)
const interfaces = Object.fromEntries(spec.services.map((service) => [serviceKey(service), 'lo']))
const desired = desiredOf(spec, interfaces)
/** As agent/apply/run-steps.ts cuts them. */
const batchSize = 2048

const ipvsadm = (words: readonly string[], input = ''): string =>
  execFileSync('ipvsadm', words, { input, encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 })

async function timed(work: () => unknown): Promise<number> {
  const startedAt = performance.now()
  await work()
  return performance.now() - startedAt
}

/** Lines of `ipvsadm -Ln` as a program would read them: services with their real servers. */
function parseListing(text: string): number {
  let found = 0
  for (const line of text.split('\n')) {
    const match = /^(?:(TCP|UDP|SCTP|FWM) +(\S+) (\w+)|  -> (\S+):(\d+) +(\w+) +(\d+) +(\d+) +(\d+))/.exec(line)
    if (match !== null) found++
  }
  return found
}

function anonymousRssMb(): number {
  const kib = /^RssAnon:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1]
  return Number(kib) / 1024
}

/** Both dataplanes as the daemon has them; eBPF is not measured here, and the host's files stay as they are. */
async function openDataplanes(stateDir: string) {
  const disk = await openDisk(stateDir)
  const clock = systemClock()
  const places = kernelPlaces()
  const nat = nftNatTable()
  const connections = connectionTable(() => clock.nowMs())
  const own = await OwnObjects.open(disk, clock.bootId)
  const open = () => {
    const opening = openIpvs()
    if (opening.availability !== 'ready') throw new Error(opening.reason)
    return opening.client
  }
  const monotonicMs = () => clock.monotonicMs()
  const { bootId } = clock
  const ipvs = new IpvsDataplane({ open, places, own, connections, monotonicMs, bootId })
  const host = { ...hostControls(), persist: () => Promise.resolve() }
  const hostState = new HostState({ ipvs, own, host, nat, places, log: () => {} })
  const ebpf = unavailableDataplane('not measured here')
  return { disk, clock, dataplane: new BothDataplanes({ ebpf, ipvs, hostState, nat, connections, places }) }
}

/** The agent as the daemon has it, but for its sockets. */
async function startAgent(stateDir: string): Promise<Agent> {
  return Agent.start({
    version: 'bench',
    hostname: 'bench',
    ...(await openDataplanes(stateDir)),
    network: kernelNetwork(),
    probe: () => Promise.resolve({ isUp: true, latencyMs: 1 }),
    ringOf: () => [],
    log: (message) => process.stderr.write(`${message}\n`),
    random: () => 0.5,
  })
}

const results = {
  programPeerMs: [] as number[],
  programOursMs: [] as number[],
  applyOursMs: [] as number[],
  observePeerMs: [] as number[],
  observeOursMs: [] as number[],
}
const author = { user: 'bench', via: 'cli' as const, from: 'bench' }
const whole = { spec, baseRevision: 0, confirmWithinSec: null, author, message: '', adopt: [], drainSec: 0 }
let rssMb = 0

/** The same steps in the same batches as an apply takes, without its journal and its document. */
async function programSteps(dataplane: BothDataplanes): Promise<void> {
  for (let at = 0; at < steps.length; at += batchSize) {
    const { failure } = await dataplane.execute(steps.slice(at, at + batchSize))
    if (failure !== null) throw failure.error
  }
}

// Planning is measured by itself; settings of the host are no part of what ipvsadm does.
const steps = plan(desired, nothingObserved).flatMap(({ step }): DataplaneStep[] =>
  step.kind === 'service.add' || step.kind === 'realServer.add' ? [step] : [],
)

for (let run = 0; run < runs; run++) {
  const folder = mkdtempSync(join(tmpdir(), 'signalbox-bench-'))
  results.programPeerMs.push(await timed(() => ipvsadm(['-R'], rules)))
  let lines = 0
  results.observePeerMs.push(
    await timed(() => {
      lines = parseListing(ipvsadm(['-Ln']))
    }),
  )
  if (lines < services * (realServers + 1)) throw new Error(`ipvsadm lists ${lines} lines only`)
  ipvsadm(['-C'])

  const { dataplane } = await openDataplanes(join(folder, 'steps'))
  results.programOursMs.push(await timed(() => programSteps(dataplane)))
  dataplane.close()
  ipvsadm(['-C'])
  const agent = await startAgent(join(folder, 'agent'))
  results.applyOursMs.push(
    await timed(async () => {
      const { failure, drift } = await agent.reconciler.apply({ ...whole, protectedAddresses: [] })
      if (failure !== null || drift.length > 0) throw new Error(failure?.message ?? `${drift.length} steps left`)
    }),
  )
  results.observeOursMs.push(
    await timed(() => {
      const { services: seen } = agent.options.dataplane.observe([desired])
      if (seen.length < services || seen.some((one) => one.realServers.length < realServers))
        throw new Error('not all is seen')
    }),
  )
  rssMb = Math.max(rssMb, anonymousRssMb())
  agent.stop()
  agent.options.dataplane.close()
  rmSync(folder, { recursive: true, force: true })
  ipvsadm(['-C'])
}
process.stdout.write(`${JSON.stringify({ ...results, rssMb })}\n`)
process.exit(0)
