// The wizard on a director whose kernel has IPVS: a service by DR and one by NAT with real packets, from unprepared hosts
// to counted connections, and everything taken back. Each test goes on where the last ended.
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import type { Browser, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { guestPackages, missingNeeds } from '../../scripts/setup/debian-packages.mjs'
import { acceptHostKey } from './support/accept-host-key.ts'
import { expectAccessible, launchChromium, shoot, visit, type Visitor } from './support/browser.ts'
import { type DemoProcess, startDemo } from './support/demo-process.ts'

const missing = missingNeeds('guest')
  .map(({ name }) => name)
  .filter((name) => guestPackages.includes(name))

let demo: DemoProcess
let browser: Browser
let operator: Visitor
let page: Page

beforeAll(async () => {
  if (missing.length > 0) return
  ;[demo, browser] = await Promise.all([startDemo(['--guest']), launchChromium()])
  operator = await visit(browser, demo.url)
  page = operator.page
  page.setDefaultTimeout(60_000)
})
beforeEach((context) => {
  if (missing.length > 0) context.skip(`not installed: ${missing.join(' ')}`)
})
afterEach(async ({ task }) => {
  if (task.result?.state === 'fail') await shoot(page, 'guest-failed')
})
afterAll(async () => {
  await browser?.close()
  await demo?.stop()
})

const natVip = '10.1.0.101'
const patience = { timeout: 90_000 }
const views = (name: RegExp) => page.getByRole('navigation', { name: 'Views' }).getByRole('link', { name })
const footer = () => page.getByRole('contentinfo')
const heading = (name: string) => page.getByRole('heading', { name, exact: true }).waitFor()
const rowOf = (text: string) => page.getByRole('row', { name: new RegExp(text.replaceAll('.', '\\.')) })

async function goOn(to: string): Promise<void> {
  await page.getByRole('button', { name: 'Next', exact: true }).click()
  await heading(to)
}

/** A script on the director itself, past the console. */
async function onDirector(script: string): Promise<string> {
  const { keyFile, port, user, host } = demo.director
  const quiet = ['StrictHostKeyChecking=no', 'UserKnownHostsFile=/dev/null', 'LogLevel=ERROR', 'BatchMode=yes']
  const options = quiet.flatMap((option) => ['-o', option])
  const words = [...options, '-F', 'none', '-i', keyFile, '-p', String(port), `${user}@${host}`, script]
  return (await promisify(execFile)('ssh', words)).stdout
}

/** New connections of the client, one for each request. */
const clientAsks = (vip: string, count: number) =>
  onDirector(
    `ip netns exec client curl -s -o /dev/null -H 'Connection: close' -w '%{http_code}\\n' 'http://${vip}/?[1-${count}]'`,
  )

/** Applies what the open review shows, and keeps it. */
async function applyAndKeep(): Promise<void> {
  await page
    .getByRole('dialog', { name: 'Review the change' })
    .getByRole('button', { name: /^Apply/ })
    .click()
  await footer().getByRole('button', { name: 'Keep' }).click()
  await expect.poll(() => footer().innerText(), patience).not.toMatch(/awaits confirmation/)
}

interface Wanted {
  readonly name: string
  readonly mode: 'DR' | 'NAT'
  readonly vip: string
  readonly realServers: readonly string[]
}

/** From the overview to the checks of the hosts, whose keys are accepted. */
async function fillIn({ name, mode, vip, realServers }: Wanted): Promise<void> {
  await views(/^Services/).click()
  await page
    .getByRole('button', { name: /^New service/ })
    .first()
    .click()
  await page.getByRole('textbox', { name: 'Name' }).fill(name)
  await goOn('Mode')
  await page.getByRole('radio', { name: mode, exact: true }).check()
  await goOn('Dataplane, scheduler, checks')
  await page.getByRole('radio', { name: 'IPVS', exact: true }).check()
  expect(await page.getByRole('radio', { name: /^wrr/ }).isChecked()).toBe(true)
  await goOn('VIP and real servers')
  await page.getByRole('textbox', { name: 'VIP' }).fill(vip)
  await page.getByRole('textbox', { name: 'Paste real servers' }).fill(realServers.join('\n'))
  await page.getByRole('button', { name: 'Add lines' }).click()
  await goOn('Check the hosts')
  for (const _server of realServers) await acceptHostKey(page)
}

const everyHost = (realServers: readonly string[], verdict: RegExp) =>
  Promise.all(
    ['Director', ...realServers].map((host) => expect.poll(() => rowOf(host).innerText(), patience).toMatch(verdict)),
  )

/** Reviews, applies, sends requests from the client, and keeps what they prove. */
async function applyAndProve({ name, mode, realServers }: Wanted, command: string): Promise<void> {
  await goOn('Review')
  await page.getByRole('region', { name: 'What happens' }).getByRole('listitem').first().waitFor()
  await page.getByRole('tab', { name: 'Commands' }).click()
  await page.getByRole('tab', { name: 'ipvsadm and ip' }).click()
  await page.getByText(command).first().waitFor()
  await shoot(page, `guest-${name}-review`)
  await page.getByRole('textbox', { name: 'Seconds to confirm' }).fill('300')
  await page.getByRole('button', { name: 'Apply', exact: true }).click()
  await page.getByRole('timer').first().waitFor()
  await page.getByRole('textbox', { name: 'Requests', exact: true }).fill('30')
  await page.getByRole('button', { name: 'Send requests' }).click()
  // The client's own key is asked about once.
  if (mode === 'DR') await acceptHostKey(page)
  await page.getByText('30 requests answered, none failed').waitFor()
  const answers = page.getByRole('table', { name: 'Who answered' })
  for (const address of realServers) await answers.getByRole('row', { name: new RegExp(`${address}:80`) }).waitFor()
  await page.getByText('The real servers see the client as 10.1.0.2.').waitFor()
  await shoot(page, `guest-${name}-proof`)
  await page.getByRole('region', { name: 'Keep or revert' }).getByRole('button', { name: 'Keep', exact: true }).click()
  await page.getByRole('heading', { level: 1, name }).waitFor()
}

test('a director in the guest is connected, and gets its agent', async () => {
  await page.goto(new URL('/#/connect', page.url()).href)
  const card = page.getByRole('region', { name: 'A lab is running on this machine' })
  for (const address of demo.realServersBehind) expect(await card.innerText()).toContain(address)
  await page.getByRole('link', { name: /IPVS director/ }).click()
  await page.getByRole('button', { name: 'Connect', exact: true }).click()
  await acceptHostKey(page)
  const install = page.getByRole('dialog', { name: 'Install the agent?' })
  await install.getByRole('button', { name: /^Install/ }).click()
  await page.getByText(/No virtual service on IPVS director/).waitFor({ timeout: 60_000 })
})

test('DR on IPVS: hosts that only the director reaches are found unprepared, are fixed, and answer the client', async () => {
  // Two of three: each probe is a second of work under emulation.
  const realServers = demo.realServers.slice(0, 2)
  const wanted: Wanted = { name: 'web-dr', mode: 'DR', vip: demo.vip, realServers }
  await fillIn(wanted)
  await Promise.all(
    realServers.map((host) => expect.poll(() => rowOf(host).innerText(), patience).toMatch(/not ready/)),
  )
  await page.getByRole('button', { name: /^Fix all/ }).click()
  const plan = page.getByRole('region', { name: 'Commands of the fixes' })
  expect(await plan.innerText()).toContain(`ip addr add ${demo.vip}/32 dev lo`)
  await plan.getByRole('button', { name: /^Run on/ }).click()
  await everyHost(realServers, /(?<!not )ready/)
  await applyAndProve(wanted, `ipvsadm -A -t ${demo.vip}:80`)
})

test('NAT: real servers behind the director see the client, and each answers as often as its weight says', async () => {
  const wanted: Wanted = { name: 'web-nat', mode: 'NAT', vip: natVip, realServers: demo.realServersBehind }
  await fillIn(wanted)
  await everyHost(demo.realServersBehind, /(?<!not )ready/)
  await applyAndProve(wanted, `ipvsadm -A -t ${natVip}:80`)
  expect(await onDirector('ipvsadm -Sn')).toContain(`-a -t ${natVip}:80 -r 10.2.0.11:80 -m -w 1`)
})

test('the service shows its connections, and the table of connections is filtered and paged by the agent', async () => {
  const codes = (await clientAsks(natVip, 240)).trim().split('\n')
  expect(codes.filter((code) => code === '200')).toHaveLength(240)
  await page.getByRole('tab', { name: 'Real servers' }).click()
  await page.getByText('IPVS refreshes rates every 2 s').waitFor()
  for (const header of ['Active', 'Inactive', 'Persistent'])
    await page.getByRole('columnheader', { name: header, exact: true }).waitFor()
  // A third of 270 stands with each, closed and not yet forgotten.
  await expect.poll(() => rowOf('10.2.0.12:80').innerText(), patience).toMatch(/33 %[\s\S]*\b(8|9)\d\b/)
  await shoot(page, 'guest-service')
  await page.getByRole('link', { name: 'Connections', exact: true }).last().click()
  await page.getByText(/rows 1 to 200/).waitFor()
  await page.getByRole('button', { name: 'Next page' }).click()
  await page.getByText(/rows 201 to/).waitFor()
  await page.getByRole('combobox', { name: 'Real server' }).click()
  await page.getByRole('option', { name: '10.2.0.12' }).click()
  await page.getByText(/rows 1 to (8|9)\d/).waitFor()
  expect(await page.getByRole('table').last().innerText()).not.toMatch(/10\.2\.0\.1[13]:80/)
  await shoot(page, 'guest-connections')
  await expectAccessible(page)
})

test('a drained real server gets nothing new; timeouts and the sync daemon reach the kernel', async () => {
  await views(/^Services/).click()
  await page.getByText('web-nat').first().click()
  await page.getByRole('tab', { name: 'Real servers' }).click()
  await page.getByRole('button', { name: 'Actions for 10.2.0.12:80' }).click()
  await page.getByRole('menuitem', { name: 'Drain' }).click()
  await views(/^IPVS/).click()
  await page.getByLabel('Set UDP to').fill('60')
  await page.keyboard.press('Enter')
  await page.getByRole('switch', { name: 'Run the sync daemon' }).click()
  await page.getByRole('combobox', { name: 'Interface' }).click()
  await page.getByRole('option', { name: 'back', exact: true }).click()
  await page.getByRole('button', { name: 'Put into the change' }).click()
  await footer().getByRole('button', { name: 'Review' }).click()
  await applyAndKeep()
  const kernel = await onDirector('ipvsadm -Sn; ipvsadm -l --timeout; ipvsadm -l --daemon')
  expect(kernel).toContain(`-a -t ${natVip}:80 -r 10.2.0.12:80 -m -w 0`)
  expect(kernel).toMatch(/tcp tcpfin udp\): 900 120 60/)
  expect(kernel).toMatch(/master sync daemon .*mcast=back/)
  const before = await onDirector(`ipvsadm -Ln --stats --exact -t ${natVip}:80 | grep 10.2.0.12`)
  await clientAsks(natVip, 10)
  expect(await onDirector(`ipvsadm -Ln --stats --exact -t ${natVip}:80 | grep 10.2.0.12`)).toBe(before)
  await shoot(page, 'guest-ipvs')
  await expectAccessible(page)
})

test('rolled back to nothing, the kernel is as it was found', async () => {
  await views(/^Changes/).click()
  await page.getByRole('row', { name: /^1\b/ }).click()
  await page.getByRole('combobox', { name: 'Compare with' }).waitFor()
  await page.getByRole('button', { name: 'Roll back to 1…' }).click()
  await applyAndKeep()
  expect(await onDirector('ipvsadm -Sn')).not.toContain(natVip)
  await views(/^Services/).click()
  await page.getByText('web-dr').first().click()
  await page.getByRole('button', { name: 'Actions', exact: true }).click()
  await page.getByRole('menuitem', { name: 'Delete service…' }).click()
  await page.getByRole('checkbox', { name: /^Afterwards undo/ }).check()
  await page.getByRole('button', { name: 'Review deletion' }).click()
  await applyAndKeep()
  await footer().getByRole('button', { name: 'Undo now' }).click()
  await expect
    .poll(() => onDirector('ip -n rs1 -4 addr show dev lo; ipvsadm -Sn; ipvsadm -l --daemon'), patience)
    .not.toMatch(/10\.1\.0\.100|-A|sync daemon/)
  expect(await onDirector('ipvsadm -l --timeout')).toMatch(/900 120 300/)
  expect(operator.problems).toEqual([])
})
