import { hostname } from 'node:os'
import { Agent } from './agent.ts'
import { systemClock } from './clock.ts'
import { AppError } from '../core/contract/errors.ts'
import type { Dataplane } from './dataplane/dataplane.ts'
import { EbpfDataplane } from './dataplane/ebpf/ebpf-dataplane.ts'
import { ringOf } from './dataplane/ebpf/maglev.ts'
import { unavailableDataplane } from './dataplane/unavailable.ts'
import { openDisk } from './disk.ts'
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
  const dataplane = openDataplane(log)
  const letGo = () => {
    dataplane.close()
    network.close()
    release()
  }
  try {
    const agent = await Agent.start({
      version: agentVersion(),
      hostname: hostname(),
      disk: await openDisk(stateDir),
      clock: systemClock(),
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

/** The dataplane with whatever an earlier agent pinned; where it cannot be had, one that says why. */
function openDataplane(log: (message: string) => void): Dataplane {
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
