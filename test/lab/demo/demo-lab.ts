import type { Lab } from '../lab.ts'
import type { MainPathSite } from './main-path.ts'
import { siteOf } from './site.ts'

/** How often the VIP has answered the lab's client. */
interface ClientCounters {
  readonly answered: number
  readonly failed: number
  readonly lastAnswerAtMs?: number | undefined
  readonly lastFailureAtMs?: number | undefined
}

/** What a demo shows, whatever it runs on: namespaces of this machine, or a guest with a kernel of its own. */
export interface DemoLab {
  readonly id: string
  readonly site: MainPathSite
  /** Real servers whose gateway is the director. */
  readonly realServersBehind: readonly string[]
  readonly directorFingerprint: string
  /** Label and text of each line that is printed about it. */
  readonly facts: readonly (readonly [string, string])[]
  readonly stateDir: string
  readonly clientCounters: () => Promise<ClientCounters>
  readonly stop: () => Promise<void>
}

/** The namespace lab with its steady client. */
export function namespaceDemo(lab: Lab): DemoLab {
  const { director, client, realServers, vip } = lab.summary()
  const steady = lab.steadyClient()
  return {
    id: `lab-${lab.layout.number}`,
    site: siteOf(lab),
    realServersBehind: [],
    directorFingerprint: director.fingerprint,
    facts: [
      ['director', `${director.management ?? director.data}  (SSH as root; not connected yet)`],
      ['host key', director.fingerprint],
      ['free VIP', vip],
      ['real servers', `${realServers.map(({ data }) => data).join(', ')}  (port 80, not prepared)`],
      ['client', `${client.data}  (tries http://${vip}/ ten times a second)`],
    ],
    stateDir: lab.stateDir,
    clientCounters: () => steady.counters(),
    stop: () => lab.stop(),
  }
}
