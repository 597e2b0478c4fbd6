import type { ConsoleContract } from '../../../core/contract/console.ts'
import { removeService, setRealServerState } from './spec-edits.ts'
import type { Client } from '../../../core/rpc/client.ts'
import type { Lab } from '../lab.ts'
import { MainPath } from './main-path.ts'
import { siteOf } from './site.ts'

/** What `--smoke` prints; every figure is of requests that were sent in this run. */
export interface SmokeResult {
  readonly requests: number
  readonly failed: number
  readonly perRealServer: Readonly<Record<string, number>>
  readonly clientAddressSeen: boolean
  readonly sharesWithinPercent: number
  /** Requests that failed in the run that began 5 s after a real server was killed. */
  readonly failedAfterServerDied: number
  readonly drainedServerGotNew: number
  readonly undone: boolean
}

const sharesLimitPercent = 30

/** True where all of it holds. */
export const smokeHolds = (result: SmokeResult): boolean =>
  result.requests === 300 &&
  result.failed === 0 &&
  result.clientAddressSeen &&
  result.sharesWithinPercent <= sharesLimitPercent &&
  result.failedAfterServerDied === 0 &&
  result.drainedServerGotNew === 0 &&
  result.undone

/** The main path without a browser: connect, install, check, fix, apply, prove, a server dies, drain, undo, remove. */
export async function smoke(
  lab: Lab,
  client: Client<ConsoleContract>,
  log: (line: string) => void,
): Promise<SmokeResult> {
  const site = siteOf(lab)
  const path = new MainPath(client, site, log)
  const [first = '', second = ''] = site.realServers
  try {
    await path.connect()
    const { after } = await path.checkAndFix()
    if (after > 0) throw new Error(`${after} requirements are missing after all fixes`)
    const service = path.service()
    const revision = await path.apply((spec) => ({ ...spec, services: [...spec.services, service] }), 'add web-80', 60)
    await path.health(first, 'up', 10_000)
    const proof = await path.prove(300)
    const seen = await lab.clientRequests({ address: lab.vip, count: 20 })
    const clientAddress = lab.summary().client.data
    log(`proof: ${proof.requests} requests, ${proof.failed} failed, ${JSON.stringify(proof.perRealServer)}`)
    await path.confirm(revision)

    await lab.killServer('rs1')
    const killedAtMs = performance.now()
    await path.health(first, 'down', 10_000)
    log(`rs1 was killed; seen down after ${Math.round(performance.now() - killedAtMs)} ms`)
    await new Promise((resolve) => setTimeout(resolve, Math.max(0, 5_000 - (performance.now() - killedAtMs))))
    const afterDeath = await lab.clientRequests({ address: lab.vip, count: 100 })
    await lab.startServer('rs1')
    await path.health(first, 'up', 15_000)

    await path.apply(setRealServerState(service, second, 'drain'), 'drain rs2', null)
    const whileDrained = await lab.clientRequests({ address: lab.vip, count: 100 })
    await path.apply(setRealServerState(service, second, 'enabled'), 'enable rs2', null)

    await path.apply(removeService(service), 'remove web-80', null)
    const undone = await path.undoFixes()
    const gone = await lab.clientRequests({ address: lab.vip, count: 3, connectTimeoutMs: 300 })
    log(`${undone} fixes undone; the VIP answers ${gone.answered} of 3`)
    const removed = await path.removeAgent()
    log(`removed: ${removed.join(', ')}`)
    return {
      requests: proof.requests,
      failed: proof.failed,
      perRealServer: proof.perRealServer,
      clientAddressSeen:
        seen.answered === 20 &&
        Object.keys(seen.clientAddresses).join() === clientAddress &&
        proof.clientAddresses.join() === clientAddress,
      sharesWithinPercent: Math.round((proof.sharesWithinPercent ?? Number.POSITIVE_INFINITY) * 10) / 10,
      failedAfterServerDied: afterDeath.failed + (afterDeath.perServer['rs1'] ?? 0),
      drainedServerGotNew: whileDrained.perServer['rs2'] ?? 0,
      undone: gone.answered === 0,
    }
  } finally {
    path.end()
  }
}
