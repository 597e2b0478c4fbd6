import { createChecks } from './checks/checks.ts'
import { createFixStore } from './checks/fix-store.ts'
import { openClusters } from './clusters/clusters.ts'
import { requestCompletion } from './complete-request.ts'
import { openDirectors } from './directors.ts'
import { forwardingHandlers } from './forward.ts'
import { hostPool } from './host-pool.ts'
import type { Console, ConsoleOptions, ConsolePorts } from './ports.ts'
import { proofHandler } from './proof/run.ts'
import { openRecords } from './records.ts'
import { shareHandlers } from './share.ts'

/** The console core: everything a page can ask for, whichever shell it runs in. Nothing is connected at the start. */
export async function createConsole(ports: ConsolePorts, options: ConsoleOptions): Promise<Console> {
  const { store, secrets, clock, ssh } = ports
  const records = openRecords(store, options.log)
  const directors = await openDirectors(ports, options, records.forgetDirector)
  const hosts = hostPool(directors, ssh, clock, records.accessOf)
  const checks = createChecks(
    {
      hosts,
      clock,
      probeArp: (directorId, probe, signal) =>
        directors.get(directorId).session.client().call('arp.probe', probe, { signal }),
    },
    createFixStore(store, clock, options.log),
  )

  const completion = requestCompletion(directors, options.workstation)
  const clusters = openClusters(directors, completion, clock)

  return {
    handlers: {
      'app.info': async () => ({
        version: options.version,
        platform: process.platform,
        capabilities: { keepsSecrets: secrets.keeps, keepsSecretsReason: secrets.reason },
        preferences: await records.preferences(),
        welcome: options.welcome,
      }),
      'ssh.hosts': () => ssh.configuredHosts(),
      ...records.handlers,
      ...directors.handlers,
      ...checks,
      ...shareHandlers,
      'proof.run': proofHandler({
        clock,
        director: (directorId) => {
          const { profile, session } = directors.get(directorId)
          return { profile, client: () => session.client() }
        },
        clientHost: records.clientHost,
        openTarget: (directorId, host, signal) => hosts.openTarget(directorId, host.name, host.target, signal),
      }),
      ...clusters.handlers,
      ...forwardingHandlers(directors, completion),
    },
    async close() {
      clusters.close()
      hosts.close()
      await directors.close()
    },
  }
}
