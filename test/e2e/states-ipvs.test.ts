import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { foreignKey, ipvsScenarios, longVip } from '../fakes/ipvs-scenarios.ts'
import { expectAccessible, launchChromium, shoot } from './support/browser.ts'
import { cutWithoutTitle, overlappingTexts, widerThanFrame } from './support/judge-layout.ts'
import { openScenario } from './support/open-scenario.ts'

/** Figures come once a second, and a busy machine takes its time. */
const patience = { timeout: 10_000 }

let browser: Browser
beforeAll(async () => {
  browser = await launchChromium()
})
afterAll(() => browser.close())

const nat = '/d/lab/services/tcp-192.0.2.10-443'
const resolver = `/d/lab/services/udp-${longVip}-53`

async function expectTidy(page: Page): Promise<void> {
  expect(await widerThanFrame(page)).toEqual([])
  expect(await cutWithoutTitle(page)).toEqual([])
  expect(await overlappingTexts(page)).toEqual([])
}

test('a NAT service under traffic: connections by kind, both directions, thresholds, and the share by weight', async () => {
  const { page } = await openScenario(browser, await ipvsScenarios.ipvs(), { path: nat })
  const table = page.getByRole('table', { name: 'Real servers' })
  for (const head of ['Active', 'Inactive', 'Persistent', 'Conn/s', 'In', 'Out', 'Thresholds']) {
    await table.getByRole('columnheader', { name: head, exact: true }).waitFor()
  }
  const row = (address: string) => table.getByRole('row').filter({ hasText: address })
  await row('192.0.2.20:8443').getByText('/ 60 %').waitFor()
  await expect.poll(() => row('192.0.2.20:8443').innerText(), patience).toMatch(/bit\/s[\s\S]*Mbit\/s/)
  await row('192.0.2.21:8443').getByText('4000 / 3200').waitFor()
  await row('192.0.2.23:443').getByText('Tunnel IPIP').waitFor()
  await row('192.0.2.23:443').getByText('past director').waitFor()
  await page.getByText('IPVS refreshes rates every 2 s').waitFor()
  for (const tag of ['NAT + Tunnel IPIP', 'IPVS', 'wlc', 'persistent 300 s /24']) {
    await page.locator('header').getByText(tag, { exact: true }).first().waitFor()
  }
  await shoot(page, 'ipvs-nat')
  await expectTidy(page)
  await expectAccessible(page)
  await page.getByRole('tab', { name: 'Traffic' }).click()
  await page.getByText('Rates are its own, smoothed by the kernel').waitFor()
  await page.getByRole('heading', { name: /^Replies/ }).waitFor()
  expect(await page.getByText('there is nothing here to count').count()).toBe(0)
  await shoot(page, 'ipvs-nat-traffic')
  await expectTidy(page)
})

test('the rate of an IPVS service is no saw: the figure stays while the kernel’s counters stand', async () => {
  const { page } = await openScenario(browser, await ipvsScenarios.ipvs(), { path: '/d/lab/services' })
  const cell = page.getByRole('row').filter({ hasText: '192.0.2.10:443' }).getByRole('cell').nth(5)
  await expect.poll(() => cell.innerText(), patience).toMatch(/^[\d.]+( k)?$/)
  const seen: number[] = []
  for (let i = 0; i < 12; i++) {
    const [figure = '', prefix] = (await cell.innerText()).split(/\s/)
    seen.push(Number.parseFloat(figure) * (prefix === 'k' ? 1000 : 1))
    await page.waitForTimeout(400)
  }
  // Differences of the counters would be nothing and double by turns.
  expect(Math.max(...seen) / Math.min(...seen)).toBeLessThan(1.5)
})

test.each([
  [1440, 900],
  [1024, 700],
])('addresses of 39 characters and marks fit everywhere at %i × %i', async (width, height) => {
  const { page, go } = await openScenario(browser, await ipvsScenarios.ipvs(), { viewport: { width, height } })
  for (const [path, name] of [
    ['/d/lab/overview', 'overview'],
    ['/d/lab/services', 'services'],
    ['/d/lab/topology', 'topology'],
    ['/d/lab/connections', 'connections'],
    ['/d/lab/ipvs', 'settings'],
    [resolver, 'tunnel'],
    ['/d/lab/services/fwmark-7-ipv4', 'fwmark'],
  ] as const) {
    await go(path)
    await page.waitForTimeout(400)
    await shoot(page, `ipvs-${name}-${width}`)
    await expectTidy(page)
  }
  await page.getByRole('heading', { name: 'marked' }).waitFor()
  await page.getByText('fwmark 7', { exact: true }).waitFor()
})

test('fifty real servers with IPv6 addresses: told apart by their ends, in the table, the graphs and on the map', async () => {
  const { page, go } = await openScenario(browser, await ipvsScenarios.ipvsFifty(), {
    viewport: { width: 1024, height: 700 },
  })
  const table = page.getByRole('table', { name: 'Real servers' })
  await table.getByTitle('[2001:db8:1234:5678:9abc:def0:4321:5a01]:8443').first().waitFor()
  await page.keyboard.press('/')
  await page.keyboard.type('5a0e')
  await table.getByText('Down').waitFor()
  await shoot(page, 'ipvs-fifty')
  await page.keyboard.press('Escape')
  await expectTidy(page)
  await page.getByRole('tab', { name: 'Traffic' }).click()
  await page.getByRole('heading', { name: 'New connections per real server' }).waitFor()
  await shoot(page, 'ipvs-fifty-traffic')
  await expectTidy(page)
  await go('/d/lab/topology')
  await page.getByRole('listbox').waitFor()
  await shoot(page, 'ipvs-fifty-topology')
  await expectAccessible(page)
})

test('replies are drawn past the director in DR and Tunnel, and back through it in NAT and FullNAT', async () => {
  const { page } = await openScenario(browser, await ipvsScenarios.ipvs(), { path: '/d/lab/topology' })
  await page.getByText('Replies past the director (DR, Tunnel)').waitFor()
  await page.getByText('Replies back through it (NAT, FullNAT)').waitFor()
  await page.locator('[data-id="back tcp/192.0.2.12:25"]').waitFor({ state: 'attached' })
  await page.locator(`[data-id="reply udp/[${longVip}]:53"]`).waitFor({ state: 'attached' })
  expect(await page.locator('[data-id="reply tcp/192.0.2.12:25"]').count()).toBe(0)
  expect(await page.locator(`[data-id="back udp/[${longVip}]:53"]`).count()).toBe(0)
  await page.getByRole('button', { name: /192\.0\.2\.91:3306/ }).click()
  const details = page.getByRole('complementary', { name: 'Details' })
  await details.getByText('Inactive').waitFor()
  expect(await details.getByRole('button', { name: 'Drain' }).count()).toBe(0)
  await shoot(page, 'ipvs-topology-foreign')
})

test('a foreign service is marked, shows its figures, and offers no change', async () => {
  const { page, go } = await openScenario(browser, await ipvsScenarios.ipvs())
  const card = page.getByRole('link', { name: /^192\.0\.2\.90:3306/ })
  await card.getByText('Set up by somebody else, never touched').waitFor()
  await expect.poll(() => card.innerText(), patience).toMatch(/[1-9][\d.]* connections\/s/)
  await shoot(page, 'ipvs-overview')
  await expectAccessible(page)
  await card.click()
  await page.getByText('nothing can be changed until it is taken over').waitFor()
  const table = page.getByRole('table', { name: 'Real servers' })
  await expect
    .poll(() => table.getByRole('row').filter({ hasText: '192.0.2.91:3306' }).innerText(), patience)
    .toMatch(/bit\/s/)
  expect(await page.getByRole('tab').allInnerTexts()).toEqual(['Traffic', 'Real servers'])
  expect(await page.getByRole('button', { name: 'Add real servers' }).count()).toBe(0)
  expect(await page.getByLabel(/^Weight of/).count()).toBe(0)
  await page.getByRole('button', { name: 'Adopt 192.0.2.90:3306…' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Cancel' }).click()
  await shoot(page, 'ipvs-foreign')
  await expectTidy(page)
  await go('/d/lab/services')
  await page.getByRole('row').filter({ hasText: '192.0.2.90:3306' }).getByText('foreign').waitFor()
  await page.keyboard.press('Control+k')
  await page.keyboard.type('192.0.2.90')
  await page.getByRole('button', { name: /^192\.0\.2\.90:3306/ }).waitFor()
  expect(foreignKey).toBe('tcp/192.0.2.90:3306')
})

test('the table of connections: 12,340 behind the agent, one page here; filtered, sorted, paged, copied', async () => {
  const { page } = await openScenario(browser, await ipvsScenarios.ipvs(), {
    permissions: ['clipboard-read', 'clipboard-write'],
  })
  await page.getByText('Degraded').first().waitFor()
  await page.keyboard.press('g')
  await page.keyboard.press('n')
  const table = page.getByRole('table', { name: 'Connections' })
  await page.getByText('Showing 200 of 12,340').waitFor()
  await page.getByText('IPVS keeps none per connection').waitFor()
  expect(await table.getAttribute('aria-rowcount')).toBe('201')
  await expectTidy(page)
  await expectAccessible(page)
  await page.getByRole('button', { name: 'Next page' }).click()
  await page.getByText('rows 201 to 400').waitFor()
  await table.getByRole('button', { name: 'Expires in, s' }).click()
  await page.getByText('rows 1 to 200').waitFor()
  await expect.poll(() => table.getByRole('row').nth(1).getByRole('cell').last().innerText(), patience).toBe('0')
  await page.keyboard.press('/')
  await page.keyboard.type('2001:db8:feed:1')
  await page.getByText(/ of [\d,]+ · rows 1 to .* · 12,340 in the table/).waitFor()
  await shoot(page, 'connections-filtered')
  await page.getByLabel('Client, or its beginning').fill('no-address')
  await page.getByRole('alert').getByText('found no-address, expected an address or its beginning').waitFor()
  await page.getByLabel('Client, or its beginning').fill('9.9.9.9')
  await page.getByText('No connection matches the filter.').waitFor()
  await page.getByRole('button', { name: 'Clear the filter' }).click()
  await page.getByText('Showing 200 of 12,340').waitFor()
  await page.getByRole('button', { name: 'Pause' }).click()
  await page.getByText('· paused').waitFor()
  await page.getByRole('button', { name: 'Copy page as CSV' }).click()
  await page.getByText('Copied').first().waitFor()
  const csv = await page.evaluate(() => navigator.clipboard.readText())
  expect(csv.trim().split('\r\n')).toHaveLength(201)
})

test('the connections of one service are a link away, and a table that is cut says so', async () => {
  const { page, go } = await openScenario(browser, await ipvsScenarios.ipvsCut(), { path: resolver })
  await page.getByRole('main').getByRole('link', { name: 'Connections' }).click()
  await page.getByText(/Showing 200 of 1,4\d\d/).waitFor()
  await page.getByText('matched and sorted is what was read, not all 12,340').waitFor()
  await go('/d/lab/connections')
  await page.getByText('Showing 200 of 10,000').waitFor()
})

test('without a connection, without a service and without the module the view says which of these it is', async () => {
  const quiet = await openScenario(browser, await ipvsScenarios.ipvsQuiet())
  await quiet.page.getByText('No connection at the moment.').waitFor()
  const none = await openScenario(browser, 'noService', { path: '/d/lab/connections' })
  await none.page.getByText('No service on lab director.').waitFor()
  const missing = await openScenario(browser, await ipvsScenarios.ipvsGone())
  await missing.page.getByText('IPVS cannot be read on lab director.').waitFor()
  await missing.page.getByRole('link', { name: 'Show IPVS of the director' }).click()
  await missing.page.getByText('Module missing').waitFor()
})

test('flows of the eBPF dataplane stand in the table, with packets and bytes', async () => {
  const { page } = await openScenario(browser, 'live', { path: '/d/lab/connections' })
  const table = page.getByRole('table', { name: 'Connections' })
  await table.getByRole('columnheader', { name: 'Packets' }).waitFor()
  await table.getByRole('cell', { name: '1,380' }).first().waitFor()
  await page.getByRole('combobox', { name: 'State' }).click()
  await page.getByRole('option', { name: 'CLOSING' }).click()
  await expect.poll(() => table.getByRole('cell', { name: 'ESTABLISHED' }).count()).toBe(0)
  expect(await table.getByRole('cell', { name: 'CLOSING' }).count()).toBeGreaterThan(0)
})

test('a lost director leaves the page of connections as it was, greyed', async () => {
  const { page, scenario } = await openScenario(browser, await ipvsScenarios.ipvs(), { path: '/d/lab/connections' })
  await page.getByText('Showing 200 of 12,340').waitFor()
  scenario.console.lose('lab')
  await page.getByRole('status').filter({ hasText: 'is not connected. Shown is what it said last' }).waitFor()
  await page.getByText('Showing 200 of 12,340').waitFor()
  expect(await page.locator('.sb-stale').count()).toBeGreaterThan(0)
})

test('Chinese: the same views without a word of English in between', async () => {
  const { page, go } = await openScenario(browser, await ipvsScenarios.ipvs(), {
    locale: 'zh-CN',
    viewport: { width: 1024, height: 700 },
  })
  for (const [path, text] of [
    ['/d/lab/overview', '由他人设置，从不改动'],
    ['/d/lab/services', '外部'],
    ['/d/lab/connections', '包数和字节数为客户端方向；IPVS 不按连接统计。'],
    ['/d/lab/ipvs', '连接同步'],
    [nat, 'IPVS 每 2 秒刷新速率'],
  ] as const) {
    await go(path)
    await page.getByText(text).first().waitFor()
    await shoot(page, `ipvs-zh-${path.split('/')[3]}`)
    await expectTidy(page)
  }
})
