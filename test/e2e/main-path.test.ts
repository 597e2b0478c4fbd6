import type { Browser, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { acceptHostKey } from './support/accept-host-key.ts'
import { expectAccessible, launchChromium, shoot, visit, type Visitor } from './support/browser.ts'
import { type DemoProcess, startDemo } from './support/demo-process.ts'

/** The main path as one operator goes it, in one browser, against the real demo: each test goes on where the last ended. */
let demo: DemoProcess
let browser: Browser
let operator: Visitor
let page: Page
let firstViewMs = 0

const service = 'web-80'

beforeAll(async () => {
  ;[demo, browser] = await Promise.all([startDemo(), launchChromium()])
  const startedAt = performance.now()
  operator = await visit(browser, demo.url)
  page = operator.page
  page.setDefaultTimeout(20_000)
  await page.getByRole('heading', { level: 1 }).first().waitFor()
  firstViewMs = performance.now() - startedAt
}, 120_000)

afterAll(async () => {
  await browser?.close()
  await demo?.stop()
})

afterEach(async ({ task }) => {
  if (task.result?.state === 'fail') await shoot(page, 'path-failed')
})

const next = () => page.getByRole('button', { name: 'Next', exact: true }).click()
const footer = () => page.getByRole('contentinfo')

test('the lab director stands in the list, not connected, and a card gives the VIP and the real servers', async () => {
  console.log(`cold first view: ${Math.round(firstViewMs)} ms`)
  await page.goto(new URL('/#/connect', page.url()).href)
  await page.getByRole('link', { name: /Lab director/ }).waitFor()
  const card = page.getByRole('region', { name: 'A lab is running on this machine' })
  expect(await card.innerText()).toContain(demo.vip)
  for (const address of demo.realServers) expect(await card.innerText()).toContain(address)
  await shoot(page, 'path-01-start')
  await expectAccessible(page)
})

test('connecting asks about the unknown host key, then about the installation, and ends ready', async () => {
  await page.getByRole('link', { name: /Lab director/ }).click()
  await page.getByRole('button', { name: 'Connect', exact: true }).click()
  const hostKey = page.getByRole('dialog', { name: 'Unknown host key' })
  await hostKey.waitFor()
  const shown = await hostKey.getByTestId('fingerprint').innerText()
  expect(await page.getByRole('region', { name: 'A lab is running on this machine' }).innerText()).toContain(shown)
  await shoot(page, 'path-02-host-key')
  await hostKey.getByRole('button', { name: 'Accept and pin' }).click()
  const install = page.getByRole('dialog', { name: 'Install the agent?' })
  await install.waitFor()
  await shoot(page, 'path-03-install')
  await install.getByRole('button', { name: /^Install/ }).click()
  // Connected, the console opens the overview by itself.
  await page.getByText('No virtual service on Lab director yet.').waitFor({ timeout: 60_000 })
  await shoot(page, 'path-05-empty')
})

test('the wizard names a wrong port at its field and goes on when it is right', async () => {
  await page
    .getByRole('button', { name: /New service|New virtual service/ })
    .first()
    .click()
  await page.getByRole('textbox', { name: 'Name' }).fill(service)
  await page.getByRole('textbox', { name: 'Port' }).fill('70000')
  await next()
  const summary = page.getByRole('alert').filter({ hasText: '70000' })
  await summary.first().waitFor()
  expect(await summary.first().innerText()).toContain('from 1 to 65535')
  await shoot(page, 'path-06-wrong-port')
  await page.getByRole('textbox', { name: 'Port' }).fill('80')
  await next()
  await page.getByRole('radio', { name: 'DR' }).waitFor()
  await shoot(page, 'path-07-mode')
  await next()
  await shoot(page, 'path-08-dataplane')
  await next()
})

test('pasted lines become rows, and the draft survives a reload', async () => {
  await page.getByRole('textbox', { name: 'VIP' }).fill(demo.vip)
  await page.getByRole('textbox', { name: 'Paste real servers' }).fill(demo.realServers.join('\n'))
  await page.getByRole('button', { name: 'Add lines' }).click()
  await page.getByRole('textbox', { name: 'Address, real server 3' }).waitFor()
  await shoot(page, 'path-09-addresses')
  await expectAccessible(page)
  await page.reload()
  expect(await page.getByRole('textbox', { name: 'Address, real server 3' }).inputValue()).toBe(demo.realServers[2])
  expect(await page.getByRole('textbox', { name: 'VIP' }).inputValue()).toBe(demo.vip)
  await next()
})

test('the checks find what the real servers lack, the fix shows its commands and cures it', async () => {
  const row = page.getByRole('row', { name: new RegExp(demo.realServers[0] ?? '') })
  // The real servers' own host keys are asked about as the checks reach them.
  for (const _server of demo.realServers) await acceptHostKey(page)
  await expect.poll(() => row.innerText(), { timeout: 30_000 }).toContain('not ready')
  await shoot(page, 'path-10-unprepared')
  await page.getByRole('button', { name: /^Fix all/ }).click()
  const plan = page.getByRole('region', { name: 'Commands of the fixes' })
  expect(await plan.innerText()).toContain('arp_ignore')
  await shoot(page, 'path-11-fix-plan')
  await plan.getByRole('button', { name: /^Run on/ }).click()
  for (const address of demo.realServers) {
    const own = page.getByRole('row', { name: new RegExp(address) })
    await expect.poll(() => own.innerText(), { timeout: 30_000 }).toMatch(/ready/)
    await expect.poll(() => own.innerText(), { timeout: 30_000 }).not.toContain('not ready')
  }
  await shoot(page, 'path-12-prepared')
  await next()
})

test('the review shows steps and commands; applied, the service is proved by real requests and kept', async () => {
  await page.getByRole('region', { name: 'What happens' }).getByRole('listitem').first().waitFor()
  await page.getByRole('tab', { name: 'Commands' }).click()
  expect(await page.getByRole('group', { name: /commands on Lab director/i }).innerText()).toContain('signalbox apply')
  await shoot(page, 'path-13-review')
  await page.getByRole('button', { name: 'Apply', exact: true }).click()
  await page.getByRole('timer').first().waitFor()
  await page.getByRole('button', { name: 'Send requests' }).click()
  await acceptHostKey(page)
  await page.getByText(/60 requests answered, none failed/).waitFor({ timeout: 40_000 })
  await shoot(page, 'path-14-proof')
  const decide = page.getByRole('region', { name: 'Keep or revert' })
  await decide.getByRole('button', { name: 'Keep', exact: true }).click()
  await page.getByRole('heading', { level: 1, name: new RegExp(service) }).waitFor()
})

test('the service page shows the traffic of the client, and a second tab sees the same', async () => {
  await page.getByRole('tab', { name: 'Traffic' }).click()
  await page.waitForFunction(() => document.querySelectorAll('.recharts-line').length > 0, undefined, {
    timeout: 30_000,
  })
  await shoot(page, 'path-15-traffic')
  const second = await visit(browser, await demo.newLink())
  await second.page.getByText(service).first().waitFor()
  await second.context.close()
})

test('draining a real server takes it out of the ring and keeps its weight; cancelling brings it back', async () => {
  const address = `${demo.realServers[1]}:80`
  await page.getByRole('tab', { name: 'Real servers' }).click()
  await page.getByRole('button', { name: `Actions for ${address}` }).click()
  await page.getByRole('menuitem', { name: 'Drain' }).click()
  await footer().getByRole('button', { name: 'Review' }).click()
  const review = page.getByRole('dialog', { name: 'Review the change' })
  await review.getByRole('button', { name: /^Apply/ }).click()
  await footer().getByRole('button', { name: 'Keep' }).click()
  const row = page.getByRole('row', { name: new RegExp(address) })
  await expect.poll(() => row.innerText()).toMatch(/draining/i)
  await shoot(page, 'path-16-draining')
  await expectAccessible(page)
  await page.getByRole('button', { name: `Actions for ${address}` }).click()
  await page.getByRole('menuitem', { name: 'Cancel drain' }).click()
  await footer().getByRole('button', { name: 'Review' }).click()
  await review.getByRole('button', { name: /^Apply/ }).click()
  await footer().getByRole('button', { name: 'Keep' }).click()
  await expect.poll(() => row.innerText()).not.toMatch(/draining/i)
})

test('topology, changes, share and hosts show the director as it is', async () => {
  await page.getByRole('navigation', { name: 'Views' }).getByRole('link', { name: 'Topology' }).click()
  await page.getByText(demo.vip).first().waitFor()
  await shoot(page, 'path-17-topology')
  await page.getByRole('navigation', { name: 'Views' }).getByRole('link', { name: 'Changes' }).click()
  await page.getByRole('button', { name: /^Roll back to/ }).waitFor()
  await shoot(page, 'path-18-changes')
  await page.getByRole('navigation', { name: 'Views' }).getByRole('link', { name: 'Share' }).click()
  await expect.poll(() => page.getByRole('group', { name: 'Document of the cluster' }).innerText()).toContain(demo.vip)
  await shoot(page, 'path-19-share')
  await page.getByRole('navigation', { name: 'Views' }).getByRole('link', { name: 'Hosts' }).click()
  await page.getByText('tcx').first().waitFor()
  await shoot(page, 'path-20-hosts')
  await page.getByRole('navigation', { name: 'Views' }).getByRole('link', { name: 'Overview' }).click()
  await page.getByText(service).first().waitFor()
  await shoot(page, 'path-21-overview')
})

test('the page itself reported no error', () => {
  expect(operator.problems).toEqual([])
})
