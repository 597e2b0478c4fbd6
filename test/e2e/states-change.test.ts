import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { AppError } from '../../core/contract/errors.ts'
import type { Scenario } from '../fakes/console-scenarios.ts'
import { expectAccessible, launchChromium, shoot } from './support/browser.ts'
import { widerThanFrame } from './support/judge-layout.ts'
import { openScenario } from './support/open-scenario.ts'

let browser: Browser
beforeAll(async () => {
  browser = await launchChromium()
})
afterAll(() => browser.close())

const api = '/d/lab/services/tcp-192.0.2.11-8443'

async function setWeight(page: Page, server: string, weight: string): Promise<void> {
  await page.getByLabel(`Weight of ${server}`).fill(weight)
  await page.keyboard.press('Enter')
  await page.getByRole('button', { name: 'Review', exact: true }).waitFor()
}

async function applyPending(page: Page, confirmSeconds?: string): Promise<void> {
  await page.getByRole('button', { name: 'Review', exact: true }).click()
  if (confirmSeconds !== undefined) await page.getByLabel('Seconds to confirm').fill(confirmSeconds)
  await page.getByRole('button', { name: /^Apply \d+ step/ }).click()
}

const hostOf = (scenario: Scenario) => {
  const host = scenario.hosts[0]
  if (host === undefined) throw new TypeError('The scenario has no host.')
  return host
}
const weightInKernel = (scenario: Scenario, server: string) =>
  hostOf(scenario)
    .kernel.services.get('tcp/192.0.2.11:8443')
    ?.realServers.find(({ address, port }) => `${address}:${port}` === server)?.weight

test('a step that the kernel refuses: the change is taken back, the reason stands by it, the edits stay', async () => {
  const { page, scenario } = await openScenario(browser, 'live', { path: api })
  hostOf(scenario).kernel.hook = async (call, moment) => {
    if (call === 'realServer.change 192.0.2.30:8443' && moment === 'before') {
      throw new AppError('KERNEL', 'The map of real servers is full.', { details: { errno: 'ENOSPC' } })
    }
  }
  await setWeight(page, '192.0.2.30:8443', '5')
  await applyPending(page)
  const drawer = page.getByRole('dialog', { name: 'Review the change' })
  await drawer.getByText("The director's kernel refused.").waitFor()
  await drawer.getByText('The map of real servers is full.').first().waitFor()
  await shoot(page, 'apply-refused')
  await expectAccessible(page)
  await drawer.getByRole('button', { name: 'Later' }).click()
  await page.getByText(/Revision \d+ failed and was taken back/).waitFor()
  expect(await page.getByLabel('Weight of 192.0.2.30:8443').inputValue()).toBe('5')
  expect(weightInKernel(scenario, '192.0.2.30:8443')).toBe(1)
  await shoot(page, 'apply-refused-footer')
})

test('a document that the director refuses names the field, what was found and what is expected', async () => {
  const { page } = await openScenario(browser, 'live', { path: '/d/lab/share' })
  const document = (vip: string) => `apiVersion: signalbox/v1
name: lab
services:
  - name: web
    vip: ${vip}
    port: 80
    realServers:
      - { address: 192.0.2.20, port: 80 }
`
  const choose = (buffer: Buffer) =>
    page.locator('input[type=file]').setInputFiles({ name: 'cluster.yaml', mimeType: 'text/yaml', buffer })
  await choose(Buffer.alloc(0))
  await page.getByText(/found nothing, expected a document; the file is empty/).waitFor()
  await choose(Buffer.from('apiVersion: signalbox/v1\nname: caf\xe9\n', 'latin1'))
  await page.getByText('line 2: found bytes that are not UTF-8, expected text in UTF-8').waitFor()
  await page.getByLabel('Document to import').fill(document('192.0.2.300'))
  await page.getByRole('button', { name: 'Review as a change…' }).click()
  await page
    .getByText(/found "192\.0\.2\.300", expected/)
    .first()
    .waitFor()
  await shoot(page, 'import-refused')
  await page.getByLabel('Document to import').fill(document('192.0.2.2'))
  await page.getByRole('button', { name: 'Review as a change…' }).click()
  const drawer = page.getByRole('dialog', { name: 'Review the change' })
  await drawer
    .getByText(/found "?192\.0\.2\.2"?, expected/)
    .first()
    .waitFor()
  expect(await drawer.getByRole('button', { name: /^Apply/ }).isDisabled()).toBe(true)
  await shoot(page, 'document-refused')
  await expectAccessible(page)
})

test('a change that nobody confirms reverts by itself, and the page says so and why', async () => {
  const { page, scenario, go } = await openScenario(browser, 'live', { path: api })
  await setWeight(page, '192.0.2.30:8443', '5')
  await applyPending(page, '6')
  await page.getByText(/Revision 2 awaits confirmation/).waitFor()
  expect(await page.getByRole('timer').innerText()).toMatch(/reverts in \d s/)
  await shoot(page, 'apply-awaits')
  await page.getByText('Revision 2 was reverted').waitFor()
  await expect.poll(() => weightInKernel(scenario, '192.0.2.30:8443')).toBe(1)
  await go('/d/lab/changes')
  await page.getByText('Reverted: nobody confirmed it in time').waitFor()
  await shoot(page, 'apply-reverted')
  await expectAccessible(page)
})

test('a director lost while a change awaits its confirmation: the page says at what director time it reverts', async () => {
  const { page, scenario } = await openScenario(browser, 'live', { path: api })
  await setWeight(page, '192.0.2.30:8443', '5')
  await applyPending(page)
  await page.getByText(/Revision 2 awaits confirmation/).waitFor()
  scenario.console.lose('lab')
  const task = page.getByRole('status').filter({ hasText: 'Without confirmation revision 2 reverts by itself at' })
  await task.waitFor()
  expect(await task.innerText()).toMatch(/\d{4}-\d\d-\d\d \d\d:\d\d:\d\d -0[23]:30 by the director's clock/)
  await shoot(page, 'lost-while-awaiting')
})

test('edits survive a reload; an outdated base keeps them, shows what the other one changed, and puts them on top', async () => {
  const { page, scenario } = await openScenario(browser, 'live', { path: api })
  await setWeight(page, '192.0.2.30:8443', '5')
  await page.reload()
  await page.getByText('1 change not applied').waitFor()
  expect(await page.getByLabel('Weight of 192.0.2.30:8443').inputValue()).toBe('5')
  const { reconciler } = hostOf(scenario).agent
  const { spec, revision } = await reconcilerState(scenario)
  await reconciler.apply({
    spec: {
      ...spec,
      services: spec.services.map((service) =>
        service.vip === '192.0.2.11'
          ? { ...service, realServers: service.realServers.map((one, i) => (i === 3 ? { ...one, weight: 7 } : one)) }
          : service,
      ),
    },
    adopt: [],
    drainSec: 0,
    baseRevision: revision,
    confirmWithinSec: null,
    author: { user: 'bob', via: 'cli', from: 'lb1' },
    message: 'More for the fourth',
    protectedAddresses: [],
  })
  await page.getByRole('button', { name: 'Review', exact: true }).click()
  const outdated = page.getByRole('alert', { name: 'Outdated base' })
  await outdated.getByText('The director is at revision 2 by now; this change was made on revision 1.').waitFor()
  await outdated.getByText('weight: 7').waitFor()
  const apply = page.getByRole('button', { name: 'Apply 1 step' })
  await apply.waitFor()
  expect(await apply.isDisabled()).toBe(true)
  // The other's change is not taken back in what is reviewed, nor in the table behind it.
  const steps = page.getByRole('region', { name: 'What happens' }).getByRole('listitem')
  expect(await steps.allInnerTexts()).toEqual([expect.stringContaining('192.0.2.30:8443')])
  expect(await page.getByLabel('Weight of 192.0.2.33:8443').inputValue()).toBe('7')
  await shoot(page, 'outdated-base')
  await expectAccessible(page)
  await outdated.getByRole('button', { name: 'Put the edits on revision 2' }).click()
  await outdated.waitFor({ state: 'detached' })
  await apply.click()
  await page.getByRole('button', { name: 'Keep', exact: true }).click()
  await expect.poll(() => weightInKernel(scenario, '192.0.2.30:8443')).toBe(5)
  expect(weightInKernel(scenario, '192.0.2.33:8443')).toBe(7)
})

async function reconcilerState(scenario: Scenario) {
  const { handlers } = hostOf(scenario)
  const abort = new AbortController()
  try {
    for await (const state of handlers['director.watch']({}, { signal: abort.signal, peer: 'test' })) return state
  } finally {
    abort.abort()
  }
  throw new TypeError('The agent sent no state.')
}

test('a real server that cannot be reached is never passed: Next waits until the operator goes on without it', async () => {
  const { page } = await openScenario(browser, 'unprepared')
  await page.getByRole('button', { name: 'New service' }).click()
  await page.getByLabel('Name', { exact: true }).fill('web-80')
  await page.getByLabel('Port', { exact: true }).fill('80')
  const next = page.getByRole('button', { name: 'Next', exact: true })
  for (let step = 0; step < 3; step++) await next.click()
  await page.getByLabel('VIP').fill('192.0.2.50')
  await page.getByLabel('Paste real servers').fill('192.0.2.61\n192.0.2.62:80 2\n192.0.2.63')
  await page.getByRole('button', { name: 'Add lines' }).click()
  await next.click()
  const row = (host: string) => page.getByRole('row').filter({ has: page.getByRole('button', { name: host }) })
  await row('192.0.2.63').getByText('could not be read').waitFor()
  await row('192.0.2.61').getByText('not ready').waitFor()
  await row('Director').getByText('ready', { exact: true }).waitFor()
  expect(await next.isDisabled()).toBe(true)
  await page.getByRole('button', { name: '192.0.2.63' }).click()
  await page.getByText('192.0.2.63 port 22 does not answer.').first().waitFor()
  // The commands of a fix are the widest thing of the wizard: they scroll by themselves.
  await page.getByRole('button', { name: '192.0.2.61' }).click()
  await page.getByText('arp_ignore=1').first().waitFor()
  expect(await widerThanFrame(page)).toEqual([])
  await shoot(page, 'wizard-host-unreachable')
  await expectAccessible(page)
  await page.getByRole('button', { name: /^Fix all \d findings…/ }).click()
  await page.getByRole('region', { name: 'Commands of the fixes' }).getByText('arp_ignore=1').first().waitFor()
  await page.getByRole('button', { name: 'Run on 2 hosts' }).click()
  await row('192.0.2.62').getByText('ready', { exact: true }).waitFor()
  await row('192.0.2.63').getByText('could not be read').waitFor()
  expect(await next.isDisabled()).toBe(true)
  await page.getByRole('checkbox', { name: /^Go on without/ }).check()
  await next.click()
  await page.getByText(/Noted in the history: goes on without .*192\.0\.2\.63/).waitFor()
  await shoot(page, 'wizard-review-without')
})
