import { fileURLToPath } from 'node:url'
import { type Headless, startHeadless } from '../../main/shell/loopback-server.ts'
import { type Scenario, type ScenarioName, scenarios } from './console-scenarios.ts'

export interface ConsoleServer {
  readonly scenario: Scenario
  readonly headless: Headless
  /** Opens the page once, at the scenario's path or at another one. */
  link(path?: string): string
  close(): Promise<void>
}

const builtPage = fileURLToPath(new URL('../../dist/renderer', import.meta.url))

/** The built page in the real browser shell, with its headers and guards, over a console without hosts. */
export async function startConsoleServer(
  wanted: ScenarioName | Scenario,
  rendererDir = builtPage,
): Promise<ConsoleServer> {
  const scenario = typeof wanted === 'string' ? await scenarios[wanted]() : wanted
  const headless = await startHeadless({
    console: { handlers: scenario.console.handlers },
    rendererDir,
    newLinkCommand: 'signalbox console --link',
    log: () => {},
  })
  return {
    scenario,
    headless,
    link: (path = scenario.path) => `${headless.newLink().url}#${path}`,
    async close() {
      for (const host of scenario.hosts) host.stop()
      await headless.close()
    },
  }
}
