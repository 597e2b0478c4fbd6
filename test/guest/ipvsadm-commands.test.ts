import { afterAll, beforeAll, expect, test } from 'vitest'
import { parseClusterSpec } from '../../core/model/cluster-spec.ts'
import { formatIssue } from '../../core/model/issue.ts'
import { nothingObserved, type ObservedState } from '../../core/model/observed.ts'
import type { Step } from '../../core/model/plan.ts'
import { serviceKey } from '../../core/model/service.ts'
import { type Desired, desiredOf, emptyDesired } from '../../core/reconcile/desired.ts'
import { ipvsadmCommands } from '../../core/reconcile/ipvsadm-commands.ts'
import { plan } from '../../core/reconcile/plan.ts'
import { simulate } from '../../core/reconcile/simulate.ts'
import { type Guest, startGuest } from '../lab/guest/guest.ts'

let guest: Guest
beforeAll(async () => {
  guest = await startGuest({ ipvs: 'unloaded' })
  await guest.run('ip link add front type veth peer name far; ip link set front up; ip link set far up')
})
afterAll(() => guest.stop())

const before: ObservedState = {
  ...nothingObserved,
  settings: ['net.ipv4.ip_forward', 'net.ipv6.conf.all.forwarding'].map((name) => ({
    name,
    value: '0',
    original: null,
  })),
  ipvs: { ...nothingObserved.ipvs, availability: 'module-not-loaded' },
}

/** A service of each kind, as a document has them. */
const services = [
  {
    name: 'nat',
    vip: '192.0.2.10',
    port: 443,
    forwarding: 'nat',
    scheduler: 'sh',
    schedulerFlags: ['fallback', 'port'],
    persistence: { timeoutSec: 600, prefixLength: 24 },
    realServers: [
      { address: '10.0.0.2', port: 8443, weight: 3, upperThreshold: 500, lowerThreshold: 400 },
      { address: '10.0.0.3', port: 443, forwarding: 'dr', state: 'drain' },
    ],
  },
  {
    name: 'tunnel',
    vip: '192.0.2.11',
    port: 80,
    forwarding: 'tun',
    tunnel: { type: 'gue', port: 6080, checksum: 'remcsum' },
    scheduler: 'mh',
    schedulerFlags: ['port'],
    realServers: [
      { address: '10.0.0.2', port: 80 },
      { address: '10.0.0.3', port: 80, tunnel: { type: 'gre', checksum: 'csum' } },
      { address: '10.0.0.4', port: 80, tunnel: { type: 'ipip' } },
      { address: '2001:db8::4', port: 80, tunnel: { type: 'ipip' } },
    ],
  },
  {
    name: 'fullnat',
    vip: '192.0.2.12',
    port: 80,
    forwarding: 'fullnat',
    scheduler: 'wrr',
    localAddresses: ['10.0.0.8', '10.0.0.9'],
    realServers: [{ address: '10.0.0.2', port: 8080 }],
  },
  {
    name: 'dns over IPv6',
    vip: '2001:db8::10',
    port: 53,
    protocol: 'udp',
    scheduler: 'rr',
    forwarding: 'nat',
    onePacket: true,
    realServers: [{ address: '2001:db8::21', port: 5353 }],
  },
  {
    name: 'sip',
    vip: '192.0.2.13',
    port: 5060,
    protocol: 'udp',
    scheduler: 'rr',
    persistence: { timeoutSec: 60, engine: 'sip' },
    realServers: [{ address: '10.0.0.2', port: 5060 }],
  },
  {
    name: 'sctp',
    vip: '192.0.2.14',
    port: 9,
    protocol: 'sctp',
    scheduler: 'lc',
    realServers: [{ address: '10.0.0.2', port: 9 }],
  },
  {
    name: 'every port',
    vip: '192.0.2.15',
    port: 0,
    scheduler: 'wlc',
    persistence: { timeoutSec: 300 },
    realServers: [{ address: '10.0.0.2', port: 0 }],
  },
  { name: 'mark', fwmark: 7, scheduler: 'rr', realServers: [{ address: '10.0.0.2', port: 0 }] },
  {
    name: 'mark of IPv6',
    fwmark: 7,
    family: 'ipv6',
    scheduler: 'rr',
    persistence: { timeoutSec: 60, prefixLength: 64 },
    realServers: [{ address: '2001:db8::21', port: 0 }],
  },
]

function desired(ipvs: Record<string, unknown>, of: readonly Record<string, unknown>[] = services): Desired {
  const parsed = parseClusterSpec({
    apiVersion: 'signalbox/v1',
    name: 'lab',
    services: of.map((one) => ({ dataplane: 'ipvs', check: { type: 'none' }, ...one })),
    ipvs,
  })
  if (!parsed.ok) throw new Error(parsed.issues.map(formatIssue).join('\n'))
  return desiredOf(parsed.value, Object.fromEntries(parsed.value.services.map((one) => [serviceKey(one), 'front'])))
}

const settings = { timeouts: { tcpSec: 1800, udpSec: 60 }, sysctls: { sync_threshold: '0 50' } }
const sync = { interface: 'front', syncId: 7, roles: ['master'], group: '224.0.0.82' }
const wanted = desired(settings)
const configs = wanted.services.map(({ config }) => config)
const planned = (to: Desired, from: ObservedState, drainSec = 0): Step[] =>
  plan(to, from, { drainSec }).map(({ step }) => step)
/** The shell stops at the first line that fails; a step without a line is none. */
const type = (steps: readonly Step[]): Promise<string> =>
  guest.run(['set -e', ...ipvsadmCommands(steps, configs).map(({ text }) => text)].join('\n'))
const listed = async (command: string): Promise<string[]> =>
  (await guest.run(command))
    .split('\n')
    .flatMap((line) => (line.trim() === '' ? [] : [line.trim().replaceAll(/\s+/g, ' ')]))
const sysctls = 'net.ipv4.vs.conntrack net.ipv4.vs.sync_threshold net.ipv4.ip_forward net.ipv6.conf.all.forwarding'
let state = before

test('ipvsadm lists again every option that was typed for it', async () => {
  const steps = planned(wanted, state)
  await type(steps)
  state = simulate(state, steps)
  expect((await listed('ipvsadm -Sn')).toSorted()).toEqual(
    [
      '-A -f 7 -6 -s rr -p 60 -M 64',
      '-a -f 7 -6 -r [2001:db8::21]:0 -g -w 1',
      '-A -f 7 -s rr',
      '-a -f 7 -r 10.0.0.2:0 -g -w 1',
      '-A --sctp-service 192.0.2.14:9 -s lc',
      '-a --sctp-service 192.0.2.14:9 -r 10.0.0.2:9 -g -w 1',
      '-A -t 192.0.2.10:443 -s sh -p 600 -M 255.255.255.0 -b sh-fallback,sh-port',
      '-a -t 192.0.2.10:443 -r 10.0.0.2:8443 -m -w 3',
      '-a -t 192.0.2.10:443 -r 10.0.0.3:443 -g -w 0',
      '-A -t 192.0.2.11:80 -s mh -b mh-port',
      '-a -t 192.0.2.11:80 -r 10.0.0.2:80 -i -w 1 --tun-type gue --tun-port 6080 --tun-remcsum',
      '-a -t 192.0.2.11:80 -r 10.0.0.3:80 -i -w 1 --tun-type gre --tun-csum',
      '-a -t 192.0.2.11:80 -r 10.0.0.4:80 -i -w 1 --tun-type ipip',
      '-a -t 192.0.2.11:80 -r [2001:db8::4]:80 -i -w 1 --tun-type ipip',
      '-A -t 192.0.2.12:80 -s wrr',
      '-a -t 192.0.2.12:80 -r 10.0.0.2:8080 -m -w 1',
      '-A -t 192.0.2.15:0 -s wlc -p 300',
      '-a -t 192.0.2.15:0 -r 10.0.0.2:0 -g -w 1',
      '-A -u 192.0.2.13:5060 -s rr -p 60 --pe sip',
      '-a -u 192.0.2.13:5060 -r 10.0.0.2:5060 -g -w 1',
      '-A -u [2001:db8::10]:53 -s rr -o',
      '-a -u [2001:db8::10]:53 -r [2001:db8::21]:5353 -m -w 1',
    ].toSorted(),
  )
})

test('thresholds, timeouts, sysctls, addresses and the table of FullNAT are there too', async () => {
  expect(await listed('ipvsadm -Ln --thresholds')).toContain('-> 10.0.0.2:8443 500 400 0 0')
  expect(await listed('ipvsadm -L --timeout')).toEqual(['Timeout (tcp tcpfin udp): 1800 120 60'])
  expect(await listed(`sysctl -n ${sysctls}`)).toEqual(['1', '0 50', '1', '1'])
  const addresses = (await listed('ip -o address show dev front')).join('\n')
  for (const { config } of wanted.services) if (config.vip !== null) expect(addresses).toContain(` ${config.vip}/`)
  expect(addresses).not.toContain('tentative')
  const table = (await listed('nft list table ip signalbox_fullnat')).join('\n')
  expect(table).toContain('192.0.2.12 . 80 . 10.0.0.2 . 8080')
  expect(table).toContain('snat to numgen inc mod 2 map { 0 : 10.0.0.8, 1 : 10.0.0.9 }')
})

test('edits and the sync daemon are what the plan of an edit says', async () => {
  const few = [
    { ...services[0], scheduler: 'wlc', schedulerFlags: [], persistence: undefined },
    { ...services[3], realServers: [{ address: '2001:db8::21', port: 5353, weight: 9 }] },
  ]
  // One after the other: the daemon does not start while a tunnel mixes families.
  for (const edited of [desired(settings, few), desired({ ...settings, sync }, few)]) {
    const steps = planned(edited, state, 1)
    await type(steps)
    state = simulate(state, steps)
  }
  expect((await listed('ipvsadm -Sn')).toSorted()).toEqual(
    [
      '-A -t 192.0.2.10:443 -s wlc',
      '-a -t 192.0.2.10:443 -r 10.0.0.2:8443 -m -w 3',
      '-a -t 192.0.2.10:443 -r 10.0.0.3:443 -g -w 0',
      '-A -u [2001:db8::10]:53 -s rr -o',
      '-a -u [2001:db8::10]:53 -r [2001:db8::21]:5353 -m -w 9',
    ].toSorted(),
  )
  expect((await listed('ipvsadm -L --daemon')).join('\n')).toContain('master sync daemon (mcast=front, syncid=7')
})

test('the way back leaves nothing: no service, no daemon, no address, no table, no module', async () => {
  await type(planned(emptyDesired, state, 1))
  expect(await listed("grep -c '^ip_vs' /proc/modules || true")).toEqual(['0'])
  expect((await listed('ip -o address show dev front')).filter((line) => !line.includes('fe80:'))).toEqual([])
  expect(await listed('nft list tables | grep signalbox || true')).toEqual([])
  expect(await listed('sysctl -n net.ipv4.ip_forward net.ipv6.conf.all.forwarding')).toEqual(['0', '0'])
})
