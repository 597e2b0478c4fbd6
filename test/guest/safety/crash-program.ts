// Cuts the agent off while it applies 200 steps to the IPVS that this runs on, at the numbers given as arguments, counted
// in changes of disk and kernel, and looks at what the next agent makes of it. One process instead of one for each cut:
// under emulation Node takes seconds to start. Prints one line of JSON for each cut.
import { spawnSync } from 'node:child_process'
import { mkdtempSync } from 'node:fs'
import { join } from 'node:path'
import { Agent } from '../../../agent/agent.ts'
import { OwnObjects } from '../../../agent/apply/own-objects.ts'
import { type Clock, systemClock } from '../../../agent/clock.ts'
import { BothDataplanes } from '../../../agent/dataplane/dataplanes.ts'
import { connectionTable } from '../../../agent/dataplane/ipvs/connection-table.ts'
import { HostState } from '../../../agent/dataplane/ipvs/host-state.ts'
import { IpvsDataplane } from '../../../agent/dataplane/ipvs/ipvs-dataplane.ts'
import type { IpvsKernel } from '../../../agent/dataplane/ipvs/ipvs-kernel.ts'
import { nftNatTable } from '../../../agent/dataplane/ipvs/nat-table.ts'
import { kernelPlaces } from '../../../agent/dataplane/ipvs/offer.ts'
import { openIpvs } from '../../../agent/dataplane/ipvs/open.ts'
import { unavailableDataplane } from '../../../agent/dataplane/unavailable.ts'
import { type Disk, openDisk } from '../../../agent/disk.ts'
import { hostControls } from '../../../agent/host/host-controls.ts'
import { kernelNetwork } from '../../../agent/kernel-network.ts'
import type { ClusterSpec } from '../../../core/model/cluster-spec.ts'
import { crashDocuments } from '../../fixtures/crash-documents.ts'

export interface Cut {
  /** Where it was cut off; null: the apply came to its end before. */
  readonly at: number | null
  readonly end: 'old' | 'new' | 'neither'
  readonly drift: number
  /** What differs, where it is neither. */
  readonly found?: string
}

class Killed extends Error {}
const never = new Promise<never>(() => {})

/** One agent's life: changes until it is cut off; from then on nothing of what it does takes effect, whoever comes after. */
class Life {
  left = Infinity
  /** Writes that had begun: the file system ends them also where the one who asked is dead. */
  readonly begun = new Set<Promise<void>>()

  get isOver(): boolean {
    return this.left <= 0
  }

  async count(): Promise<void> {
    if (this.isOver) await never
    this.left--
  }

  /** A change that may be cut off before and after it took effect. */
  async change(act: () => Promise<void>): Promise<void> {
    await this.count()
    const acting = act()
    this.begun.add(acting)
    await acting.finally(() => this.begun.delete(acting))
    await this.count()
  }
}

const cutDisk = (disk: Disk, life: Life): Disk => ({
  ...disk,
  write: (name, text) => life.change(() => disk.write(name, text)),
  append: (name, text) => life.change(() => disk.append(name, text)),
  remove: (name) => life.change(() => disk.remove(name)),
})

const cutKernel = (kernel: IpvsKernel, life: Life): IpvsKernel => ({
  info: () => kernel.info(),
  table: () => kernel.table(),
  timeouts: () => kernel.timeouts(),
  setTimeouts: (timeouts) => kernel.setTimeouts(timeouts),
  daemons: () => kernel.daemons(),
  startDaemon: (daemon) => kernel.startDaemon(daemon),
  stopDaemon: (state) => kernel.stopDaemon(state),
  close: () => kernel.close(),
  change(operations) {
    const done = operations.slice(0, Math.max(0, Math.min(operations.length, life.left)))
    life.left -= operations.length
    const outcomes = done.length === 0 ? [] : kernel.change(done)
    if (done.length < operations.length) throw new Killed()
    return outcomes
  },
})

const stateDir = mkdtempSync('/root/crash-')

async function start(): Promise<{ agent: Agent; life: Life; bury: () => void }> {
  const life = new Life()
  const disk = cutDisk(await openDisk(stateDir), life)
  const timers = new Set<() => void>()
  const system = systemClock()
  const clock: Clock = {
    ...system,
    after(delayMs, callback) {
      const stop = system.after(delayMs, callback)
      timers.add(stop)
      return stop
    },
  }
  const own = await OwnObjects.open(disk, clock.bootId)
  const places = kernelPlaces()
  const nat = nftNatTable()
  const connections = connectionTable(() => clock.nowMs())
  const open = (): IpvsKernel => {
    const opening = openIpvs()
    if (opening.availability !== 'ready') throw new Error(opening.reason)
    return cutKernel(opening.client, life)
  }
  const ipvs = new IpvsDataplane({
    open,
    places,
    own,
    connections,
    monotonicMs: () => clock.monotonicMs(),
    bootId: clock.bootId,
  })
  const host = hostControls({
    sysctlFile: join(stateDir, 'sysctl.conf'),
    modulesFile: join(stateDir, 'modules.conf'),
  })
  const log = (): void => {}
  const hostState = new HostState({ ipvs, own, host, nat, places, log })
  const network = kernelNetwork()
  const dataplane = new BothDataplanes({
    ebpf: unavailableDataplane('not here'),
    ipvs,
    hostState,
    nat,
    connections,
    places,
  })
  const agent = await Agent.start({
    version: '0.0.0',
    hostname: 'director',
    disk,
    clock,
    dataplane,
    network: {
      ...network,
      addAddress: (place) => life.change(() => network.addAddress(place)),
      removeAddress: (place) => life.change(() => network.removeAddress(place)),
    },
    probe: async () => ({ isUp: true, latencyMs: 1 }),
    ringOf: () => [],
    log,
    random: () => 0.5,
  })
  const bury = (): void => {
    for (const stop of timers) stop()
    dataplane.close()
    network.close()
  }
  return { agent, life, bury }
}

const apply = (agent: Agent, spec: ClusterSpec) =>
  agent.reconciler.apply({
    spec,
    baseRevision: agent.store.current().revision,
    confirmWithinSec: null,
    author: { user: 'tester', via: 'cli', from: 'guest' },
    message: '',
    protectedAddresses: [],
    adopt: [],
    drainSec: 0,
  })

/** By the eyes of others. */
const look = (): string => {
  const ask = (command: string, ...words: string[]): string => spawnSync(command, words, { encoding: 'utf8' }).stdout
  const lines = [
    ask('ipvsadm', '-Sn'),
    ask('ip', '-brief', 'address', 'show', 'dev', 'e0'),
    ask('sysctl', 'net.ipv4.ip_forward', 'net.ipv4.vs.conntrack'),
    ask('nft', 'list', 'ruleset'),
    ask('sh', '-c', `cat ${stateDir}/*.conf`),
  ]
  return lines
    .flatMap((text) => text.split('\n'))
    .toSorted()
    .join('\n')
}

const { before, after } = crashDocuments({ front: '10.1.0', back: '10.2.0' })
let { agent, life, bury } = await start()
const looks = new Map<ClusterSpec, string>()
for (const spec of [after, before]) {
  const { failure, drift } = await apply(agent, spec)
  if (failure !== null || drift.length > 0) throw new Error(`${failure?.message}, drift ${drift.length}`)
  looks.set(spec, look())
}

let present = before
for (const at of process.argv.slice(2).map(Number)) {
  const wanted = present === before ? after : before
  const mortal = life
  mortal.left = at
  const isAtItsEnd = await Promise.race([
    apply(agent, wanted).then(
      () => true,
      () => false,
    ),
    new Promise<false>((resolve) => {
      const wait = (): void => {
        if (mortal.isOver) setTimeout(() => resolve(false), 20)
        else setTimeout(wait, 5)
      }
      wait()
    }),
  ])
  await Promise.allSettled(mortal.begun)
  bury()
  ;({ agent, life, bury } = await start())
  const seen = look()
  const { drift } = agent.state()
  const end = seen === looks.get(wanted) ? 'new' : seen === looks.get(present) ? 'old' : 'neither'
  const cut: Cut = {
    at: isAtItsEnd ? null : at,
    end,
    drift: drift.length,
    ...(end === 'neither' ? { found: seen } : {}),
  }
  process.stdout.write(`${JSON.stringify(cut)}\n`)
  if (end === 'neither') break
  if (end === 'new') present = wanted
}
bury()
process.exit(0)
