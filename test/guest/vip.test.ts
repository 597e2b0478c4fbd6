// The VIP on its interface, made known to the neighbours; the sysctls of a mode, kept for the next boot; and all undone.
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { type Guest, startGuest } from '../lab/guest/guest.ts'
import { makeTopology } from '../lab/guest/topology.ts'
import { documentOf, installAgent } from './support/agent.ts'
import { Director } from './support/director.ts'

let guest: Guest
let director: Director
beforeAll(async () => {
  guest = await startGuest()
  await installAgent(guest)
  await makeTopology(guest, { directorForwards: false })
  director = await new Director(guest, { host: 'director' }).start()
})
afterAll(() => guest?.stop())
beforeEach(async () => {
  await director.apply(documentOf([]))
})

const service = (name: string, vip: string, fields: object = {}) => {
  const front = vip.includes(':') ? 'fd00:1::11' : '10.1.0.11'
  return {
    name,
    vip,
    port: 80,
    dataplane: 'ipvs',
    forwarding: 'dr',
    scheduler: 'rr',
    check: { type: 'none' },
    realServers: [{ address: front, port: 80 }],
    ...fields,
  }
}
const onDirector = (script: string): Promise<string> => guest.run(script, { host: 'director' })
/** `e0 10.1.0.1/24`. */
const addresses = async (): Promise<string[]> => {
  const listed = await onDirector('ip -o addr show scope global; ip -o addr show dev lo')
  const found = listed
    .split('\n')
    .flatMap((line) => /^\d+: (\S+)\s+inet6? (\S+)/.exec(line)?.slice(1, 3).join(' ') ?? [])
  return [...new Set(found)]
}

test('a VIP is raised on the interface of its network, IPv4 and IPv6, and its neighbours are told', async () => {
  const before = await addresses()
  const seen = guest.spawn(['sh', '-c', 'echo $$; exec tcpdump -lnUi e0 "arp or icmp6" 2>&1'], { host: 'client' })
  let captured = ''
  seen.stdout.on('data', (chunk: Buffer) => (captured += chunk.toString()))
  await expect.poll(() => captured, { timeout: 30_000 }).toContain('listening on e0')
  await director.apply(
    documentOf([
      service('four', '10.1.0.101'),
      service('six', 'fd00:1::101'),
      service('other side', '10.1.0.103', { interface: 'e1' }),
      service('routed', '10.9.0.104', { announce: 'route' }),
      service("somebody else's", '10.1.0.105', { announce: 'none' }),
    ]),
  )
  const raised = (await addresses()).filter((one) => !before.includes(one))
  expect(raised.toSorted()).toEqual(['e0 10.1.0.101/32', 'e0 fd00:1::101/128', 'e1 10.1.0.103/32', 'lo 10.9.0.104/32'])
  const mac = (await onDirector('ip -br link show e0')).split(/\s+/)[2]
  await expect.poll(() => captured, { timeout: 30_000 }).toMatch(/neighbor advertisement, tgt is fd00:1::101/)
  expect(captured).toMatch(/ARP, (?:Request who-has 10\.1\.0\.101 .*tell 10\.1\.0\.101|Reply 10\.1\.0\.101 is-at)/)
  expect(captured).not.toContain('10.1.0.105')
  expect(captured).not.toContain('10.9.0.104')
  await guest.run(`kill ${Number.parseInt(captured, 10)}`)
  // The client knows where it is without having asked.
  await guest.run('ping -c 1 -W 5 10.1.0.101 && ping -c 1 -W 5 fd00:1::101', { host: 'client' })
  expect(await guest.run('ip neigh show 10.1.0.101', { host: 'client' })).toContain(`lladdr ${mac}`)
  await director.apply(documentOf([]))
  expect(await addresses()).toEqual(before)
})

const settings = ['net.ipv4.ip_forward', 'net.ipv6.conf.all.forwarding', 'net.ipv4.vs.conntrack'] as const
const values = async (): Promise<string[]> => (await onDirector(`sysctl -n ${settings.join(' ')}`)).trim().split('\n')
const files = async (): Promise<string[]> =>
  (await guest.run('cat /etc/sysctl.d/60-signalbox.conf /etc/modules-load.d/signalbox.conf 2>/dev/null || true'))
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))

test('a mode brings its sysctls along, for the next boot too, and takes away just those that it brought', async () => {
  expect(await values()).toEqual(['0', '0', '0'])
  expect(await files()).toEqual([])
  const inside = (address: string) => ({ realServers: [{ address, port: 80 }] })
  const four = service('four', '10.1.0.101', { forwarding: 'nat', ...inside('10.2.0.11') })
  const six = service('six', 'fd00:1::101', { forwarding: 'nat', ...inside('fd00:2::11') })
  const full = service('full', '10.1.0.102', { forwarding: 'fullnat', ...inside('10.2.0.11') })
  const rows: [object[], string[], string[]][] = [
    [[service('direct', '10.1.0.101')], ['0', '0', '0'], ['ip_vs']],
    [[four], ['1', '0', '0'], ['net.ipv4.ip_forward = 1', 'ip_vs']],
    [[six], ['0', '1', '0'], ['net.ipv6.conf.all.forwarding = 1', 'ip_vs']],
    [
      [full, six],
      ['1', '1', '1'],
      [...settings.map((name) => `${name} = 1`), 'ip_vs'],
    ],
    [[], ['0', '0', '0'], []],
  ]
  for (const [services, set, kept] of rows) {
    await director.apply(documentOf(services))
    expect(await values()).toEqual(set)
    expect((await files()).toSorted()).toEqual(kept.toSorted())
  }
  // What was so before stays so afterwards.
  await onDirector('sysctl -qw net.ipv4.ip_forward=1')
  await director.apply(documentOf([full]))
  expect((await files()).toSorted()).toEqual(['ip_vs', 'net.ipv4.vs.conntrack = 1'])
  await director.apply(documentOf([]))
  expect(await values()).toEqual(['1', '0', '0'])
})
