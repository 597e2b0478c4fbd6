import { hostname } from 'node:os'
import { hasDisplay } from '../../../main/shell/open-browser.ts'
import type { LaunchLink } from '../../../main/shell/loopback-server.ts'
import type { Lab } from '../lab.ts'
import { siteOf } from './site.ts'

/** Everything that a person needs to begin, to compare and to stop. */
export function sayReady(lab: Lab, link: LaunchLink, dataDir: string): void {
  const { director, client, realServers, vip } = lab.summary()
  const port = new URL(link.url).port
  console.log(
    [
      '',
      'Signalbox is ready. Open this link (it works once):',
      '',
      `  ${link.url}`,
      '',
      ...(hasDisplay()
        ? []
        : [
            'There is no display here. On your own machine run this first, then open the same link there:',
            '',
            `  ssh -L ${port}:127.0.0.1:${port} ${process.env['USER'] ?? 'root'}@${hostname()}`,
            '',
          ]),
      'The lab:',
      `  director      ${director.management ?? director.data}  (SSH as root; not connected yet)`,
      `  host key      ${director.fingerprint}`,
      `  free VIP      ${vip}`,
      `  real servers  ${realServers.map(({ data }) => data).join(', ')}  (port 80, not prepared)`,
      `  client        ${client.data}  (tries http://${vip}/ ten times a second)`,
      '',
      `The console listens on 127.0.0.1:${port}; its data lie in ${dataDir}, the lab's in ${lab.stateDir}.`,
      'A new link: run the same command again. Ctrl-C stops everything and removes it.',
      '',
    ].join('\n'),
  )
}

/** The same for a program, as one line. */
export function sayReadyJson(lab: Lab, link: LaunchLink): void {
  const { director, vip, realServers } = siteOf(lab)
  const { host, port, user, keyFile } = director.target
  console.log(
    JSON.stringify({
      event: 'ready',
      url: link.url,
      token: link.token,
      director: { host, port, user, keyFile },
      vip,
      realServers,
    }),
  )
}
