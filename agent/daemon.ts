import { hostname } from 'node:os'
import { Agent } from './agent.ts'
import { type Clock, systemClock } from './clock.ts'
import { AppError } from '../core/contract/errors.ts'
import type { EbpfDataplaneLike } from './dataplane/dataplane.ts'
import { BothDataplanes } from './dataplane/dataplanes.ts'
import { EbpfDataplane } from './dataplane/ebpf/ebpf-dataplane.ts'
import { ringOf } from './dataplane/ebpf/maglev.ts'
import { connectionTable } from './dataplane/ipvs/connection-table.ts'
import { HostState } from './dataplane/ipvs/host-state.ts'
import { IpvsDataplane } from './dataplane/ipvs/ipvs-dataplane.ts'
import type { IpvsClient } from './dataplane/ipvs/client.ts'
import { openIpvs } from './dataplane/ipvs/open.ts'
import { nftNatTable } from './dataplane/ipvs/nat-table.ts'
import { kernelPlaces } from './dataplane/ipvs/offer.ts'
import { hostControls } from './host/host-controls.ts'
import { OwnObjects } from './apply/own-objects.ts'
import { unavailableDataplane } from './dataplane/unavailable.ts'
import { type Disk, openDisk } from './disk.ts'
import { agentHandlers } from './handlers.ts'
import { probeTcp } from './health/tcp-probe.ts'
import { kernelNetwork } from './kernel-network.ts'
import { agentVersion } from './places.ts'
import { startServer } from './server.ts'
import { claim } from './single-instance.ts'

export interface DaemonOptions {
  readonly stateDir: string
  readonly socketDir: string
  readonly log: (message: string) => void
}

/** The agent on this machine's kernel. */
export interface LocalAgent {
  readonly agent: Agent
  /** Lets go of everything but the kernel's state. */
  readonly stop: () => void
}

/** Throws AppError REFUSED where another agent works with the same state. */
export async function openLocalAgent({ stateDir, log }: Pick<DaemonOptions, 'stateDir' | 'log'>): Promise<LocalAgent> {
  const release = claim(stateDir)
  const network = kernelNetwork()
  const disk = await openDisk(stateDir)
  const clock = systemClock()
  const dataplane = await openDataplanes(disk, clock, log)
  const letGo = () => {
    dataplane.close()
    network.close()
    release()
  }
  try {
    const agent = await Agent.start({
      version: agentVersion(),
      hostname: hostname(),
      disk,
      clock,
      dataplane,
      network,
      probe: probeTcp,
      ringOf,
      log,
      random: Math.random,
    })
    return {
      agent,
      stop: () => {
        agent.stop()
        letGo()
      },
    }
  } catch (error) {
    letGo()
    throw error
  }
}

/** Runs until SIGTERM or SIGINT. The kernel goes on as it is: traffic does not notice. */
export async function runDaemon(options: DaemonOptions): Promise<void> {
  const { socketDir, log } = options
  const { agent, stop } = await openLocalAgent(options)
  try {
    const server = await startServer({ socketDir, log, handlers: (access) => agentHandlers(agent, access) })
    log(`signalbox ${agent.options.version} listens in ${socketDir}`)
    await signalled(['SIGTERM', 'SIGINT'])
    await server.close()
  } finally {
    stop()
  }
}

async function openDataplanes(disk: Disk, clock: Clock, log: (message: string) => void): Promise<BothDataplanes> {
  const own = await OwnObjects.open(disk, clock.bootId)
  const places = kernelPlaces()
  const nat = nftNatTable()
  const connections = connectionTable(() => clock.nowMs())
  const { bootId } = clock
  const monotonicMs = () => clock.monotonicMs()
  const ipvs = new IpvsDataplane({ open: ipvsClient, places, own, connections, monotonicMs, bootId })
  const hostState = new HostState({ ipvs, own, host: hostControls(), nat, places, log })
  return new BothDataplanes({ ebpf: openEbpf(log), ipvs, hostState, nat, connections, places })
}

/** IPVS through netlink. Asking for the family would load the module, so nobody asks before it is loaded. */
function ipvsClient(): IpvsClient {
  const opening = openIpvs()
  if (opening.availability === 'ready') return opening.client
  const { reason, hint } = opening
  throw new AppError('REFUSED', reason, { hint })
}

/** The eBPF dataplane with whatever an earlier agent pinned; where it cannot be had, one that says why. */
function openEbpf(log: (message: string) => void): EbpfDataplaneLike {
  try {
    return new EbpfDataplane()
  } catch (error) {
    if (!(error instanceof AppError)) throw error
    log(`The dataplane cannot be used: ${error.message}`)
    return unavailableDataplane(error.message)
  }
}

function signalled(names: readonly NodeJS.Signals[]): Promise<void> {
  return new Promise((resolve) => {
    for (const name of names) process.once(name, () => resolve())
  })
}
