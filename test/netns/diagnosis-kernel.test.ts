import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Finding } from '../../core/diagnosis/finding.ts'
import { judgeHost } from '../../core/diagnosis/judge.ts'
import { readHost } from '../../main/console/checks/read-host.ts'
import { type Lab, startLab } from '../lab/lab.ts'
import { type LabHosts, arpingFrom, labHosts } from './diagnosis-hosts.ts'

// What the rules say against what the kernel does: a rule that passes a host which misbehaves would be worse than none.

let lab: Lab
let hosts: LabHosts
beforeAll(async () => {
  lab = await startLab({ realServers: 1 })
  hosts = labHosts(lab)
  await lab.exec('rs1', ['ip', 'addr', 'add', `${lab.vip}/32`, 'dev', 'lo'], { mustSucceed: true })
})
afterAll(async () => {
  await hosts?.close()
  await lab?.stop()
})

const set = async (name: string, values: Record<string, number>): Promise<void> => {
  const words = Object.entries(values).map(([key, value]) => `net.ipv4.conf.${key}.${name}=${value}`)
  await lab.exec('rs1', ['sysctl', '-qw', ...words], { mustSucceed: true })
}

async function judge(rule: string): Promise<Finding | undefined> {
  const host = lab.host('rs1').addresses.data
  const shell = await hosts.openHost('lab', host)
  if (shell === null) throw new Error('no shell')
  const asked = { isDirector: false, vip: lab.vip, port: 80, routesTo: [] }
  const facts = await readHost(shell, asked, new AbortController().signal)
  const request = {
    vip: lab.vip,
    port: 80,
    protocol: 'tcp',
    forwarding: 'dr',
    dataplane: 'ebpf',
    announce: 'arp',
    isLive: false,
    allowOwnAddress: false,
    realServers: [{ address: host, port: 80 }],
  } as const
  const arp = { kind: 'notAsked', reason: 'only the director asks' } as const
  const findings = judgeHost({ request, host, facts, director: null, realServers: new Map(), arp })
  return findings.find((finding) => finding.rule === rule)
}

test.each([
  [0, 0, 0, true],
  [0, 0, 1, true],
  [0, 1, 0, false],
  [1, 0, 0, false],
  [0, 2, 0, false],
  [2, 1, 0, false],
  [0, 3, 0, true],
])('arp_ignore all=%i eth0=%i lo=%i: answered %s, and the rule agrees', async (all, eth0, lo, isAnswered) => {
  await set('arp_ignore', { all, eth0, lo })
  const { answers } = await arpingFrom(lab)('lab', { address: lab.vip, waitMs: 1000 })
  expect(answers.length).toBe(isAnswered ? 1 : 0)
  expect((await judge('DR5'))?.status).toBe(isAnswered ? 'missing' : 'ok')
})

test('arp_ignore 8 hides the VIP and the real server alike, so the rule does not take it', async () => {
  await set('arp_ignore', { all: 0, eth0: 8, lo: 0 })
  expect((await arpingFrom(lab)('lab', { address: lab.vip, waitMs: 1000 })).answers).toEqual([])
  expect((await arpingFrom(lab)('lab', { address: lab.host('rs1').addresses.data, waitMs: 1000 })).answers).toEqual([])
  expect((await judge('DR5'))?.status).toBe('missing')
  await set('arp_ignore', { eth0: 0 })
})

// The VIP lies in the subnet of eth0, as it usually does in DR: there 1 is not enough.
test.each([
  [0, 0, 'the VIP'],
  [1, 0, 'the VIP'],
  [0, 1, 'the VIP'],
  [2, 0, 'the real server'],
  [0, 2, 'the real server'],
])('arp_announce all=%i eth0=%i: %s is the sender of ARP requests, and the rule agrees', async (all, eth0, sender) => {
  await set('arp_announce', { all, eth0 })
  // The director answers the packet below, and asks for the VIP itself: that question must stay unanswered here.
  await set('arp_ignore', { all: 1, eth0: 0, lo: 0 })
  const [realServer, director] = [lab.host('rs1').addresses.data, lab.host('director').addresses.data]
  const neighbours = (host: string, ...argv: string[]) =>
    lab.exec(host, ['ip', 'neigh', ...argv, 'dev', 'eth0'], { mustSucceed: true })
  // Who hears an ARP request learns its sender: this is how the director's cache gets poisoned.
  const learned = async (): Promise<string[]> => {
    const { stdout } = await neighbours('director', 'show')
    return [lab.vip, realServer].filter((address) => stdout.includes(`${address} lladdr`))
  }
  await neighbours('rs1', 'flush')
  for (const address of [lab.vip, realServer]) await neighbours('director', 'flush', 'to', address)
  expect(await learned()).toEqual([])
  const script = `const s = require('node:dgram').createSocket('udp4')
    s.bind(0, '${lab.vip}', () => s.send('x', 9, '${director}', () => s.close()))`
  await lab.exec('rs1', [process.execPath, '-e', script], { mustSucceed: true })
  await expect.poll(learned).toEqual([sender === 'the VIP' ? lab.vip : realServer])
  expect((await judge('DR6'))?.status).toBe(sender === 'the VIP' ? 'missing' : 'ok')
})

test('a wide prefix on lo makes its neighbours local, and the rule names the network', async () => {
  const network = lab.layout.dataSubnet
  await lab.exec('rs1', ['ip', 'addr', 'add', `${lab.vip}/24`, 'dev', 'lo'], { mustSucceed: true })
  const { stdout } = await lab.exec('rs1', ['ip', 'route', 'get', lab.layout.freeAddresses[8] ?? ''])
  expect(stdout).toMatch(/^local .* dev lo/)
  expect(await judge('DR4')).toMatchObject({ cause: 'wrongPrefix', params: { network } })
  await lab.exec('rs1', ['ip', 'addr', 'del', `${lab.vip}/24`, 'dev', 'lo'], { mustSucceed: true })
  expect((await judge('DR4'))?.status).toBe('ok')
})
