import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { AppError } from '../../core/contract/errors.ts'
import { realServerKey, serviceKey } from '../../core/model/service.ts'
import type { Scenario } from '../fakes/console-scenarios.ts'
import { expectAccessible, launchChromium, shoot } from './support/browser.ts'
import { cutWithoutTitle, overlappingTexts, widerThanFrame } from './support/judge-layout.ts'
import { openScenario } from './support/open-scenario.ts'

let browser: Browser
beforeAll(async () => {
  browser = await launchChromium()
})
afterAll(async () => {
  await browser.close()
})

async function judge(page: Page, name: string): Promise<void> {
  await shoot(page, name)
  await expectAccessible(page)
  expect([
    ...(await cutWithoutTitle(page)),
    ...(await overlappingTexts(page)),
    ...(await widerThanFrame(page)),
  ]).toEqual([])
}

const api = 'tcp/192.0.2.11:8443'
const apiPath = '/d/lb1/services/tcp-192.0.2.11-8443'
const realServer = '192.0.2.30:8443'

const hostOf = (scenario: Scenario, i: number) => {
  const host = scenario.hosts[i]
  if (host === undefined) throw new TypeError(`The scenario has no host ${i}.`)
  return host
}
const weightAt = (scenario: Scenario, i: number): number | undefined =>
  hostOf(scenario, i)
    .kernel.observe()
    .services.find((service) => serviceKey(service) === api)
    ?.realServers.find((one) => realServerKey(one) === realServer)?.weight

async function editWeight(page: Page): Promise<void> {
  await page.getByRole('tab', { name: 'Real servers' }).click()
  const input = page.getByRole('textbox', { name: new RegExp(realServer.replaceAll('.', '\\.')) })
  await input.fill('7')
  await input.press('Enter')
  await page.getByRole('button', { name: 'Review', exact: true }).click()
  await page.getByRole('region', { name: 'Directors', exact: true }).waitFor()
}

test('one change goes to all directors of a cluster, standby first, and is kept on all with one button', async () => {
  const { page, scenario } = await openScenario(browser, 'pair', { path: apiPath })
  await editWeight(page)
  const directors = page.getByRole('region', { name: 'Directors', exact: true })
  expect(await directors.getByRole('listitem').allInnerTexts()).toEqual([
    expect.stringMatching(/lb2[^]*the same step[^]*standby/),
    expect.stringMatching(/lb1[^]*1 step[^]*active/),
  ])
  await judge(page, 'cluster-review')
  await page.getByRole('button', { name: 'Apply to 2 directors' }).click()
  const footer = page.getByRole('contentinfo')
  await footer.getByText('Applied to 2 directors; awaits confirmation').waitFor()
  await footer.getByText(/reverts in \d+ s/).waitFor()
  await judge(page, 'cluster-awaiting')
  await footer.getByRole('button', { name: 'Keep on 2 directors' }).click()
  await footer.getByText('Nothing is running or pending.').waitFor()
  expect([weightAt(scenario, 0), weightAt(scenario, 1)]).toEqual([7, 7])
})

test('a director whose kernel refuses takes all back: each says how it ended', async () => {
  const { page, scenario } = await openScenario(browser, 'pair', { path: apiPath })
  await editWeight(page)
  hostOf(scenario, 0).kernel.hook = async () => {
    throw new AppError('KERNEL', 'Writing the real server failed: ENOMEM.', { details: { errno: 'ENOMEM' } })
  }
  await page.getByRole('button', { name: 'Apply to 2 directors' }).click()
  const result = page.getByRole('dialog').getByRole('region', { name: 'Apply to the cluster' })
  await result.getByText('Failed; all 2 directors are as they were').waitFor()
  expect(await result.getByRole('listitem').allInnerTexts()).toEqual([
    expect.stringMatching(/lb2[^]*taken back/),
    expect.stringMatching(/lb1[^]*failed, is as it was[^]*lb1: Writing the real server failed: ENOMEM/),
  ])
  await judge(page, 'cluster-taken-back')
  expect([weightAt(scenario, 0), weightAt(scenario, 1)]).toEqual([1, 1])
})

test('a director that cannot be reached stops the change, unless it is left out by name', async () => {
  const { page, scenario } = await openScenario(browser, 'pairOneAway', { path: apiPath })
  await editWeight(page)
  const directors = page.getByRole('region', { name: 'Directors', exact: true })
  await directors.getByText('lb3 is not connected.').waitFor()
  expect(await page.getByRole('button', { name: 'Apply to 3 directors' }).isDisabled()).toBe(true)
  await judge(page, 'cluster-one-away')
  await directors.getByRole('checkbox', { name: /^Go on without lb3/ }).click()
  await directors.getByRole('checkbox', { name: 'Without lb3' }).waitFor()
  await page.getByRole('button', { name: 'Apply to 2 directors' }).click()
  await page.getByRole('button', { name: 'Revert on 2 directors' }).click()
  await page.getByText('Revision 2 was reverted').waitFor()
  expect([weightAt(scenario, 0), weightAt(scenario, 1)]).toEqual([1, 1])
})

test('documents that differ are shown in words and shape, compared, and brought in line', async () => {
  const { page, scenario } = await openScenario(browser, 'pairApart')
  await page.getByRole('link', { name: 'documents differ' }).waitFor()
  const cluster = page.getByRole('region', { name: 'Cluster edge-fra' })
  await cluster.getByRole('row', { name: /^lb2/ }).getByText('another one').waitFor()
  await judge(page, 'cluster-apart')
  await cluster.getByRole('button', { name: 'Compare' }).click()
  await page.getByRole('dialog').getByText('weight: 9').first().waitFor()
  await judge(page, 'cluster-compare')
  await page.keyboard.press('Escape')
  await cluster.getByRole('row', { name: /^lb1/ }).getByRole('button', { name: 'Bring all in line with this…' }).click()
  await page.getByText('It has another document (revision 1), which this one replaces.').waitFor()
  await judge(page, 'cluster-line')
  await page.getByRole('button', { name: 'Apply to 2 directors' }).click()
  await page.getByRole('button', { name: 'Keep', exact: true }).click()
  await cluster.getByRole('row', { name: /^lb2/ }).getByText('the same').waitFor()
  expect(weightAt(scenario, 1)).toBe(1)
})

test('a failover says who has the VIPs and what becomes of connections, and moves them', async () => {
  const { page, scenario } = await openScenario(browser, 'pair')
  const cluster = page.getByRole('region', { name: 'Cluster edge-fra' })
  await cluster.getByRole('row', { name: /^lb2/ }).getByRole('button', { name: 'Make active…' }).click()
  const dialog = page.getByRole('dialog', { name: 'Make lb2 active?' })
  await dialog.getByRole('listitem').filter({ hasText: '192.0.2.10' }).getByText('lb1').waitFor()
  await dialog.getByText(/^Continue while the rings agree/).waitFor()
  await judge(page, 'cluster-failover')
  await dialog.getByRole('button', { name: 'Make lb2 active' }).click()
  await cluster.getByRole('row', { name: /^lb2 .* active/ }).waitFor()
  await cluster.getByRole('row', { name: /^lb1 .* standby/ }).waitFor()
  const addresses = (i: number) =>
    hostOf(scenario, i).kernel.nics.flatMap((nic) => nic.addresses.map(({ address }) => address))
  expect(addresses(0)).not.toContain('192.0.2.10')
  expect(addresses(1)).toContain('192.0.2.10')
})

test('a failover past a director that cannot be reached wants it called dead, with the warning', async () => {
  const { page } = await openScenario(browser, 'pairOneAway')
  await page.getByRole('row', { name: /^lb2/ }).getByRole('button', { name: 'Make active…' }).click()
  const dialog = page.getByRole('dialog', { name: 'Make lb2 active?' })
  const make = dialog.getByRole('button', { name: 'Make lb2 active' })
  await dialog.getByText(/two directors answer for one address/).waitFor()
  expect(await make.isDisabled()).toBe(true)
  await judge(page, 'cluster-failover-away')
  await dialog.getByRole('checkbox', { name: /^lb3 is dead/ }).check()
  await make.click()
  await page.getByRole('row', { name: /^lb2 .* active/ }).waitFor()
})

test('drift stands line by line, and both ways out are reviewed', async () => {
  const { page } = await openScenario(browser, 'disturbed')
  const web = page.getByRole('region', { name: /^web · / })
  await web.getByRole('row', { name: 'Weight of 192.0.2.20:80 5 3' }).waitFor()
  await page
    .getByRole('region', { name: /^dns · / })
    .getByRole('row', { name: /^The service not there/ })
    .waitFor()
  await judge(page, 'drift')
  await web.getByRole('button', { name: /^Take theirs/ }).click()
  const review = page.getByRole('dialog', { name: 'Review the change' })
  await review.getByText('scheduler: wlc').waitFor()
  await review.getByRole('button', { name: 'Discard' }).click()
  await page.getByRole('button', { name: 'Restore ours…' }).click()
  await review.getByText('Add virtual service udp/192.0.2.11:53', { exact: false }).waitFor()
  await review.getByRole('button', { name: /^Apply \d+ steps/ }).click()
  await page.getByRole('button', { name: 'Keep', exact: true }).click()
  await web.waitFor({ state: 'detached' })
})

test('a service of somebody else is adopted as found; where keepalived rules, adopting and restoring are refused', async () => {
  const { page, scenario } = await openScenario(browser, 'disturbed')
  await page.getByRole('button', { name: 'Adopt 192.0.2.70:5060…' }).click()
  const dialog = page.getByRole('dialog', { name: 'Adopt 192.0.2.70:5060' })
  await dialog.getByRole('cell', { name: 'announce: none' }).waitFor()
  await judge(page, 'adopt')
  const before = JSON.stringify(hostOf(scenario, 0).kernel.services.get('ipvs udp/192.0.2.70:5060')?.realServers)
  await dialog.getByLabel('Name in the document').fill('sip')
  await dialog.getByRole('button', { name: 'Adopt', exact: true }).click()
  await dialog.waitFor({ state: 'detached' })
  await page.getByText('1 service set up by somebody else').waitFor({ state: 'detached' })
  const adopted = hostOf(scenario, 0).kernel.services.get('ipvs udp/192.0.2.70:5060')
  expect(adopted?.isForeign).toBe(false)
  expect(JSON.stringify(adopted?.realServers)).toBe(before)

  const ruled = await openScenario(browser, 'ruled', { locale: 'en-GB', colorScheme: 'light' })
  await ruled.page.getByText(/keepalived \(process 812\) changes IPVS/).waitFor()
  expect(await ruled.page.getByRole('button', { name: 'Restore ours…' }).isDisabled()).toBe(true)
  await judge(ruled.page, 'drift-ruled')
  await ruled.page.getByRole('button', { name: 'Adopt 192.0.2.70:5060…' }).click()
  await ruled.page.getByText(/^Adopting is refused: keepalived/).waitFor()
  expect(await ruled.page.getByRole('button', { name: 'Adopt', exact: true }).isDisabled()).toBe(true)
  await judge(ruled.page, 'adopt-ruled')
})

test('the same in Chinese at the smallest width', async () => {
  for (const [scenario, sentence] of [
    ['pairApart', '全部以此为准…'],
    ['ruled', '由他人设置的 1 个服务'],
  ] as const) {
    const { page } = await openScenario(browser, scenario, {
      locale: 'zh-CN',
      colorScheme: 'light',
      viewport: { width: 1024, height: 768 },
    })
    await page.getByText(sentence).first().waitFor()
    await judge(page, `${scenario}-zh`)
  }
})
