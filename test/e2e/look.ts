// Photographs of the page in its states, to be looked at: `node test/e2e/look.ts [scenario…]`. Needs dist/renderer, or
// another build of the page in LOOK_DIST.
import { mkdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { Page } from 'playwright-core'
import { scenarios as plainScenarios } from '../fakes/console-scenarios.ts'
import { type ConsoleServer, startConsoleServer } from '../fakes/console-server.ts'
import { ipvsScenarios, longVip } from '../fakes/ipvs-scenarios.ts'
import { launchChromium } from './support/browser.ts'

const folder = fileURLToPath(new URL('../../artifacts/look/', import.meta.url))
mkdirSync(folder, { recursive: true })

const scenarios = { ...plainScenarios, ...ipvsScenarios }

interface Shot {
  readonly name: string
  readonly scenario: keyof typeof scenarios
  readonly path?: string
  readonly prepare?: (page: Page, server: ConsoleServer) => Promise<void>
}

const connectAnd = (text: string) => async (page: Page) => {
  await page.getByRole('button', { name: 'Connect', exact: true }).click()
  await page.getByText(text).first().waitFor()
}
const tab = (name: string) => async (page: Page) => {
  await page.getByRole('tab', { name }).click()
}

const service = '/d/lab/services/tcp-192.0.2.11-8443'
const shots: readonly Shot[] = [
  { name: 'no-director', scenario: 'noDirector' },
  { name: 'welcome', scenario: 'lab' },
  {
    name: 'form',
    scenario: 'lab',
    prepare: async (page) => {
      await page.getByRole('button', { name: 'Other host…' }).first().click()
      await page.getByLabel('Host', { exact: true }).fill('')
      await page.getByLabel('Port', { exact: true }).fill('70000')
      await page.getByLabel('Through a jump host').click()
      await page.getByRole('button', { name: 'Connect', exact: true }).click()
    },
  },
  { name: 'connecting', scenario: 'connecting', prepare: connectAnd('known:') },
  { name: 'host-key', scenario: 'hostKey', prepare: connectAnd('Accept and pin') },
  { name: 'key-changed', scenario: 'keyChanged', prepare: connectAnd('has changed') },
  { name: 'install', scenario: 'agentMissing', prepare: connectAnd('What goes where') },
  { name: 'agent-old', scenario: 'agentOld', prepare: connectAnd('What goes where') },
  { name: 'unfit', scenario: 'unfit', prepare: connectAnd('cannot be installed') },
  { name: 'overview-empty', scenario: 'noService' },
  { name: 'overview', scenario: 'live' },
  { name: 'overview-no-samples', scenario: 'noSamples' },
  { name: 'services', scenario: 'live', path: '/d/lab/services' },
  { name: 'topology', scenario: 'live', path: '/d/lab/topology' },
  {
    name: 'topology-details',
    scenario: 'live',
    path: '/d/lab/topology',
    prepare: async (page) => {
      await page.getByRole('button', { name: /192\.0\.2\.40:443/ }).click()
    },
  },
  { name: 'topology-fifty', scenario: 'fifty', path: '/d/lab/topology' },
  { name: 'real-servers', scenario: 'live', path: service },
  { name: 'traffic', scenario: 'live', path: service, prepare: tab('Traffic') },
  { name: 'traffic-none', scenario: 'noTraffic', path: service, prepare: tab('Traffic') },
  { name: 'checks', scenario: 'live', path: service, prepare: tab('Checks') },
  { name: 'settings', scenario: 'live', path: service, prepare: tab('Settings') },
  { name: 'history', scenario: 'live', path: service, prepare: tab('History') },
  { name: 'fifty', scenario: 'fifty' },
  { name: 'fifty-traffic', scenario: 'fifty', prepare: tab('Traffic') },
  { name: 'hosts', scenario: 'live', path: '/d/lab/hosts' },
  { name: 'changes', scenario: 'live', path: '/d/lab/changes' },
  { name: 'share', scenario: 'live', path: '/d/lab/share' },
  {
    name: 'lost',
    scenario: 'live',
    prepare: async (page, { scenario }) => {
      await page.getByText('Degraded').waitFor()
      scenario.console.lose('lab')
      await page.getByText('is not connected').waitFor()
    },
  },
  { name: 'lost-from-the-start', scenario: 'lost' },
  { name: 'production', scenario: 'production' },
  {
    name: 'review',
    scenario: 'live',
    path: service,
    prepare: async (page) => {
      await page.getByLabel('Weight of 192.0.2.30:8443').fill('5')
      await page.keyboard.press('Enter')
      await page.getByRole('button', { name: 'Review' }).click()
      await page.getByText('weight: 5').waitFor()
    },
  },
  {
    name: 'awaiting',
    scenario: 'live',
    path: service,
    prepare: async (page) => {
      await page.getByLabel('Weight of 192.0.2.30:8443').fill('5')
      await page.keyboard.press('Enter')
      await page.getByRole('button', { name: 'Review' }).click()
      await page.getByRole('button', { name: /^Apply \d+ step/ }).click()
      await page.getByRole('button', { name: 'Keep' }).waitFor()
    },
  },
  {
    name: 'wizard',
    scenario: 'unprepared',
    prepare: async (page) => {
      await page.getByRole('button', { name: 'New service' }).click()
      await page.getByText('What for').first().waitFor()
    },
  },
  { name: 'ipvs-overview', scenario: 'ipvs' },
  { name: 'ipvs-services', scenario: 'ipvs', path: '/d/lab/services' },
  { name: 'ipvs-topology', scenario: 'ipvs', path: '/d/lab/topology' },
  {
    name: 'ipvs-topology-details',
    scenario: 'ipvs',
    path: '/d/lab/topology',
    prepare: async (page) => {
      await page.getByRole('button', { name: /5a01/ }).first().click()
    },
  },
  { name: 'ipvs-nat', scenario: 'ipvs', path: '/d/lab/services/tcp-192.0.2.10-443' },
  { name: 'ipvs-nat-traffic', scenario: 'ipvs', path: '/d/lab/services/tcp-192.0.2.10-443', prepare: tab('Traffic') },
  { name: 'ipvs-tunnel', scenario: 'ipvs', path: `/d/lab/services/udp-${longVip}-53` },
  { name: 'ipvs-tunnel-traffic', scenario: 'ipvs', path: `/d/lab/services/udp-${longVip}-53`, prepare: tab('Traffic') },
  { name: 'ipvs-fwmark', scenario: 'ipvs', path: '/d/lab/services/fwmark-7-ipv4' },
  { name: 'ipvs-foreign', scenario: 'ipvs', path: '/d/lab/services/tcp-192.0.2.90-3306' },
  { name: 'ipvs-fifty', scenario: 'ipvsFifty' },
  { name: 'ipvs-fifty-traffic', scenario: 'ipvsFifty', prepare: tab('Traffic') },
  { name: 'ipvs-fifty-topology', scenario: 'ipvsFifty', path: '/d/lab/topology' },
  { name: 'connections', scenario: 'ipvs', path: '/d/lab/connections' },
  { name: 'connections-cut', scenario: 'ipvsCut' },
  { name: 'connections-empty', scenario: 'ipvsQuiet' },
  { name: 'connections-ebpf', scenario: 'live', path: '/d/lab/connections' },
  { name: 'connections-no-service', scenario: 'noService', path: '/d/lab/connections' },
  { name: 'connections-missing', scenario: 'ipvsGone' },
  { name: 'ipvs-settings', scenario: 'ipvs', path: '/d/lab/ipvs' },
  {
    name: 'ipvs-settings-sync',
    scenario: 'ipvs',
    path: '/d/lab/ipvs',
    prepare: async (page) => {
      await page.getByRole('switch', { name: 'Run the sync daemon' }).click()
      await page.getByRole('combobox', { name: 'Interface' }).click()
      await page.getByRole('option', { name: 'eth0' }).click()
      await page.getByRole('button', { name: 'Put into the change' }).click()
    },
  },
  { name: 'ipvs-not-loaded', scenario: 'ipvsNotLoaded' },
  { name: 'ipvs-missing', scenario: 'ipvsMissing' },
  { name: 'ipvs-forbidden', scenario: 'ipvsForbidden' },
  { name: 'ipvs-writers', scenario: 'ipvsWriters', path: '/d/lab/ipvs' },
  { name: 'ipvs-writers-overview', scenario: 'ipvsWriters' },
  {
    name: 'role',
    scenario: 'ipvs',
    path: '/d/lab/ipvs',
    prepare: async (page) => {
      await page.getByRole('button', { name: 'Make standby…' }).click()
    },
  },
  {
    name: 'palette',
    scenario: 'live',
    prepare: async (page) => {
      await page.keyboard.press('Control+k')
      await page.getByPlaceholder('Search or command…').fill('api')
    },
  },
  {
    name: 'keys',
    scenario: 'live',
    prepare: async (page) => {
      await page.keyboard.press('?')
    },
  },
]

const wanted = process.argv.slice(2)
const [sizes, looks] = [
  process.env['LOOK_SIZES']?.split(',').map(Number) ?? [1440],
  process.env['LOOK']?.split(',') ?? ['dark-en'],
]
const browser = await launchChromium()
for (const shot of shots) {
  if (wanted.length > 0 && !wanted.includes(shot.name)) continue
  for (const width of sizes) {
    for (const look of looks) {
      // Each photograph has a console of its own: what one prepares, no other one sees.
      const server = await startConsoleServer(await scenarios[shot.scenario](), process.env['LOOK_DIST'])
      const [theme, language] = look.split('-')
      const context = await browser.newContext({
        viewport: { width, height: width === 1024 ? 700 : width === 2560 ? 1440 : 900 },
        colorScheme: theme === 'light' ? 'light' : 'dark',
        locale: language === 'zh' ? 'zh-CN' : 'en-GB',
        timezoneId: 'America/St_Johns',
        permissions: ['clipboard-read', 'clipboard-write'],
      })
      const page = await context.newPage()
      page.on('console', (message) => {
        if (message.type() === 'error' || message.type() === 'warning')
          console.log(`  ${shot.name}: ${message.text().slice(0, 300)}`)
      })
      page.on('pageerror', (error) => console.log(`  ${shot.name}: ${error.stack?.slice(0, 600)}`))
      await page.goto(server.link(shot.path ?? server.scenario.path))
      try {
        await page.locator('main h1, main h2, main p').first().waitFor({ timeout: 8000 })
        if (language !== 'zh') await shot.prepare?.(page, server)
        await page.waitForTimeout(1600)
      } catch (error) {
        console.log(`  ${shot.name}: ${String(error).split('\n').slice(0, 3).join(' ')}`)
      }
      const file = `${shot.name}-${width}-${look}.png`
      await page.screenshot({ path: folder + file })
      console.log(file)
      await context.close()
      await server.close()
    }
  }
}
await browser.close()
console.log(`${Object.keys(scenarios).length} scenarios`)
process.exit(0)
