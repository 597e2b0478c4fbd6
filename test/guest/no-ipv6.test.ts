// A director that was booted without IPv6, as guides to hardening want it: the family is missing, the module is not.
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { AppError } from '../../core/contract/errors.ts'
import { type Guest, onHost, startGuest } from '../lab/guest/guest.ts'
import { addressIn, makeTopology, vipOf } from '../lab/guest/topology.ts'
import { documentOf, installAgent } from './support/agent.ts'
import { Director } from './support/director.ts'

let guest: Guest
let director: Director
beforeAll(async () => {
  guest = await startGuest({ kernelWords: ['ipv6.disable=1'] })
  await installAgent(guest)
  await makeTopology(guest, { ipv6: false })
  const servers = ['rs1', 'rs2'].map((name) =>
    [
      `mkdir -p /run/www/${name}; echo ${name} >/run/www/${name}/index.html`,
      onHost(name, ['busybox', 'httpd', '-p', '80', '-h', `/run/www/${name}`]).join(' '),
    ].join('\n'),
  )
  await guest.run(servers.join('\n'))
  director = await new Director(guest, { host: 'director' }).start()
})
afterAll(() => guest?.stop())

const web = (family: 'ipv4' | 'ipv6') => ({
  name: `web-${family}`,
  vip: vipOf(family),
  port: 80,
  dataplane: 'ipvs',
  forwarding: 'fullnat',
  scheduler: 'rr',
  check: { type: 'none' },
  realServers: [11, 12].map((last) => ({ address: addressIn('back', family, last), port: 80 })),
})
const refusal = (attempt: Promise<unknown>) =>
  attempt.then(
    () => expect.fail('it was accepted'),
    (error: unknown) => error as AppError,
  )

test('the agent says which families there are, beside whether IPVS is', async () => {
  const { families, ipvs } = await director.client.call('agent.hello', {})
  expect(families).toEqual(['ipv4'])
  expect(ipvs).toMatchObject({ availability: 'module-not-loaded' })
})

test('a service of IPv6 is refused at each field, in the plan and in an apply, and the kernel is not asked', async () => {
  const marked = { name: 'marked', fwmark: 7, family: 'ipv6', dataplane: 'ipvs', forwarding: 'nat', realServers: [] }
  const spec = documentOf([web('ipv4'), web('ipv6'), { ...marked, scheduler: 'rr', check: { type: 'none' } }])
  const plan = { spec, adopt: [], drainSec: 0, protectedAddresses: [] }
  for (const attempt of [director.client.call('cluster.plan', plan), director.tryApply(spec)]) {
    const { code, issues, message } = await refusal(attempt)
    expect(code).toBe('BAD_INPUT')
    expect(issues?.map(({ path, expectation }) => [path.join('.'), expectation])).toEqual([
      ['services.1.vip', 'kernelHasNoIpv6'],
      ['services.1.realServers.0.address', 'kernelHasNoIpv6'],
      ['services.1.realServers.1.address', 'kernelHasNoIpv6'],
      ['services.2.family', 'kernelHasNoIpv6'],
    ])
    expect(message).toContain('ipv6.disable=1')
  }
  expect(await guest.run('lsmod')).not.toMatch(/^ip_vs /m)
})

test('IPv4 works there as anywhere, FullNAT too', async () => {
  await director.apply(documentOf([web('ipv4')]))
  const url = `http://${vipOf('ipv4')}/`
  const answers = await guest.run(`curl -s -m 5 ${url} ${url} ${url} ${url}`, { host: 'client' })
  expect(answers.trim().split('\n').toSorted()).toEqual(['rs1', 'rs1', 'rs2', 'rs2'])
  // The module is loaded now, and says the same in its own words.
  const asked = await guest.exec(['ipvsadm', '-A', '-t', `[${vipOf('ipv6')}]:80`, '-s', 'rr'], { host: 'director' })
  expect(asked).toMatchObject({ code: 255, stderr: expect.stringContaining('address family') as string })
  await director.apply(documentOf([]))
  expect((await director.state()).drift).toEqual([])
})
