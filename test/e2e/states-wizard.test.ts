import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Scenario } from '../fakes/console-scenarios.ts'
import { draftScenario, withoutIpvs, wizardDraft } from '../fakes/wizard-scenarios.ts'
import { expectAccessible, launchChromium, shoot } from './support/browser.ts'
import { openScenario } from './support/open-scenario.ts'

let browser: Browser
beforeAll(async () => {
  browser = await launchChromium()
})
afterAll(() => browser.close())

const next = (page: Page) => page.getByRole('button', { name: 'Next', exact: true })
const heading = (page: Page, name: string) => page.getByRole('heading', { name, exact: true }).waitFor()

async function goOn(page: Page, to: string): Promise<void> {
  await next(page).click()
  await heading(page, to)
}

/** From the addresses through the checks to the review. */
async function toReview(page: Page): Promise<void> {
  await goOn(page, 'Check the hosts')
  await expect.poll(() => next(page).isEnabled(), { timeout: 15_000 }).toBe(true)
  await goOn(page, 'Review')
  await page.getByText(/^Add virtual service/).waitFor()
}

async function apply(page: Page): Promise<void> {
  await page.getByRole('button', { name: 'Apply', exact: true }).click()
  await page.getByRole('button', { name: 'Keep', exact: true }).first().waitFor()
}

function serviceOf(scenario: Scenario, key: string) {
  const found = scenario.hosts[0]?.kernel.services.get(`ipvs ${key}`)
  if (found === undefined) throw new Error(`the kernel has no ${key}`)
  return found
}

/** Looks at the page in both themes; the screenshots are kept. */
async function look(page: Page, name: string): Promise<void> {
  await shoot(page, `wizard-${name}`)
  await expectAccessible(page)
}

test('FullNAT needs IPVS, and the page says so; in NAT, ports per real server and persistence reach the kernel', async () => {
  const { page, scenario } = await openScenario(browser, await draftScenario(wizardDraft('dr', 'mode')))
  await page.getByRole('radio', { name: 'FullNAT', exact: true }).check()
  await page.getByText(/IPVS is the dataplane for this: eBPF in this version offers/).waitFor()
  await page.getByRole('radio', { name: 'NAT', exact: true }).check()
  await page
    .getByRole('complementary', { name: 'The packet in NAT' })
    .getByText('which undoes what it rewrote')
    .waitFor()
  await look(page, 'nat-mode')
  await goOn(page, 'Dataplane, scheduler, checks')
  await page.getByRole('radio', { name: 'IPVS', exact: true }).check()
  await page.getByRole('radio', { name: /^wlc/ }).check()
  await page.getByRole('button', { name: 'More: persistence, one packet' }).click()
  await page.getByRole('checkbox', { name: /^Persistence/ }).check()
  await page.getByLabel('For (s)').fill('0')
  await next(page).click()
  await page.getByRole('alert').getByText('found 0, expected a whole number from 1 to 2678400').waitFor()
  await page.getByLabel('For (s)').fill('600')
  await page.getByLabel('Clients of one network, prefix length').fill('24')
  await look(page, 'nat-persistence')
  await goOn(page, 'VIP and real servers')
  await page.getByLabel('Port, real server 1').fill('8080')
  await page.getByRole('checkbox', { name: /^Names, limits/ }).check()
  await page.getByLabel('Full at (connections), real server 2').fill('500')
  await look(page, 'nat-addresses')
  await goOn(page, 'Check the hosts')
  await page.getByText('What NAT needs beyond that is listed under Mode and is not checked').waitFor()
  await page.getByText('RS1').first().waitFor()
  await page.getByRole('button', { name: 'Back', exact: true }).click()
  await toReview(page)
  await page.getByRole('tab', { name: 'Commands', exact: true }).click()
  await page.getByRole('tab', { name: 'ipvsadm and ip', exact: true }).click()
  const commands = await page.getByRole('group', { name: 'commands on lab director' }).innerText()
  expect(commands.split('\n')).toContain('ipvsadm -A -t 192.0.2.50:80 -s wlc -p 600 -M 255.255.255.0')
  expect(commands.split('\n')).toContain('ipvsadm -a -t 192.0.2.50:80 -r 192.0.2.72:80 -m -w 2 -x 500')
  await look(page, 'nat-review')
  await apply(page)
  expect(serviceOf(scenario, 'tcp/192.0.2.50:80')).toMatchObject({
    forwarding: 'nat',
    scheduler: 'wlc',
    persistence: { timeoutSec: 600, prefixLength: 24 },
    realServers: [
      { address: '192.0.2.71', port: 8080 },
      { address: '192.0.2.72', port: 80, upperThreshold: 500 },
    ],
  })
  await page.getByRole('button', { name: 'Send requests' }).click()
  await page.getByText('60 requests answered, none failed').waitFor()
  await page.getByText('One client address stays with one real server here').waitFor()
  await look(page, 'nat-prove')
})

test('a tunnel says what it costs; GUE has a port and a checksum that IPIP does not have', async () => {
  const draft = wizardDraft('gue', 'dataplane', { tunnel: { type: 'ipip', port: '6080', checksum: 'nocsum' } })
  const { page, scenario } = await openScenario(browser, await draftScenario(draft))
  await page.getByText('Costs 20 bytes of each packet.').waitFor()
  expect(await page.getByLabel('UDP port').count()).toBe(0)
  await page.getByText('GUE', { exact: true }).first().click()
  await page.getByText('Costs 32 bytes of each packet.').waitFor()
  await page.getByLabel('UDP port').fill('')
  await next(page).click()
  await page.getByRole('alert').getByRole('button', { name: 'tunnel.port' }).click()
  expect(await page.evaluate(() => document.activeElement?.getAttribute('data-field'))).toBe('tunnel.port')
  await page.keyboard.type('5555')
  await page.getByRole('combobox', { name: 'Outer checksum' }).click()
  await page.getByRole('option', { name: 'remote offload' }).click()
  await page.getByText('Costs 40 bytes of each packet.').waitFor()
  await look(page, 'gue-dataplane')
  await goOn(page, 'VIP and real servers')
  await toReview(page)
  await apply(page)
  expect(serviceOf(scenario, 'tcp/192.0.2.50:80')).toMatchObject({
    forwarding: 'tun',
    schedulerFlags: ['fallback'],
    realServers: [{ tunnel: { type: 'gue', port: 5555, checksum: 'remcsum' } }, {}],
  })
})

test('FullNAT without nft on the director: the mode and its local addresses say so', async () => {
  const offer = { fullnatObstacle: 'nft is not installed.' }
  const { page } = await openScenario(browser, await draftScenario(wizardDraft('fullnat', 'mode'), offer))
  await page.getByText('Not possible on this director yet: nft is not installed.').waitFor()
  await look(page, 'fullnat-obstacle')
  await goOn(page, 'Dataplane, scheduler, checks')
  await page.getByText('Not possible on this director yet: nft is not installed.').waitFor()
})

test("FullNAT takes local addresses from the director's own", async () => {
  const draft = wizardDraft('fullnat', 'dataplane', { localAddresses: [] })
  const { page, scenario } = await openScenario(browser, await draftScenario(draft))
  await page.getByRole('combobox', { name: 'Local addresses' }).click()
  expect(await page.getByRole('option').allInnerTexts()).toEqual(['192.0.2.2', '198.18.0.2'])
  await page.getByRole('option', { name: '192.0.2.2' }).click()
  await page.keyboard.press('Escape')
  await page.getByRole('complementary').getByText('192.0.2.2').first().waitFor()
  await look(page, 'fullnat-dataplane')
  await goOn(page, 'VIP and real servers')
  await toReview(page)
  await page.getByText('Give connections to 2 real servers a local address (FullNAT)').waitFor()
  await apply(page)
  expect(serviceOf(scenario, 'tcp/192.0.2.50:80')).toMatchObject({
    forwarding: 'fullnat',
    localAddresses: ['192.0.2.2'],
  })
  await page.getByRole('button', { name: 'Send requests' }).click()
  await page.getByText('the real servers see a local address of the director.').waitFor()
})

test('UDP over IPv6: nothing passes unchecked, and no request stands for a proof', async () => {
  const { page, scenario } = await openScenario(browser, await draftScenario(wizardDraft('udp6', 'what')))
  await page.getByRole('button', { name: /VIP and real servers/ }).click()
  await page.getByLabel('VIP', { exact: true }).fill('2001:db8::')
  await page.getByLabel('Paste real servers').focus()
  await page.getByLabel('VIP', { exact: true }).fill('2001:db8::g')
  await page.getByText(/found "2001:db8::g", expected an IPv4 or IPv6 address/).waitFor()
  await page.getByLabel('VIP', { exact: true }).fill('2001:db8::10')
  await look(page, 'udp6-addresses')
  await goOn(page, 'Check the hosts')
  await page.getByText('The rows of an IPv6 service read "not checked"').waitFor()
  await page.getByText('requirements are not known to be met.').waitFor()
  expect(await next(page).isDisabled()).toBe(true)
  await page.getByRole('rowheader').getByText('Director').click()
  await page.getByText('Not checked: this version judges it for ipv4 alone.').first().waitFor()
  await look(page, 'udp6-hosts')
  await page.getByRole('checkbox', { name: /^Go on without/ }).check()
  await goOn(page, 'Review')
  await page.getByText(/^Add virtual service/).waitFor()
  await apply(page)
  expect(serviceOf(scenario, 'udp/[2001:db8::10]:53')).toMatchObject({ onePacket: true, check: { type: 'none' } })
  await page.getByText('Proof by request is for TCP: no request was sent, and nothing is proved for UDP.').waitFor()
  expect(await page.getByRole('button', { name: 'Send requests' }).count()).toBe(0)
  await look(page, 'udp6-prove')
})

test('a service by mark has no VIP to enter or to check, and goes on all the same', async () => {
  const { page, scenario } = await openScenario(browser, await draftScenario(wizardDraft('dr', 'what')))
  await page.getByRole('button', { name: 'More: packets told by a mark' }).click()
  await page.getByRole('radio', { name: /^A mark of netfilter/ }).check()
  await next(page).click()
  await page.getByRole('alert').getByText('found nothing, expected a value').waitFor()
  await page.getByLabel('Mark', { exact: true }).fill('7')
  await page.getByText('offers no service by mark').waitFor()
  await look(page, 'fwmark-what')
  await goOn(page, 'Mode')
  await goOn(page, 'Dataplane, scheduler, checks')
  await goOn(page, 'VIP and real servers')
  expect(await page.getByLabel('VIP', { exact: true }).count()).toBe(0)
  await goOn(page, 'Check the hosts')
  await page.getByText('A service by mark has no address that hosts could be checked for').waitFor()
  await goOn(page, 'Review')
  await page.getByText(/^Add virtual service fwmark\/7\/ipv4/).waitFor()
  await apply(page)
  expect(serviceOf(scenario, 'fwmark/7/ipv4')).toMatchObject({ vip: null, fwmark: 7 })
  await page.getByText('nothing is proved for a service by mark').waitFor()
})

test('every port: persistence comes with it and cannot be left out', async () => {
  const { page } = await openScenario(browser, await draftScenario(wizardDraft('dr', 'what')))
  await page.getByLabel('Port', { exact: true }).fill('0')
  await page.getByText('Every port of the VIP.').waitFor()
  await goOn(page, 'Mode')
  await goOn(page, 'Dataplane, scheduler, checks')
  const persistence = page.getByRole('checkbox', { name: /^Persistence/ })
  expect(await persistence.isChecked()).toBe(true)
  expect(await persistence.isDisabled()).toBe(true)
  await page.getByText('has no port to connect to').waitFor()
  await look(page, 'every-port')
})

test('a director without the IPVS module: what needs it cannot be chosen, with the reason and what to install', async () => {
  const { page, go } = await openScenario(browser, await draftScenario(wizardDraft('dr', 'mode'), withoutIpvs))
  await page
    .getByText(/IPVS is missing here\. There is no module ip_vs/)
    .first()
    .waitFor()
  expect(await page.getByRole('radio', { name: 'FullNAT', exact: true }).isDisabled()).toBe(true)
  for (const mode of ['DR', 'NAT', 'Tunnel']) {
    expect(await page.getByRole('radio', { name: mode, exact: true }).isEnabled()).toBe(true)
  }
  await look(page, 'no-ipvs-mode')
  await goOn(page, 'Dataplane, scheduler, checks')
  await page.getByText(/this kernel has no module ip_vs\. Install the package/).waitFor()
  expect(await page.getByRole('radio', { name: 'IPVS', exact: true }).isDisabled()).toBe(true)
  await look(page, 'no-ipvs-dataplane')
  await go('/d/lab/services')
})

test('the settings of an IPVS service are the same fields, and go into the pending change', async () => {
  const { page, go } = await openScenario(browser, await draftScenario(wizardDraft('nat', 'addresses')))
  await toReview(page)
  await apply(page)
  await page.getByRole('button', { name: 'Keep', exact: true }).first().click()
  await go('/d/lab/services/tcp-192.0.2.50-443')
  await page.getByRole('tab', { name: 'Settings', exact: true }).click()
  await page.getByLabel('For (s)').fill('900')
  await page.getByRole('radio', { name: /^sh/ }).check()
  await page.getByRole('checkbox', { name: 'sh-port' }).check()
  await look(page, 'settings')
  await page.getByRole('button', { name: 'Add to the change' }).click()
  await page.getByRole('button', { name: 'Review', exact: true }).click()
  const drawer = page.getByRole('dialog', { name: 'Review the change' })
  await drawer.getByText('Change the settings of virtual service tcp/192.0.2.50:443').waitFor()
  await drawer.getByLabel('Removed servers drain up to').fill('91')
  await drawer.getByText('found 91, expected a whole number from 0 to 90').waitFor()
  expect(await drawer.getByRole('button', { name: /^Apply/ }).isDisabled()).toBe(true)
  await look(page, 'settings-review')
})

test('real servers that only the director reaches: the way through it stands where their checks failed, and is kept', async () => {
  const pool = ['192.0.2.71', '192.0.2.72', '192.0.2.73']
  const { page, go } = await openScenario(
    browser,
    await draftScenario(wizardDraft('nat', 'hosts'), {}, { behindDirector: pool }),
  )
  await page.getByText('3 real servers cannot be reached from this workstation:').waitFor()
  await page
    .getByRole('row', { name: /192\.0\.2\.72/ })
    .getByText('192.0.2.72 port 22 does not answer.')
    .waitFor()
  await look(page, 'out-of-reach')
  await page.getByRole('button', { name: 'Reach them through the director' }).click()
  for (const host of pool) {
    await page
      .getByRole('row')
      .filter({ has: page.getByRole('button', { name: host }) })
      .getByText('ready', { exact: true })
      .waitFor()
  }
  expect(await page.getByRole('button', { name: 'Reach them through the director' }).count()).toBe(0)
  await page.getByRole('button', { name: 'Back', exact: true }).click()
  expect(await page.getByRole('combobox', { name: 'SSH for checks, real server 2' }).inputValue()).toBe(
    'Through the director',
  )
  await go('/d/lab/hosts')
  expect(await page.getByRole('combobox', { name: 'Access to 192.0.2.72' }).inputValue()).toBe('Through the director')
})
