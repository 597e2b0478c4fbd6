import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { connectStepIds } from '../../core/contract/session.ts'
import { connect } from '../../renderer/locales/en/connect.ts'
import { scenarios, standingAt } from '../fakes/console-scenarios.ts'
import { expectAccessible, launchChromium, shoot } from './support/browser.ts'
import { openScenario } from './support/open-scenario.ts'

let browser: Browser
beforeAll(async () => {
  browser = await launchChromium()
})
afterAll(() => browser.close())

test('without a director the page says what connecting does and offers the form', async () => {
  const { page } = await openScenario(browser, 'noDirector')
  await page.getByRole('heading', { name: 'Connect a director' }).waitFor()
  await page.getByText('What connecting does').waitFor()
  expect(await page.getByText('No director connected.').isVisible()).toBe(true)
  await shoot(page, 'no-director')
  await expectAccessible(page)
  await page.getByRole('main').getByRole('button', { name: 'Other host…' }).last().click()
  await page.getByLabel('Host', { exact: true }).waitFor()
})

test('a running lab is offered with its free VIP, its addresses and its fingerprint, and can be dismissed', async () => {
  const { page } = await openScenario(browser, 'lab')
  const card = page.getByText('A lab is running on this machine').locator('xpath=ancestor::section[1]')
  for (const text of ['192.0.2.50', '192.0.2.61', '192.0.2.62', '192.0.2.63', 'SHA256:9Q2mS6rVt0iH3xqXn']) {
    await card.getByText(text).first().waitFor()
  }
  await shoot(page, 'lab-offered')
  await page.getByRole('button', { name: 'Dismiss this card' }).click()
  await card.waitFor({ state: 'detached' })
})

test('each step of a connection is shown while it runs, the ones before it as done', async () => {
  const { page, go } = await openScenario(browser, standingAt(connectStepIds), { path: '/connect' })
  for (const [i, id] of connectStepIds.entries()) {
    await go(`/connect/at-${id.toLowerCase()}`)
    await page.getByRole('button', { name: 'Connect', exact: true }).click()
    const steps = page.getByRole('list', { name: 'Steps of the connection' }).getByRole('listitem')
    const running = steps.nth(i)
    await expect.poll(() => running.getAttribute('data-state')).toBe('running')
    await running.getByText(connect.connect[id].title, { exact: true }).waitFor()
    const states = await steps.evaluateAll((items) => items.map((item) => item.getAttribute('data-state')))
    expect(states.slice(0, i).every((state) => state === 'done' || state === 'skipped')).toBe(true)
    expect(states.slice(i + 1).every((state) => state === 'pending')).toBe(true)
    await shoot(page, `connecting-${i + 1}-${id.toLowerCase()}`)
    await page.getByRole('button', { name: 'Cancel', exact: true }).click()
    await page.getByText('Not connected. Connecting reads facts first').waitFor()
  }
})

test('an unknown host key asks with its fingerprint and how to compare it; Enter refuses it', async () => {
  const { page } = await openScenario(browser, 'hostKey')
  await page.getByRole('button', { name: 'Connect', exact: true }).click()
  const dialog = page.getByRole('dialog')
  expect(await dialog.getByTestId('fingerprint').innerText()).toBe('SHA256:9Q2mS6rVt0iH3xqXnG8bQv2yL1kYwJ5dZ4cPaTeUfRo')
  await dialog.getByText('ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub').waitFor()
  await dialog.getByRole('button', { name: 'Accept and pin' }).waitFor()
  await shoot(page, 'host-key-question')
  await expectAccessible(page)
  await page.keyboard.press('Enter')
  await page.getByText('The host key was not accepted.').waitFor()
})

test('a changed host key stops, shows both fingerprints and has no way around', async () => {
  const { page } = await openScenario(browser, 'keyChanged')
  await page.getByRole('button', { name: 'Connect', exact: true }).click()
  const stop = page.getByRole('alert', { name: /has changed/ })
  await stop.getByText('SHA256:9Q2mS6rVt0iH3xqXnG8bQv2yL1kYwJ5dZ4cPaTeUfRo').first().waitFor()
  await stop.getByText('SHA256:kU3vW0z6Yb1tDqE9oLr5sHnJ7cXaPf2mGi8QyTeBwRs').first().waitFor()
  for (const name of [/accept/i, /try again/i, /^Connect$/, /ignore/i]) {
    expect(await page.getByRole('button', { name }).count(), String(name)).toBe(0)
  }
  await shoot(page, 'host-key-changed')
  await expectAccessible(page)
})

test('without an agent the installation is asked for, with what goes where, then runs to the overview', async () => {
  const { page } = await openScenario(browser, 'agentMissing')
  await page.getByRole('button', { name: 'Connect', exact: true }).click()
  const dialog = page.getByRole('dialog', { name: 'Install the agent?' })
  await dialog.getByText('There is no agent on this host.').waitFor()
  await dialog.getByText('/opt/signalbox/0.1.0').waitFor()
  await dialog.getByText('It is installed as root.').waitFor()
  await shoot(page, 'agent-missing')
  await expectAccessible(page)
  await dialog.getByRole('button', { name: 'Install 0.1.0' }).click()
  await page.waitForURL(/#\/d\/lab\/overview/)
})

test('an older agent is named with its version and replaced only after the question', async () => {
  const { page } = await openScenario(browser, 'agentOld')
  await page.getByRole('button', { name: 'Connect', exact: true }).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByText('version 0.0.9; this console needs 0.1.0').waitFor()
  await dialog.getByRole('button', { name: 'Replace by 0.1.0' }).waitFor()
  await shoot(page, 'agent-older')
  await dialog.getByRole('button', { name: 'Cancel' }).last().click()
  await page.getByText('There is no agent on this host.').waitFor()
})

test('a host that cannot run the agent fails at its step and names what is missing', async () => {
  const { page } = await openScenario(browser, await scenarios.unfit())
  await page.getByRole('button', { name: 'Connect', exact: true }).click()
  const failed = page.locator('li[data-state="failed"]')
  await failed.getByText('The agent cannot be installed on this host.').waitFor()
  await failed.getByText('5.10.0').first().waitFor()
  await shoot(page, 'host-unfit')
  await expectAccessible(page)
})
