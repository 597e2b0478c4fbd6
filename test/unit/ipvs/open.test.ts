import { expect, test } from 'vitest'
import { type IpvsHost, ipvsModulesIn, openIpvs } from '../../../agent/dataplane/ipvs/open.ts'
import { FakeIpvsKernel } from '../../fakes/ipvs-kernel.ts'

const host = (kernel: FakeIpvsKernel | null, files: Record<string, string> = {}): IpvsHost => ({
  openFamily: () => kernel,
  openGlances: () => kernel?.glances() ?? null,
  kernelRelease: () => '6.1.0-56-amd64',
  read: (path) => files[path] ?? null,
})
const dep = '/lib/modules/6.1.0-56-amd64/modules.dep'
const withIpvs = [
  'kernel/net/netfilter/ipvs/ip_vs.ko: kernel/net/netfilter/nf_conntrack.ko kernel/lib/libcrc32c.ko',
  'kernel/net/netfilter/ipvs/ip_vs_rr.ko.xz: kernel/net/netfilter/ipvs/ip_vs.ko',
  'kernel/net/netfilter/xt_ipvs.ko: kernel/net/netfilter/ipvs/ip_vs.ko',
  '',
].join('\n')

test('IPVS with an empty table is ready', () => {
  const opened = openIpvs(host(new FakeIpvsKernel()))
  if (opened.availability !== 'ready') throw new Error(opened.reason)
  expect(opened.info).toEqual({ version: '1.2.1', connectionTableSize: 4096 })
  expect(opened.client.table()).toEqual([])
})

test('a refusal for want of permission is neither an empty table nor a missing module', () => {
  const kernel = new FakeIpvsKernel()
  kernel.isPermitted = false
  expect(openIpvs(host(kernel))).toMatchObject({ availability: 'no-permission', reason: /CAP_NET_ADMIN/ })
  expect(kernel.isClosed).toBe(true)
})

test('without the family, the files of the kernel tell whether its module could be loaded', () => {
  expect(openIpvs(host(null, { [dep]: withIpvs }))).toMatchObject({
    availability: 'module-not-loaded',
    hint: /modprobe/,
  })
  const locked = { [dep]: withIpvs, '/proc/sys/kernel/modules_disabled': '1\n' }
  expect(openIpvs(host(null, locked))).toMatchObject({ availability: 'module-not-loaded', reason: /modules_disabled/ })
  expect(openIpvs(host(null, { [dep]: 'kernel/net/ipv4/ipip.ko:\n' }))).toMatchObject({
    availability: 'module-missing',
  })
  expect(openIpvs(host(null))).toMatchObject({ availability: 'module-missing', reason: /There is no/ })
})

test('the modules of IPVS are found in both lists of depmod, packed or not', () => {
  expect(ipvsModulesIn(withIpvs)).toEqual(['ip_vs', 'ip_vs_rr'])
  expect(ipvsModulesIn('kernel/net/netfilter/ipvs/ip_vs_mh.ko\nkernel/net/ipv4/ipip.ko\n')).toEqual(['ip_vs_mh'])
})
