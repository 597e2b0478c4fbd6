import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { ScenarioName } from '../fakes/console-scenarios.ts'
import { type ConsoleServer, startConsoleServer } from '../fakes/console-server.ts'
import { expectAccessible, launchChromium, shoot, visit } from './support/browser.ts'

/** A state of the page, reached the way an operator reaches it. */
interface State {
  readonly name: string
  readonly scenario: ScenarioName
  readonly path?: string
  /** Leads to the state and waits until it is there. */
  readonly reach: (page: Page, server: ConsoleServer) => Promise<void>
}

const says = (text: string | RegExp) => (page: Page) => page.getByText(text).first().waitFor()
const connectUntil = (text: string | RegExp) => async (page: Page) => {
  await page.getByRole('button', { name: 'Connect', exact: true }).click()
  await says(text)(page)
}
const tab = (name: string, text: string | RegExp) => async (page: Page) => {
  await page.getByRole('tab', { name }).click()
  await says(text)(page)
}
const service = '/d/lab/services/tcp-192.0.2.11-8443'

const states: readonly State[] = [
  { name: 'no-director', scenario: 'noDirector', reach: says('What connecting does') },
  { name: 'welcome', scenario: 'lab', reach: says('A lab is running on this machine') },
  { name: 'connecting', scenario: 'connecting', reach: connectUntil(/^known: /) },
  { name: 'host-key', scenario: 'hostKey', reach: connectUntil('Accept and pin') },
  { name: 'host-key-changed', scenario: 'keyChanged', reach: connectUntil(/The host key of .* has changed/) },
  { name: 'agent-missing', scenario: 'agentMissing', reach: connectUntil('There is no agent on this host.') },
  { name: 'agent-older', scenario: 'agentOld', reach: connectUntil(/The agent on this host is version/) },
  { name: 'host-unfit', scenario: 'unfit', reach: connectUntil(/The host runs kernel 5\.10\.0/) },
  { name: 'no-service', scenario: 'noService', reach: says(/No virtual service on/) },
  { name: 'overview', scenario: 'live', reach: says('Degraded') },
  { name: 'no-samples', scenario: 'noSamples', path: '/d/lab/overview', reach: says('New connections') },
  { name: 'services', scenario: 'live', path: '/d/lab/services', reach: says('Degraded') },
  { name: 'topology', scenario: 'live', path: '/d/lab/topology', reach: says('Replies, past the director (DR)') },
  {
    name: 'topology-details',
    scenario: 'live',
    path: '/d/lab/topology',
    reach: async (page) => {
      await page.getByRole('button', { name: /192\.0\.2\.40:443/ }).click()
      await page.getByRole('complementary', { name: 'Details' }).waitFor()
    },
  },
  { name: 'real-servers', scenario: 'live', path: service, reach: says('ECONNREFUSED') },
  { name: 'traffic', scenario: 'live', path: service, reach: tab('Traffic', 'Packets in') },
  { name: 'without-traffic', scenario: 'noTraffic', path: service, reach: tab('Traffic', /No connection to/) },
  { name: 'checks', scenario: 'live', path: service, reach: tab('Checks', 'Failed checks until down') },
  { name: 'settings', scenario: 'live', path: service, reach: tab('Settings', 'Digest of the ring') },
  { name: 'history', scenario: 'live', path: service, reach: tab('History', 'First services') },
  { name: 'fifty-servers', scenario: 'fifty', reach: says('192.0.2.100:443') },
  { name: 'fifty-servers-traffic', scenario: 'fifty', reach: tab('Traffic', 'Showing 4 of 50') },
  { name: 'hosts', scenario: 'live', path: '/d/lab/hosts', reach: says('The eBPF dataplane can run here.') },
  { name: 'changes', scenario: 'live', path: '/d/lab/changes', reach: says('First services') },
  { name: 'share', scenario: 'live', path: '/d/lab/share', reach: says(/apiVersion: signalbox/) },
  { name: 'long-names-and-production', scenario: 'production', reach: says(/The director's clock is \d+ s ahead/) },
  {
    name: 'wizard',
    scenario: 'unprepared',
    reach: async (page) => {
      await page.getByRole('button', { name: 'New service' }).click()
      await page.getByRole('heading', { name: 'What for' }).waitFor()
    },
  },
  {
    name: 'lost',
    scenario: 'live',
    reach: async (page, { scenario }) => {
      await says('Degraded')(page)
      scenario.console.lose('lab')
      await says(/is not connected/)(page)
    },
  },
  { name: 'lost-from-the-start', scenario: 'lost', reach: says(/Reconnecting to lab director…/) },
  { name: 'review', scenario: 'live', path: service, reach: (page) => review(page) },
  {
    name: 'awaiting-confirmation',
    scenario: 'live',
    path: service,
    reach: async (page) => {
      await review(page)
      await page.getByRole('button', { name: /^Apply \d+ step/ }).click()
      await page.getByRole('button', { name: 'Keep' }).waitFor()
    },
  },
]

async function review(page: Page): Promise<void> {
  await page.getByLabel('Weight of 192.0.2.30:8443').fill('5')
  await page.keyboard.press('Enter')
  await page.getByRole('button', { name: 'Review' }).click()
  await page.getByText('weight: 5').waitFor()
}

let browser: Browser
beforeAll(async () => {
  browser = await launchChromium()
})
afterAll(() => browser.close())

describe.each(states)('the state $name', ({ name, scenario, path, reach }) => {
  test('is drawn without an error and without a barrier, in both themes', async () => {
    const server = await startConsoleServer(scenario)
    const { context, page, problems } = await visit(browser, server.link(path))
    try {
      await reach(page, server)
      await shoot(page, `state-${name}`)
      for (const colorScheme of ['light', 'dark'] as const) {
        await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' })
        await expectAccessible(page)
      }
      expect(problems).toEqual([])
    } finally {
      await context.close()
      await server.close()
    }
  })
})
