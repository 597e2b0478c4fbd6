import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { longName, scenarios } from '../fakes/console-scenarios.ts'
import { expectAccessible, launchChromium, shoot } from './support/browser.ts'
import { cutWithoutTitle, overlappingTexts, widerThanFrame } from './support/judge-layout.ts'
import { openScenario } from './support/open-scenario.ts'

let browser: Browser
beforeAll(async () => {
  browser = await launchChromium()
})
afterAll(() => browser.close())

const api = '/d/lab/services/tcp-192.0.2.11-8443'

async function expectTidy(page: Page): Promise<void> {
  expect(await widerThanFrame(page)).toEqual([])
  expect(await cutWithoutTitle(page)).toEqual([])
  expect(await overlappingTexts(page)).toEqual([])
}

test('without a service the overview says so and offers the one thing to do', async () => {
  const { page } = await openScenario(browser, 'noService')
  await page.getByText('No virtual service on lab director yet.').waitFor()
  await shoot(page, 'no-service')
  await expectTidy(page)
  await page.getByRole('main').getByRole('button', { name: 'New service' }).last().click()
  await page.getByRole('heading', { name: 'New virtual service' }).waitFor()
})

test('a service without traffic shows zeros and says that nobody has come', async () => {
  const { page, go } = await openScenario(browser, 'noTraffic', { path: api })
  await page.getByRole('tab', { name: 'Traffic' }).click()
  await page.getByText('No connection to 192.0.2.11:8443 since the graphs begin.').waitFor()
  await page.getByText('there is nothing here to count').waitFor()
  await shoot(page, 'no-traffic')
  await expectTidy(page)
  await go('/d/lab/overview')
  await expect.poll(() => page.getByRole('link', { name: /^api/ }).innerText()).toMatch(/\n0\s+connections\/s/)
})

test('before the first samples no figure is invented: dashes, and a sentence instead of graphs', async () => {
  const scenario = await scenarios.noSamples()
  for (const host of scenario.hosts) host.stop()
  const { page, go } = await openScenario(browser, scenario, { path: api })
  await page.getByRole('tab', { name: 'Traffic' }).click()
  await page.getByText('No samples yet.').first().waitFor()
  expect(await page.getByText('nobody has come').count()).toBe(0)
  await shoot(page, 'no-samples-traffic')
  await go('/d/lab/overview')
  const figures = page.getByRole('region', { name: 'Figures of the director' })
  await figures.waitFor()
  expect(await figures.innerText()).not.toMatch(/\d\s*(k|M)?\s*(connections\/s|[kM]?bit\/s)/)
  await page.getByText('–', { exact: true }).first().waitFor()
  await shoot(page, 'no-samples-overview')
  await expectTidy(page)
})

test('a lost director leaves what it said last: greyed, with its age, read-only', async () => {
  const { page, scenario, go } = await openScenario(browser, 'live')
  await page.getByText('Degraded').first().waitFor()
  scenario.console.lose('lab')
  const notice = page.getByRole('status').filter({ hasText: 'is not connected. Shown is what it said last' })
  await notice.getByText('read-only until it is back').waitFor()
  const age = async () => Number(/last, *(\d+) s/.exec(await notice.innerText())?.[1])
  const before = await age()
  await expect.poll(age, { timeout: 5000 }).toBeGreaterThan(before)
  await page.getByText(/^data \d+ s old$/).waitFor()
  await page.getByText(/Reconnecting to lab director, try 3/).waitFor()
  expect(await page.getByRole('button', { name: 'New service' }).isDisabled()).toBe(true)
  expect(await page.locator('.sb-stale').count()).toBeGreaterThan(0)
  await shoot(page, 'director-lost')
  await expectTidy(page)
  await go(api)
  await notice.waitFor()
  expect(await page.getByLabel('Weight of 192.0.2.30:8443').isDisabled()).toBe(true)
  expect(await page.getByRole('button', { name: 'Add real servers' }).isDisabled()).toBe(true)
  await shoot(page, 'director-lost-service')
})

test('fifty real servers: all of them in the table, on the map and in small graphs', async () => {
  const { page, go } = await openScenario(browser, 'fifty')
  const table = page.getByRole('table', { name: 'Real servers' })
  await page
    .getByText(/47 of 49 up|of 50 up|of 49 up|of 48 up/)
    .first()
    .waitFor()
  expect(await table.getAttribute('aria-rowcount')).toBe('51')
  await shoot(page, 'fifty-real-servers')
  await expectTidy(page)
  await table.locator('tr[data-active]').focus()
  await page.keyboard.press('End')
  await table.getByText('192.0.2.149:443').waitFor()
  await page.keyboard.press('/')
  await page.keyboard.type('192.0.2.113')
  await page.getByText('Showing 1 of 50').waitFor()
  await table.getByText('Down').waitFor()
  await page.keyboard.press('Escape')
  await page.getByRole('tab', { name: 'Traffic' }).click()
  await page.getByRole('heading', { name: 'New connections per real server' }).waitFor()
  await shoot(page, 'fifty-traffic')
  await expectTidy(page)
  await go('/d/lab/topology')
  await page.getByText('shop').first().waitFor()
  await page.getByRole('listbox').focus()
  await page.keyboard.press('End')
  const last = page.getByRole('option')
  await expect.poll(() => last.getAttribute('aria-posinset')).toBe('50')
  expect(await last.getAttribute('aria-setsize')).toBe('50')
  await shoot(page, 'fifty-topology')
})

test.each([
  [1440, 900],
  [1024, 700],
])('names of sixty characters fit everywhere at %i × %i, the whole on hover', async (width, height) => {
  const { page, go } = await openScenario(browser, 'production', { viewport: { width, height } })
  for (const [path, name] of [
    ['/d/lab/overview', 'overview'],
    ['/d/lab/services', 'services'],
    ['/d/lab/topology', 'topology'],
    ['/d/lab/services/tcp-192.0.2.12-443', 'service'],
    ['/d/lab/hosts', 'hosts'],
    ['/connect/lab', 'connect'],
  ] as const) {
    await go(path)
    await page.getByText(longName.slice(0, 20)).first().waitFor()
    await shoot(page, `long-names-${name}-${width}`)
    await expectTidy(page)
  }
  await go('/d/lab/services')
  await page.locator(`[title="${longName}"]`).first().waitFor()
})

test('a production director wears its frame and its name, and its clock skew is said', async () => {
  const { page } = await openScenario(browser, 'production')
  await page.getByText('production', { exact: true }).first().waitFor()
  await page.getByText("The director's clock is 5 s ahead of this workstation's.").waitFor()
  await expectAccessible(page)
})
