import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { AxeBuilder } from '@axe-core/playwright'
import { type Browser, type BrowserContext, type BrowserContextOptions, chromium, type Page } from 'playwright-core'
import { expect } from 'vitest'

/** Debian's Chromium, without everything that asks the network for something, with a home of its own. */
export async function launchChromium(): Promise<Browser> {
  const home = mkdtempSync(join(tmpdir(), 'signalbox-e2e-'))
  const browser = await chromium.launch({
    executablePath: '/usr/bin/chromium',
    env: { ...process.env, HOME: home, XDG_CONFIG_HOME: join(home, 'config'), XDG_CACHE_HOME: join(home, 'cache') },
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  })
  // Its children may still write for a moment after it has said good-bye.
  browser.on('disconnected', () => rmSync(home, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 }))
  return browser
}

/** A zone with half an hour in its offset: where offsets are dropped or rounded, it shows. */
export const oddZone = 'America/St_Johns'

export interface Visitor {
  readonly context: BrowserContext
  readonly page: Page
  /** What the page's own console said at level error, and what it threw. */
  readonly problems: string[]
}

/** A person with a browser of their own. Fails what the test sees later if the page reports errors. */
export async function visit(browser: Browser, url: string, options: BrowserContextOptions = {}): Promise<Visitor> {
  const context = await browser.newContext({
    viewport: { width: 1440, height: 900 },
    timezoneId: oddZone,
    locale: 'en-GB',
    colorScheme: 'dark',
    ...options,
  })
  const page = await context.newPage()
  const problems: string[] = []
  page.on('pageerror', (error) => problems.push(error.message))
  page.on('console', (message) => {
    // An interface of a lab came or went on this machine: Chromium says so, and it is no fault of the page.
    if (message.type() === 'error' && !message.text().includes('ERR_NETWORK_CHANGED')) problems.push(message.text())
  })
  await page.goto(url)
  return { context, page, problems }
}

const artifacts = fileURLToPath(new URL('../../../artifacts/screens/', import.meta.url))

/** A screenshot in both themes, kept as an artifact of the run. */
export async function shoot(page: Page, name: string): Promise<void> {
  mkdirSync(artifacts, { recursive: true })
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme })
    await page.screenshot({ path: join(artifacts, `${name}-${colorScheme}.png`) })
  }
}

/** No violation of WCAG 2.2 A and AA on what is shown, in the theme that is shown. */
export async function expectAccessible(page: Page): Promise<void> {
  const { violations } = await new AxeBuilder({ page })
    .withTags(['wcag2a', 'wcag2aa', 'wcag21aa', 'wcag22aa'])
    .analyze()
  expect(
    violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 160)).join(' | ')}`),
  ).toEqual([])
}
