import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { en } from '../../renderer/locales/en/index.ts'
import { zhCN } from '../../renderer/locales/zh-CN/index.ts'
import { expectAccessible, launchChromium, oddZone, shoot } from './support/browser.ts'
import { overlappingTexts, widerThanFrame } from './support/judge-layout.ts'
import { type Opened, openScenario } from './support/open-scenario.ts'

let browser: Browser
beforeAll(async () => {
  browser = await launchChromium()
})
afterAll(() => browser.close())

/** A view, how it is reached, and what it is called in both languages. */
interface View {
  readonly name: string
  readonly path: string
  readonly title: readonly [en: string, zh: string]
}
const views: readonly View[] = [
  { name: 'connect', path: '/connect/lab', title: [en.connect.title, zhCN.connect.title] },
  { name: 'overview', path: '/d/lab/overview', title: [en.nav.overview, zhCN.nav.overview] },
  { name: 'topology', path: '/d/lab/topology', title: [en.nav.topology, zhCN.nav.topology] },
  { name: 'services', path: '/d/lab/services', title: [en.nav.services, zhCN.nav.services] },
  { name: 'changes', path: '/d/lab/changes', title: [en.changes.title, zhCN.changes.title] },
  { name: 'share', path: '/d/lab/share', title: [en.share.title, zhCN.share.title] },
  { name: 'hosts', path: '/d/lab/hosts', title: [en.nav.hosts, zhCN.nav.hosts] },
]
const servicePath = '/d/lab/services/tcp-192.0.2.11-8443'
const tabs = ['traffic', 'realServers', 'checks', 'settings', 'history'] as const
const wizardSteps = ['what', 'mode', 'dataplane', 'addresses', 'hosts', 'review', 'prove'] as const

/** Calls `look` on every view, on every tab of a service, in the language of `words`. */
async function walkViews(
  { page, go }: Opened,
  words: typeof en | typeof zhCN,
  look: (name: string) => Promise<void>,
): Promise<void> {
  for (const { name, path, title } of views) {
    await go(path)
    await page
      .getByRole('heading', { name: title[words === en ? 0 : 1], exact: true })
      .first()
      .waitFor()
    await look(name)
  }
  await go(servicePath)
  for (const tab of tabs) {
    await page.getByRole('tab', { name: words.service.tab[tab], exact: true }).click()
    await look(`service-${tab}`)
  }
}

/** Walks a new service through all steps of the wizard and calls `look` on each; the last one is applied, not kept. */
async function walkWizard(
  { page, go }: Opened,
  words: typeof en | typeof zhCN,
  look: (name: string) => Promise<void>,
): Promise<void> {
  const { wizard, action } = words
  await go('/d/lab/services')
  await page.getByRole('button', { name: action.newService, exact: true }).first().click()
  const next = page.getByRole('button', { name: wizard.next, exact: true })
  for (const step of wizardSteps) {
    await page.getByRole('heading', { name: wizard.step[step], exact: true }).waitFor()
    if (step === 'what') {
      await page.getByLabel(wizard.what.name, { exact: true }).fill('web-80')
      await page.getByLabel(wizard.what.port, { exact: true }).fill('80')
    }
    if (step === 'addresses') {
      await page.getByLabel('VIP', { exact: true }).fill('192.0.2.50')
      await page.getByLabel(wizard.addresses.paste, { exact: true }).fill('192.0.2.71\n192.0.2.72:80 2')
      await page.getByRole('button', { name: wizard.addresses.addPasted, exact: true }).click()
    }
    if (step === 'hosts') await expect.poll(() => next.isEnabled(), { timeout: 15_000 }).toBe(true)
    if (step === 'prove') await page.getByRole('button', { name: wizard.prove.revert, exact: true }).first().waitFor()
    await look(`wizard-${step}`)
    if (step === 'review') await page.getByRole('button', { name: wizard.review.apply, exact: true }).click()
    else if (step !== 'prove') await next.click()
  }
}

const inBothThemes = (page: Page, failures: string[]) => async (name: string) => {
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' })
    await expectAccessible(page).catch((error: { readonly actual?: unknown }) => {
      failures.push(`${name} ${colorScheme}: ${JSON.stringify(error.actual ?? error)}`)
    })
  }
}

test('every view and every tab of a service has no violation of WCAG 2.2 AA, dark and light', async () => {
  const opened = await openScenario(browser, 'live')
  const failures: string[] = []
  await walkViews(opened, en, inBothThemes(opened.page, failures))
  expect(failures).toEqual([])
})

test('every step of the wizard has no violation of WCAG 2.2 AA, dark and light', async () => {
  const opened = await openScenario(browser, 'live')
  const failures: string[] = []
  await walkWizard(opened, en, inBothThemes(opened.page, failures))
  expect(failures).toEqual([])
})

/** Texts, labels and titles of the page that look like a key of the locales: `wizard.step.what`. */
function keysShown(page: Page): Promise<string[]> {
  return page.evaluate((tops) => {
    const attributes = ['aria-label', 'title', 'placeholder', 'alt']
    const texts = [
      document.body.innerText,
      ...[...document.querySelectorAll('*')].flatMap((element) =>
        attributes.map((name) => element.getAttribute(name) ?? ''),
      ),
    ]
    return texts
      .flatMap((text) => text.split(/[\s,;:()]+/))
      .filter((word) => /^[A-Za-z]+(\.[A-Za-z][\w-]*)+$/.test(word) && tops.includes(word.split('.')[0] ?? ''))
  }, Object.keys(en))
}

test('in Chinese every view and step has its Chinese title, and no key of the locales is shown', async () => {
  const opened = await openScenario(browser, 'live', { locale: 'zh-CN' })
  const { page } = opened
  const shown: string[] = []
  const look = async (name: string) => {
    shown.push(...(await keysShown(page)).map((key) => `${name}: ${key}`))
    shown.push(...(await widerThanFrame(page)).map((part) => `${name}: ${part}`))
    await shoot(page, `zh-${name}`)
  }
  await walkViews(opened, zhCN, look)
  await walkWizard(opened, zhCN, look)
  expect(await page.evaluate(() => document.documentElement.lang)).toBe('zh-CN')
  expect(shown).toEqual([])
})

test('at 1024 × 700 no view scrolls sideways and no text stands on another', async () => {
  const opened = await openScenario(browser, 'live', { viewport: { width: 1024, height: 700 } })
  const { page } = opened
  const found: string[] = []
  const look = async (name: string) => {
    for (const fault of [...(await widerThanFrame(page)), ...(await overlappingTexts(page))]) {
      found.push(`${name}: ${fault}`)
    }
    await shoot(page, `small-${name}`)
  }
  await walkViews(opened, en, look)
  await walkWizard(opened, en, look)
  expect(found).toEqual([])
})

test(`times are those of ${oddZone} with its offset, UTC on hover and by choice`, async () => {
  const { page } = await openScenario(browser, 'live')
  const time = page.getByRole('main').locator('time').first()
  const instant = await time.getAttribute('datetime')
  const wanted = new Intl.DateTimeFormat('en-GB', { timeZone: oddZone, timeStyle: 'medium' }).format(
    new Date(instant ?? ''),
  )
  expect(await time.innerText()).toContain(wanted)
  await time.hover()
  const tooltip = page.getByRole('tooltip')
  await tooltip.waitFor()
  expect(await tooltip.innerText()).toMatch(/\d{4}-\d\d-\d\d \d\d:\d\d:\d\d -0[23]:30/)
  expect(await tooltip.innerText()).toMatch(/\d\d:\d\d:\d\d UTC/)
  await page.getByRole('button', { name: 'Language and times' }).click()
  await page.getByRole('menuitem', { name: 'Times in UTC' }).click()
  await expect.poll(() => time.innerText()).toContain(instant?.slice(11, 19))
})

test('the keyboard alone leads everywhere: g and a letter, /, ?, j, Ctrl-K', async () => {
  const { page } = await openScenario(browser, 'live')
  await page.getByRole('heading', { name: 'Overview', exact: true }).waitFor()
  for (const [letter, title] of [
    ['t', 'Topology'],
    ['s', 'Services'],
    ['h', 'Changes'],
    ['x', 'Share'],
    ['d', 'Hosts'],
    ['o', 'Overview'],
    ['s', 'Services'],
  ] as const) {
    await page.keyboard.press('g')
    await page.keyboard.press(letter)
    await page.getByRole('heading', { name: title, exact: true, level: 1 }).waitFor()
  }
  await page.keyboard.press('/')
  const focused = () => page.evaluate(() => document.activeElement?.getAttribute('aria-label') ?? '')
  await expect.poll(focused).toBe('Filter services')
  await page.keyboard.type('api')
  await page.getByText('Showing 1 of 3').waitFor()
  await page.keyboard.press('Escape')
  await page.keyboard.press('Escape')
  await page.keyboard.press('j')
  await expect.poll(() => page.evaluate(() => document.activeElement?.tagName)).toBe('TR')
  await page.keyboard.press('?')
  await page.getByRole('dialog', { name: 'Keys' }).waitFor()
  await shoot(page, 'keys')
  await page.keyboard.press('Escape')
  await page.getByRole('dialog').waitFor({ state: 'hidden' })
  await page.keyboard.press('Control+k')
  await page.getByPlaceholder('Search or command…').fill('web')
  await page.getByRole('dialog').getByText('tcp/192.0.2.10:80', { exact: true }).first().waitFor()
  await shoot(page, 'palette')
  await page.keyboard.press('Enter')
  await page.getByRole('heading', { name: 'web', exact: true, level: 1 }).waitFor()
})
