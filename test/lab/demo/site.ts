import type { Lab } from '../lab.ts'
import type { MainPathSite } from './main-path.ts'

/** The lab as the console's operator knows it. The only place where lab addresses meet console profiles. */
export function siteOf(lab: Lab): MainPathSite {
  const { director, client, realServers, keyFile, vip } = lab.summary()
  const target = (host: { management: string | null; data: string; sshPort: number }) => ({
    host: host.management ?? host.data,
    port: host.sshPort,
    user: 'root',
    keyFile,
  })
  return {
    director: { id: 'lab-director', name: 'Lab director', target: target(director), isProduction: false },
    clientHost: { id: 'lab-client', name: 'Lab client', target: target(client) },
    vip,
    realServers: realServers.map(({ data }) => data),
    behindDirector: [],
    fingerprints: [director, client, ...realServers].map(({ fingerprint }) => fingerprint),
  }
}
