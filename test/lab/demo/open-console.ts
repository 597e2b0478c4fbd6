import { homedir, hostname } from 'node:os'
import { fileURLToPath } from 'node:url'
import { consoleContract, type ConsoleContract, type Welcome } from '../../../core/contract/console.ts'
import { type Client, createClient } from '../../../core/rpc/client.ts'
import { memoryPair } from '../../../core/rpc/memory.ts'
import { serve } from '../../../core/rpc/server.ts'
import { createConsole } from '../../../main/console/console.ts'
import type { Console } from '../../../main/console/ports.ts'
import { createSshPort } from '../../../main/console/ssh/port.ts'
import { confStore } from '../../../main/shell/conf-store.ts'
import { findInstallation } from '../../../main/shell/installation.ts'
import { sessionSecrets } from '../../../main/shell/session-secrets.ts'
import { systemClock } from '../../../main/shell/system-clock.ts'
import type { MainPathSite } from './main-path.ts'
import { nodeTimers } from './node-timers.ts'

export const installation = findInstallation(fileURLToPath(new URL('.', import.meta.url)))

export interface OpenedConsole {
  readonly console: Console
  /** The console's contract, called as a page would. */
  readonly client: Client<ConsoleContract>
}

/** A console core as the browser shell makes it, with the lab's hosts in its lists; nothing is connected. */
export async function openConsole(options: {
  readonly site: Pick<MainPathSite, 'director' | 'clientHost' | 'behindDirector'>
  readonly dataDir: string
  readonly welcome: Welcome | null
  readonly log: (line: string) => void
}): Promise<OpenedConsole> {
  const { dataDir, welcome, log } = options
  const console = await createConsole(
    {
      store: confStore(dataDir),
      secrets: sessionSecrets('The demo keeps no secrets.'),
      clock: systemClock,
      // The operator's own agent and keys have no business in the lab: its profiles name the lab's key.
      ssh: createSshPort({ home: homedir(), dataDir, agentSocket: null }),
    },
    { version: installation.version, workstation: hostname(), agentPackages: installation.agentPackages, welcome, log },
  )
  const [near, far] = memoryPair()
  serve(far, consoleContract, console.handlers, { peer: 'demo', access: 'change' })
  const client = createClient(near, consoleContract, nodeTimers)
  const { director, clientHost, behindDirector } = options.site
  await client.call('directors.save', { profile: director })
  await client.call('clientHosts.save', { host: clientHost })
  for (const address of behindDirector) {
    await client.call('access.set', { directorId: director.id, address, access: { kind: 'throughDirector' } })
  }
  return { console, client }
}
