import { rm } from 'node:fs/promises'
import { claimDataDir } from '../../../main/shell/instance-socket.ts'
import { type LaunchLink, startHeadless } from '../../../main/shell/loopback-server.ts'
import { installation, openConsole } from './open-console.ts'
import type { DemoLab } from './demo-lab.ts'

export interface ServedDemo {
  readonly link: LaunchLink
  /** Another link, for the browser that is opened here: the printed one stays good. */
  newLink(): string
  /** Ends the console and removes its data. */
  close(): Promise<void>
}

const watchEveryMs = 500

/** The console of a demo on loopback. Its data are made anew: host keys of an earlier lab would count as changed. */
export async function serveDemo(options: {
  readonly lab: DemoLab
  readonly dataDir: string
  readonly port: number
  readonly note: (line: string) => void
}): Promise<ServedDemo> {
  const { lab, dataDir, note } = options
  await rm(dataDir, { recursive: true, force: true })
  let newLink: () => string | null = () => null
  const claim = await claimDataDir(dataDir, (request) => ({
    shell: 'browser',
    pid: process.pid,
    url: request === 'link' ? newLink() : null,
  }))
  if (claim.kind === 'running')
    throw new Error(`Another demo was started at the same time (process ${claim.answer.pid}).`)
  const { director, vip, realServers } = lab.site
  const opened = await openConsole({
    site: lab.site,
    dataDir,
    welcome: {
      id: lab.id,
      directorId: director.id,
      vip,
      realServers: realServers.map((address) => ({ address, port: 80 })),
      realServersBehind: lab.realServersBehind.map((address) => ({ address, port: 80 })),
      fingerprint: lab.directorFingerprint,
    },
    log: () => {},
  })
  const headless = await startHeadless({
    console: opened.console,
    rendererDir: installation.rendererDir,
    port: options.port,
    newLinkCommand: 'npm run demo',
  })
  newLink = () => headless.newLink().url
  const stopWatching = watchClient(lab, note)
  return {
    link: headless.newLink(),
    newLink: () => headless.newLink().url,
    async close() {
      stopWatching()
      await headless.close()
      await opened.console.close()
      await claim.socket.close()
      await rm(dataDir, { recursive: true, force: true })
    },
  }
}

/** Says in the terminal when the client's tries turn into answers and back. */
function watchClient(lab: DemoLab, note: (line: string) => void): () => void {
  let last: 'answers' | 'no answer' | undefined
  let isAsking = false
  const timer = setInterval(() => {
    if (isAsking) return
    isAsking = true
    lab
      .clientCounters()
      .then(({ answered, failed, lastAnswerAtMs = 0, lastFailureAtMs = 0 }) => {
        if (answered + failed === 0) return
        const now = lastAnswerAtMs > lastFailureAtMs ? 'answers' : 'no answer'
        if (now !== last) note(`client: ${now} from the VIP (${answered} answered, ${failed} failed)`)
        last = now
      })
      // The client ends with its lab.
      .catch(() => clearInterval(timer))
      .finally(() => {
        isAsking = false
      })
  }, watchEveryMs)
  return () => clearInterval(timer)
}
