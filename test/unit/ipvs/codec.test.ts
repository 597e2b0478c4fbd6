import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { decodeDestination } from '../../../agent/dataplane/ipvs/codec-destination.ts'
import { decodeService } from '../../../agent/dataplane/ipvs/codec-service.ts'
import { decodeDaemon, decodeInfo, decodeTimeouts } from '../../../agent/dataplane/ipvs/codec-settings.ts'
import {
  operationRequest,
  setTimeoutsRequest,
  startDaemonRequest,
  stopDaemonRequest,
  zeroRequest,
} from '../../../agent/dataplane/ipvs/requests.ts'
import type { IpvsDestinationSettings, IpvsFamily, IpvsServiceSettings } from '../../../agent/dataplane/ipvs/types.ts'
import { MalformedError } from '../../../agent/kernel/bytes.ts'
import { attributeOf, decodeAttributes, encodeAttributes } from '../../../agent/kernel/netlink.ts'
import {
  attributesOf,
  daemonAnswer,
  destinationAnswer,
  infoAnswer,
  requestedDaemon,
  requestedDestination,
  requestedDestinationId,
  requestedId,
  requestedService,
  serviceAnswer,
  timeoutsAnswer,
} from '../../fakes/ipvs-wire.ts'
import * as any from './arbitraries.ts'
import { over } from './golden.ts'

const decodeOf = (family: IpvsFamily) => over((words, start, end) => decodeDestination(words, start, end, family))

describe('answers are read as the kernel means them', () => {
  test('services of both families, by address and by mark', () => {
    fc.assert(
      fc.property(any.service, (service) => {
        expect(over(decodeService)(serviceAnswer(service))).toEqual(service)
      }),
    )
  })

  test('real servers, also of the other family than their service', () => {
    fc.assert(
      fc.property(any.destination, any.family, (destination, serviceFamily) => {
        expect(decodeOf(serviceFamily)(destinationAnswer(destination))).toEqual(destination)
      }),
    )
  })

  test('daemons, timeouts and facts', () => {
    fc.assert(
      fc.property(any.daemon, (daemon) => {
        expect(over(decodeDaemon)(daemonAnswer(daemon))).toEqual(daemon)
      }),
    )
    fc.assert(
      fc.property(any.timeouts, (all) => {
        expect(over(decodeTimeouts)(timeoutsAnswer(all))).toEqual(all)
      }),
    )
    const info = { version: '1.2.1', connectionTableSize: 1 << 20 }
    expect(over(decodeInfo)(infoAnswer(info))).toEqual(info)
  })

  test('without 64-bit counters the 32-bit ones are read, and without a family the service has it', () => {
    fc.assert(
      fc.property(any.destination, (destination) => {
        const all = decodeAttributes(attributeOf(decodeAttributes(destinationAnswer(destination)), 2)!)
        const old = all.filter(({ type }) => type !== 12 && type !== 11 && type < 13)
        const decoded = decodeOf(destination.id.family)(encodeAttributes([{ type: 2, value: encodeAttributes(old) }]))
        expect(decoded.id).toEqual(destination.id)
        expect(decoded.tunnel).toEqual({ type: 'ipip', port: 0, checksum: 'nocsum' })
        expect(decoded.stats.inBytes).toBe(destination.stats.inBytes)
        expect(decoded.stats.inPackets).toBe(destination.stats.inPackets % 2 ** 32)
      }),
    )
  })
})

describe('requests say what is meant', () => {
  test('services: everything is set, and flags that are not ours are left as they are', () => {
    fc.assert(
      fc.property(any.serviceSettings, fc.constantFrom(0, 0x2, 0x40, 0xffffffff), (service, oldFlags) => {
        const attributes = attributesOf(operationRequest({ kind: 'service.set', service }))
        const { word, ...asked } = requestedService(attributes, oldFlags)!
        expect(asked).toEqual(service)
        expect((word & ~0x3d) >>> 0).toBe((oldFlags & ~0x3d) >>> 0)
      }),
    )
  })

  test('real servers: a change carries every attribute, so that no tunnel is lost', () => {
    fc.assert(
      fc.property(any.serviceId, any.destinationSettings, (service, destination) => {
        const attributes = attributesOf(operationRequest({ kind: 'destination.set', service, destination }))
        expect(requestedId(attributes)).toEqual(service)
        expect(requestedDestination(attributes, service.family)).toEqual(destination)
        const types = decodeAttributes(attributeOf(decodeAttributes(attributes), 2)!).map(({ type }) => type)
        expect(types.toSorted((a, b) => a - b)).toEqual([1, 2, 3, 4, 5, 6, 11, 13, 14, 15])
      }),
    )
  })

  test('deletions name the service, and the real server with its family', () => {
    fc.assert(
      fc.property(any.serviceId, any.destinationId, (id, destination) => {
        expect(requestedId(attributesOf(operationRequest({ kind: 'service.delete', id })))).toEqual(id)
        const attributes = attributesOf(operationRequest({ kind: 'destination.delete', service: id, destination }))
        expect(requestedId(attributes)).toEqual(id)
        expect(requestedDestinationId(attributes, id.family)).toEqual(destination)
        expect(requestedId(attributesOf(zeroRequest(id)))).toEqual(id)
      }),
    )
    expect(attributesOf(zeroRequest())).toHaveLength(0)
  })

  test('daemons and timeouts: what is left out is not in the request', () => {
    fc.assert(
      fc.property(any.daemonSettings, (daemon) => {
        expect(requestedDaemon(attributesOf(startDaemonRequest(daemon)))).toEqual(daemon)
        expect(requestedDaemon(attributesOf(stopDaemonRequest(daemon.state)))).toEqual({ state: daemon.state })
      }),
    )
    fc.assert(
      fc.property(any.timeouts, (all) => {
        expect(over(decodeTimeouts)(attributesOf(setTimeoutsRequest(all)))).toEqual(all)
      }),
    )
  })

  test('what does not fit an attribute is refused by value and limit, never cut', () => {
    const service: IpvsServiceSettings = {
      id: { family: 'ipv4', protocol: 'tcp', address: '192.0.2.10', port: 80 },
      scheduler: 'wlc',
      flags: { persistent: false, onePacket: false, schedulerBits: 0 },
      timeoutSec: 0,
      prefixLength: 32,
      engine: null,
    }
    const destination: IpvsDestinationSettings = {
      id: { family: 'ipv4', address: '192.0.2.20', port: 80 },
      forwarding: 'masq',
      weight: 1,
      upperThreshold: 0,
      lowerThreshold: 0,
      tunnel: { type: 'ipip', port: 0, checksum: 'nocsum' },
    }
    const add = (different: Partial<IpvsServiceSettings>) => () =>
      attributesOf(operationRequest({ kind: 'service.add', service: { ...service, ...different } }))
    const addTo = (different: Partial<IpvsDestinationSettings>) => () =>
      attributesOf(
        operationRequest({
          kind: 'destination.add',
          service: service.id,
          destination: { ...destination, ...different },
        }),
      )
    expect(add({})).not.toThrow()
    expect(add({ id: { family: 'ipv4', protocol: 'tcp', address: '192.0.2.10', port: 70000 } })).toThrow(/70000/)
    expect(add({ id: { family: 'ipv4', protocol: 'tcp', address: '2001:db8::1', port: 80 } })).toThrow(/expected IPv4/)
    expect(add({ id: { family: 'ipv6', protocol: 'tcp', address: 'fe80::1%eth0', port: 80 } })).toThrow(/expected IPv6/)
    expect(add({ id: { family: 'ipv4', protocol: 'tcp', address: '010.0.0.1', port: 80 } })).toThrow(/expected IPv4/)
    expect(add({ scheduler: 'sixteencharacter' })).toThrow(/at most 15/)
    expect(add({ scheduler: 'w\0c' })).toThrow(MalformedError)
    expect(add({ prefixLength: 33 })).toThrow(/expected 0 to 32/)
    expect(add({ timeoutSec: -1 })).toThrow(/-1/)
    expect(add({ flags: { persistent: true, onePacket: false, schedulerBits: 8 } })).toThrow(/expected 0 to 7/)
    expect(addTo({ weight: 2 ** 32 })).toThrow(MalformedError)
    expect(addTo({ weight: 1.5 })).toThrow(/1.5/)
    expect(addTo({ tunnel: { type: 'gue', port: -1, checksum: 'csum' } })).toThrow(MalformedError)
  })
})
