// Runs inside the guest: programs and observes the same cluster by ipvsadm(8) and by the agent's own code, in turn, each
// time in a fresh network namespace. Prints one line of JSON.
import { execFileSync } from 'node:child_process'
import { mkdtempSync, openSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import koffi from 'koffi'
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
const batchSize = 16_384
/** The agent is a program that runs for months: V8 has compiled it when an operator applies something. */
const warmUps = 3

/** CLONE_NEWNET of unshare(2) */
const newNetwork = 0x40000000
const unshare = koffi.load('libc.so.6').func('int unshare(int)') as (flags: number) => number
const left: number[] = []

/**
 * From here on this thread, and what it starts, is in a network namespace of its own: the kernel keeps deleted real servers
 * for two minutes and searches them for each new one. The one before stays, since taking it down would take processor time
 * from what is measured next.
 */
function enterFreshNetwork(): void {
  left.push(openSync('/proc/thread-self/ns/net', 'r'))
  if (unshare(newNetwork) !== 0) throw new Error('unshare(CLONE_NEWNET) was refused')
  execFileSync('ip', ['link', 'set', 'lo', 'up'])
}

const ipvsadm = (words: readonly string[], input = ''): string =>
  execFileSync('ipvsadm', words, { input, encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 })

function timed(work: () => unknown): number {
  const startedAt = performance.now()
  work()
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

const nothing = {
  programPeerMs: [] as number[],
  programOursMs: [] as number[],
  applyOursMs: [] as number[],
  observePeerMs: [] as number[],
  observeFirstMs: [] as number[],
  observeOursMs: [] as number[],
}
const author = { user: 'bench', via: 'cli' as const, from: 'bench' }
const whole = { spec, baseRevision: 0, confirmWithinSec: null, author, message: '', adopt: [], drainSec: 0 }

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

function measurePeer(into: typeof nothing): void {
  enterFreshNetwork()
  into.programPeerMs.push(timed(() => ipvsadm(['-R'], rules)))
  const lines: number[] = []
  into.observePeerMs.push(timed(() => lines.push(parseListing(ipvsadm(['-Ln'])))))
  if ((lines[0] ?? 0) < services * (realServers + 1)) throw new Error(`ipvsadm lists ${lines[0]} lines only`)
  ipvsadm(['-C'])
}

function look(dataplane: BothDataplanes): void {
  const { services: seen } = dataplane.observe([desired])
  const found = seen.filter((one) => one.realServers.length === realServers)
  if (found.length < services) throw new Error(`the agent sees ${found.length} services only`)
}

/** The looks of a daemon: the first one reads all, the others what has changed. */
async function measureSteps(into: typeof nothing, folder: string): Promise<void> {
  enterFreshNetwork()
  const { dataplane } = await openDataplanes(folder)
  // As a daemon has it before anything is applied: the kernel is open and was looked at.
  dataplane.observe([])
  const startedAt = performance.now()
  await programSteps(dataplane)
  into.programOursMs.push(performance.now() - startedAt)
  into.observeFirstMs.push(timed(() => look(dataplane)))
  // Beyond the age up to which the last reading counts as the present one.
  await delay(200)
  into.observeOursMs.push(timed(() => look(dataplane)))
  dataplane.close()
  ipvsadm(['-C'])
}

async function measureApply(into: typeof nothing, folder: string): Promise<void> {
  enterFreshNetwork()
  const agent = await startAgent(folder)
  const startedAt = performance.now()
  const { failure, drift } = await agent.reconciler.apply({ ...whole, protectedAddresses: [] })
  into.applyOursMs.push(performance.now() - startedAt)
  if (failure !== null || drift.length > 0) throw new Error(failure?.message ?? `${drift.length} steps left`)
  agent.stop()
  agent.options.dataplane.close()
  ipvsadm(['-C'])
}

const warm = structuredClone(nothing)
const results = structuredClone(nothing)
for (let run = -warmUps; run < runs; run++) {
  const into = run < 0 ? warm : results
  const folder = mkdtempSync(join(tmpdir(), 'signalbox-bench-'))
  measurePeer(into)
  await measureSteps(into, join(folder, 'steps'))
  if (run === -warmUps || run >= 0) await measureApply(into, join(folder, 'agent'))
  rmSync(folder, { recursive: true, force: true })
}
process.stdout.write(`${JSON.stringify(results)}\n`)
process.exit(0)
