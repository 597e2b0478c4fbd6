import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { expectAccessible, launchChromium, shoot } from './support/browser.ts'
import { cutWithoutTitle, overlappingTexts, widerThanFrame } from './support/judge-layout.ts'
import { openScenario } from './support/open-scenario.ts'

let browser: Browser
beforeAll(async () => {
  browser = await launchChromium()
})
afterAll(() => browser.close())

async function expectTidy(page: Page): Promise<void> {
  expect(await widerThanFrame(page)).toEqual([])
  expect(await cutWithoutTitle(page)).toEqual([])
  expect(await overlappingTexts(page)).toEqual([])
}

/** All of it in sight: a row that the edge cuts counts as too small a target. */
const tall = { width: 1440, height: 1500 }

test('the dataplane says where it is attached and why, how full its cache is, and what became of packets by name', async () => {
  const { page } = await openScenario(browser, 'live', { path: '/d/lab/ebpf', viewport: tall })
  await page.getByText(/^eth0 · tcx$/).waitFor()
  await page.getByText(/of 262,144 entries in use/).waitFor()
  const drops = page.getByRole('table', { name: 'Dropped, by name' })
  await drops.getByRole('rowheader', { name: 'Fragment of a packet to a service' }).waitFor()
  const sent = page.getByRole('table', { name: 'Sent to real servers' })
  await expect
    .poll(async () => Number((await sent.getByRole('cell').first().innerText()).replaceAll(/\D/g, '')))
    .toBeGreaterThan(0)
  await page.getByRole('table', { name: 'Rings' }).getByRole('link').first().waitFor()
  await expectAccessible(page)
  await expectTidy(page)
  await shoot(page, 'ebpf')
})

test('new connections are stopped after a question that names the services, and everybody who looks is told', async () => {
  const { page, go } = await openScenario(browser, 'live', { path: '/d/lab/ebpf', viewport: tall })
  await page.getByRole('button', { name: 'Stop new connections…' }).click()
  const dialog = page.getByRole('dialog', { name: /Stop new connections on lab director/ })
  await dialog.getByText('192.0.2.10:80').waitFor()
  await dialog.getByText('signalbox new-flows stopped').waitFor()
  await expectAccessible(page)
  await dialog.getByRole('button', { name: 'Cancel' }).click()
  await dialog.waitFor({ state: 'hidden' })
  await page.getByText('Balanced', { exact: true }).waitFor()

  await page.getByRole('button', { name: 'Stop new connections…' }).click()
  await dialog.getByRole('button', { name: 'Stop new connections' }).click()
  await page.getByText('Stopped', { exact: true }).waitFor()
  await shoot(page, 'ebpf-stopped')
  await go('/d/lab/overview')
  await page.getByRole('status').filter({ hasText: 'New connections of eBPF services are stopped.' }).waitFor()
  await page.getByText('New connections of eBPF services are stopped; known ones go on').first().waitFor()

  await go('/d/lab/ebpf')
  await page.getByRole('button', { name: 'Balance new connections' }).click()
  await page.getByText('Balanced', { exact: true }).waitFor()
})

test('without an eBPF service there is nothing to stop, and the hooks of the kernel are shown all the same', async () => {
  const { page } = await openScenario(browser, 'noService', { path: '/d/lab/ebpf' })
  await page.getByText('Attached nowhere: the director has no eBPF service.').waitFor()
  await page.getByText(/^tcx: usable$/).waitFor()
  expect(await page.getByRole('button', { name: 'Stop new connections…' }).isDisabled()).toBe(true)
})

test('Chinese: the same view', async () => {
  const { page } = await openScenario(browser, 'live', {
    path: '/d/lab/ebpf',
    locale: 'zh-CN',
    viewport: { width: 1024, height: 700 },
  })
  await page.getByText('发往服务的分片').waitFor()
  await expectTidy(page)
  await shoot(page, 'ebpf-zh')
})
