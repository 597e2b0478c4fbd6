import { hostname } from 'node:os'
import { hasDisplay } from '../../../main/shell/open-browser.ts'
import type { LaunchLink } from '../../../main/shell/loopback-server.ts'
import type { DemoLab } from './demo-lab.ts'

/** Everything that a person needs to begin, to compare and to stop. */
export function sayReady(lab: DemoLab, link: LaunchLink, dataDir: string): void {
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
      ...lab.facts.map(([label, text]) => `  ${label.padEnd(13)} ${text}`),
      '',
      `The console listens on 127.0.0.1:${port}; its data lie in ${dataDir}, the lab's in ${lab.stateDir}.`,
      'A new link: run the same command again. Ctrl-C stops everything and removes it.',
      '',
    ].join('\n'),
  )
}

/** The same for a program, as one line. */
export function sayReadyJson(lab: DemoLab, link: LaunchLink): void {
  const { director, vip, realServers } = lab.site
  const { host, port, user, keyFile } = director.target
  console.log(
    JSON.stringify({
      event: 'ready',
      url: link.url,
      token: link.token,
      director: { host, port, user, keyFile },
      vip,
      realServers,
      realServersBehind: lab.realServersBehind,
    }),
  )
}
