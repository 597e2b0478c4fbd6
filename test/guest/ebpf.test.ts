// The eBPF dataplane on the oldest kernel that it is for: 6.1, without TCX.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Guest, startGuest } from '../lab/guest/guest.ts'
import { documentOf, GuestAgent, installAgent } from './support/agent.ts'
import { hosts, layNetwork, serve, takeVips } from './support/network.ts'
import { request, shares } from './support/traffic.ts'

const vip = '10.1.0.90'
let guest: Guest
let agent: GuestAgent
beforeAll(async () => {
  guest = await startGuest()
  await layNetwork(guest)
  await takeVips(guest, [vip])
  await serve(guest, ['rs1', 'rs2'], [8000])
  await installAgent(guest)
  agent = await GuestAgent.start(guest)
})
afterAll(() => guest?.stop())

test('the programs load, attach at a hook that this kernel has, and carry traffic', async () => {
  const kernel = (await guest.run('uname -r')).trim()
  expect(kernel).toMatch(/^6\.1\./)
  const { dataplane } = await agent.client.call('agent.hello', {})
  expect(dataplane.hooks.find(({ hook }) => hook === 'tcx')).toMatchObject({ isUsable: false })
  await agent.apply(
    documentOf([
      {
        name: 'web',
        vip,
        port: 8000,
        dataplane: 'ebpf',
        forwarding: 'dr',
        scheduler: 'rr',
        check: { type: 'none' },
        realServers: [
          { address: hosts.rs1.ipv4, port: 8000 },
          { address: hosts.rs2.ipv4, port: 8000 },
        ],
      },
    ]),
  )
  const { observed } = await agent.state()
  expect(observed.attachments).toMatchObject([{ interface: 'e0', hook: 'clsact' }])
  const [outcome] = await request(guest, [{ protocol: 'tcp', vip, port: 8000, count: 20 }])
  expect(outcome?.failures).toEqual([])
  expect(Object.values(shares(outcome!)).map((count) => Math.abs(count - 10) <= 2)).toEqual([true, true])
})

test('an agent that starts again takes up what is attached, and taken down nothing is left', async () => {
  await agent.stop()
  const [without] = await request(guest, [{ protocol: 'tcp', vip, port: 8000, count: 4 }])
  expect(without?.failures).toEqual([])
  agent = await GuestAgent.start(guest)
  await agent.client.call('agent.retire', { keepTraffic: false })
  const left = await guest.run('tc qdisc show dev e0; ls /sys/fs/bpf', { host: 'director' })
  expect(left).not.toMatch(/clsact|signalbox/)
})
