import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { ipvsScenarios, longVip } from '../fakes/ipvs-scenarios.ts'
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

async function expectTidy(page: Page): Promise<void> {
  expect(await widerThanFrame(page)).toEqual([])
  expect(await cutWithoutTitle(page)).toEqual([])
  expect(await overlappingTexts(page)).toEqual([])
}

test('settings of IPVS: edits become a change that is reviewed and applied, and the original is kept to go back to', async () => {
  const { page } = await openScenario(browser, await ipvsScenarios.ipvs(), {
    path: '/d/lab/ipvs',
    // All of it in sight: a row that the edge cuts counts as too small a target.
    viewport: { width: 1440, height: 1600 },
  })
  await page.getByText('4,096 buckets (conn_tab_bits 12)').waitFor()
  await page.getByText('not in this kernel: twos').waitFor()
  const timeouts = page.getByRole('table', { name: 'Timeouts' })
  await expect.poll(() => timeouts.getByRole('row').nth(1).innerText(), patience).toMatch(/900\s+1800[\s\S]*900/)
  const udp = page.getByLabel('Set UDP to')
  await udp.fill('0')
  await udp.blur()
  expect(await udp.getAttribute('aria-invalid')).toBe('true')
  expect(await udp.getAttribute('title')).toMatch(/found 0/)
  await udp.fill('60')
  await page.keyboard.press('Enter')
  await page.getByText('1 change not applied').waitFor()
  await page.getByLabel('Set conntrack to').fill('1')
  await page.keyboard.press('Enter')
  await page.getByRole('switch', { name: 'Run the sync daemon' }).click()
  await page.getByRole('button', { name: 'Put into the change' }).click()
  await page.getByText(/expected a network interface name/).waitFor()
  await page.getByRole('combobox', { name: 'Interface' }).click()
  await page.getByRole('option', { name: 'eth0' }).click()
  await page.getByRole('button', { name: 'Put into the change' }).click()
  await page.getByText('3 changes not applied').waitFor()
  await shoot(page, 'ipvs-settings-pending')
  await expectAccessible(page)
  await page.getByRole('button', { name: 'Review' }).click()
  await page.getByRole('button', { name: /^Apply \d+ steps/ }).click()
  await page.getByRole('button', { name: 'Keep' }).click()
  await expect.poll(() => timeouts.getByRole('row').nth(3).innerText(), patience).toMatch(/300\s+60[\s\S]*300/)
  const running = page.getByRole('table', { name: 'Running' })
  await expect.poll(() => running.innerText(), patience).toMatch(/master\s+eth0[\s\S]*backup\s+eth0/)
  expect(await running.getByText('ours').count()).toBe(2)
})

test('the role: the question names the VIPs before anything is lowered, and standby is said wherever one looks', async () => {
  const { page, go } = await openScenario(browser, await ipvsScenarios.ipvs(), { path: '/d/lab/ipvs' })
  await page.getByRole('button', { name: 'Make standby…' }).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByText(longVip).waitFor()
  await expectAccessible(page)
  await dialog.getByRole('button', { name: 'Lower 4 VIPs' }).click()
  await page.getByText('another director carries the VIPs').waitFor()
  await go('/d/lab/overview')
  await page.getByText('This director is standby').waitFor()
  await page.getByRole('link', { name: 'Show the role' }).click()
  await page.getByRole('button', { name: 'Make active…' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Raise 4 VIPs' }).click()
  await page.getByText('The director carries the VIPs of its services.').waitFor()
})

test.each([
  ['ipvsNotLoaded', 'Module not loaded', 'the agent loads it with the first IPVS service'],
  ['ipvsMissing', 'Module missing', 'boot a kernel that has it'],
  ['ipvsForbidden', 'No permission', 'CAP_NET_ADMIN is missing'],
] as const)('%s is an answer of its own with a remedy', async (scenario, word, remedy) => {
  const { page } = await openScenario(browser, await ipvsScenarios[scenario]())
  await page.getByText(word, { exact: true }).waitFor()
  await page.getByText(remedy).waitFor()
  await shoot(page, `ipvs-${scenario}`)
  await expectTidy(page)
})

test('a program that rules IPVS by itself is named with its pid, on the board and beside the settings', async () => {
  const { page, go } = await openScenario(browser, await ipvsScenarios.ipvsWriters())
  await page.getByText('keepalived (pid 812) runs here and changes IPVS by itself.').waitFor()
  await go('/d/lab/ipvs')
  await page.getByText('Signalbox does not fight it').waitFor()
  await page.getByText('set up by somebody else, never touched').waitFor()
  await shoot(page, 'ipvs-writers')
  await expectTidy(page)
})
