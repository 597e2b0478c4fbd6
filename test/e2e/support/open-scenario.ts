import type { Browser, BrowserContextOptions, Page } from 'playwright-core'
import { expect, onTestFinished } from 'vitest'
import type { Scenario, ScenarioName } from '../../fakes/console-scenarios.ts'
import { startConsoleServer } from '../../fakes/console-server.ts'
import { visit } from './browser.ts'

/** What Chromium says to every request under way when an interface of the machine comes or goes: no fault of the page. */
const networkChanged = 'net::ERR_NETWORK_CHANGED'

export interface Opened {
  readonly page: Page
  readonly scenario: Scenario
  /** Goes to another path of the page, as a link does. */
  readonly go: (path: string) => Promise<void>
}

/**
 * A person looking at a console in one state. Closed at the end of the test, which fails if the page reported an error
 * of its own in the meantime.
 */
export async function openScenario(
  browser: Browser,
  wanted: ScenarioName | Scenario,
  { path, ...options }: BrowserContextOptions & { readonly path?: string } = {},
): Promise<Opened> {
  const server = await startConsoleServer(wanted)
  const { scenario } = server
  const { context, page, problems } = await visit(browser, server.link(path ?? scenario.path), options)
  onTestFinished(async () => {
    await context.close()
    await server.close()
    expect(problems.filter((text) => !text.includes(networkChanged))).toEqual([])
  })
  page.setDefaultTimeout(20_000)
  await page
    .locator('main')
    .waitFor({ timeout: 5000 })
    .catch(() => reloadAfterChange(page, problems))
  return {
    page,
    scenario,
    async go(to) {
      await page.evaluate((hash) => {
        location.hash = hash
      }, to)
      const heading = page.locator('main :is(h1, h2)').first()
      await heading.waitFor({ timeout: 8000 }).catch(() => reloadAfterChange(page, problems))
      await heading.waitFor()
    },
  }
}

/** Loads the page again where the machine's interfaces changed under it; any other reason is for the test to show. */
async function reloadAfterChange(page: Page, problems: readonly string[]): Promise<void> {
  if (problems.some((text) => text.includes(networkChanged))) await page.reload()
}
