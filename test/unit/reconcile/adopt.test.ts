import fc from 'fast-check'
import { expect, test } from 'vitest'
import { emptySpec, parseClusterSpec } from '../../../core/model/cluster-spec.ts'
import type { ObservedService } from '../../../core/model/observed.ts'
import { serviceKey } from '../../../core/model/service.ts'
import { adoptedService, commonMethod, withAdopted } from '../../../core/reconcile/adopt.ts'
import { compareEndpoints, desiredOf } from '../../../core/reconcile/desired.ts'
import { configOf, plan, realServerConfigOf } from '../../../core/reconcile/plan.ts'
import { found, foundMany, hostWith } from './found.ts'

const interfacesOf = (services: readonly ObservedService[]) =>
  Object.fromEntries(services.map((service) => [serviceKey(service), 'eth0']))

test('the document says a found service exactly: programmed from it, it is the same', () => {
  fc.assert(
    fc.property(found, (service) => {
      const spec = withAdopted(emptySpec('test'), [service])
      const [desired] = desiredOf(spec, { [serviceKey(service)]: service.interface }).services
      expect(desired?.config).toEqual(configOf(service))
      expect(desired?.realServers).toEqual(service.realServers.map(realServerConfigOf).toSorted(compareEndpoints))
    }),
  )
})

test('taking services over is one step for each, and nothing else changes', () => {
  fc.assert(
    fc.property(foundMany, (services) => {
      const desired = desiredOf(withAdopted(emptySpec('test'), services), interfacesOf(services))
      const steps = plan(desired, hostWith(services), { adopt: new Set(services.map(serviceKey)), drainSec: 10 })
      expect(steps.map(({ step }) => step.kind)).toEqual(services.map(() => 'service.adopt'))
    }),
  )
})

test('the document with found services is one that the rules accept, and reading it again changes nothing', () => {
  fc.assert(
    fc.property(foundMany, (services) => {
      // A real server whose address is a VIP of another service is refused by a rule of the whole document.
      const spec = withAdopted(emptySpec('test'), services)
      expect(parseClusterSpec(spec)).toEqual({ ok: true, value: spec })
    }),
  )
})

const web: ObservedService = {
  vip: '192.0.2.10',
  port: 80,
  protocol: 'tcp',
  fwmark: null,
  family: 'ipv4',
  dataplane: 'ipvs',
  forwarding: 'nat',
  scheduler: 'wrr',
  schedulerFlags: [],
  persistence: null,
  onePacket: false,
  localAddresses: [],
  announce: 'none',
  interface: 'lo',
  check: { type: 'none' },
  realServers: [
    { ...member(20), forwarding: 'nat', port: 8080 },
    { ...member(21), forwarding: 'nat' },
    { ...member(22), forwarding: 'tun', tunnel: { type: 'gue', port: 6080, checksum: 'csum' } },
  ],
  ringDigest: null,
  isForeign: true,
}
function member(last: number) {
  return {
    address: `192.0.2.${last}`,
    port: 80,
    weight: 1,
    state: 'enabled' as const,
    forwarding: 'dr' as const,
    tunnel: null,
    upperThreshold: 0,
    lowerThreshold: 0,
    isUp: true,
  }
}

test('the method of most real servers is the service’s, and only the others say theirs', () => {
  expect(commonMethod(web.realServers)).toBe('nat')
  expect(adoptedService(web, 'web')).toEqual({
    name: 'web',
    vip: '192.0.2.10',
    port: 80,
    protocol: 'tcp',
    dataplane: 'ipvs',
    forwarding: 'nat',
    tunnel: { type: 'gue', port: 6080, checksum: 'csum' },
    scheduler: 'wrr',
    schedulerFlags: [],
    announce: 'none',
    check: { type: 'none' },
    realServers: [
      { address: '192.0.2.20', port: 8080, weight: 1, state: 'enabled' },
      { address: '192.0.2.21', port: 80, weight: 1, state: 'enabled' },
      { address: '192.0.2.22', port: 80, weight: 1, state: 'enabled', forwarding: 'tun' },
    ],
  })
})

test('two methods that are as frequent: the first one found', () => {
  expect(commonMethod([{ forwarding: 'tun' }, { forwarding: 'dr' }])).toBe('tun')
  expect(commonMethod([])).toBeNull()
})

test('names are those of no other service, and a service that the document has is left as it says', () => {
  const once = withAdopted(emptySpec('test'), [web])
  expect(once.services.map(({ name }) => name)).toEqual(['192.0.2.10:80'])
  const renamed = { ...once, services: once.services.map((one) => ({ ...one, vip: '192.0.2.99' })) }
  expect(withAdopted(renamed, [web]).services.map(({ name }) => name)).toEqual(['192.0.2.10:80', '192.0.2.10:80 2'])
  expect(withAdopted(once, [{ ...web, scheduler: 'rr' }])).toEqual(once)
})
