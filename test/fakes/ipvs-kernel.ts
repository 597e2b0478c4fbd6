// The generic netlink family IPVS with state: takes the same bytes as the kernel and refuses with the same errno.
// The guest lane runs the same rows against a real kernel.
import ipaddr from 'ipaddr.js'
import { ipvsDestinationKey, ipvsServiceKey } from '../../agent/dataplane/ipvs/requests.ts'
import type {
  IpvsDaemon,
  IpvsDestination,
  IpvsService,
  IpvsServiceId,
  IpvsStats,
} from '../../agent/dataplane/ipvs/types.ts'
import { KernelError } from '../../agent/kernel/errno.ts'
import type { GenericAnswers, GenericMessage, GenericPort, GenericRequest } from '../../agent/kernel/genl.ts'
import type { Glances } from '../../agent/dataplane/ipvs/glance.ts'
import { wordsOf } from '../../agent/kernel/attributes.ts'
import type { ReadMessage } from '../../agent/kernel/netlink-socket.ts'
import { decodeTimeouts } from '../../agent/dataplane/ipvs/codec-settings.ts'
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
} from './ipvs-wire.ts'

export const noStats: IpvsStats = {
  connections: 0,
  inPackets: 0,
  outPackets: 0,
  inBytes: 0,
  outBytes: 0,
  connectionsPerSec: 0,
  inPacketsPerSec: 0,
  outPacketsPerSec: 0,
  inBytesPerSec: 0,
  outBytesPerSec: 0,
}

/** INT_MAX divided by the jiffies of a second, of which Debian's kernel has 250. */
const largestTimeout = Math.floor(0x7fffffff / 250)

interface Entry {
  service: IpvsService
  word: number
  readonly destinations: Map<string, IpvsDestination>
}

/** Thrown within the fake: the errno of the refusal. */
class Refusal extends Error {}

const refuse = (errno: string): never => {
  throw new Refusal(errno)
}

export class FakeIpvsKernel implements GenericPort {
  /** What this kernel has; tests take away what shall be missing. */
  readonly schedulers = new Set(['rr', 'wrr', 'lc', 'wlc', 'sh', 'mh', 'fo', 'ovf'])
  readonly engines = new Set(['sip'])
  readonly interfaces = new Set(['lo', 'eth0'])
  hasIpv6 = true
  isPermitted = true
  /** False: unloaded since the client was opened. */
  isLoaded = true
  /** Called between the parts of a dump, as somebody else's change would come. */
  whileDumping: (() => void) | undefined
  /** How many times requests were sent, however many there were. */
  sent = 0
  isClosed = false
  readonly #table = new Map<string, Entry>()
  readonly #daemons = new Map<string, IpvsDaemon>()
  #timeouts = { tcpSec: 900, tcpFinSec: 120, udpSec: 300 }

  request(request: GenericRequest): GenericMessage[] {
    this.sent += 1
    const { error, messages } = this.#answer(request)
    if (error !== null) throw error
    return [...messages]
  }

  requestAll(requests: readonly GenericRequest[]): GenericAnswers {
    this.sent += 1
    // As the socket does: what cannot be written is refused before anything is done.
    requests.forEach(attributesOf)
    const answers = requests.map((request) => this.#answer(request))
    return {
      errors: answers.map(({ error }) => error),
      messages: new Map(answers.map(({ messages }, i) => [i, messages])),
    }
  }

  dumpEach<T>(request: GenericRequest, read: ReadMessage<T>): T[] {
    this.sent += 1
    return this.#dump(request).map(({ attributes }) => read(wordsOf(attributes), 0, attributes.length))
  }

  #dump(request: GenericRequest): GenericMessage[] {
    const { command } = request
    const attributes = attributesOf(request)
    return this.#refusing(request.what(), () => {
      if (command === 4) {
        const entries = [...this.#table.values()]
        this.whileDumping?.()
        return entries.map(({ service }) => message(1, serviceAnswer(service)))
      }
      if (command === 11) return [...this.#daemons.values()].map((daemon) => message(9, daemonAnswer(daemon)))
      const id = requestedId(attributes)
      const destinations = id === null ? undefined : this.#table.get(ipvsServiceKey(id))?.destinations
      return [...(destinations?.values() ?? [])].toReversed().map((one) => message(5, destinationAnswer(one)))
    })
  }

  /** The older interface: real servers of the service's own family, without their tunnels, counters of 32 bits. */
  glances(): Glances {
    return {
      at: (id) => {
        const entry = this.#table.get(ipvsServiceKey(id))
        if (entry === undefined || id.family !== 'ipv4' || !this.isPermitted) return null
        const told = [...entry.destinations.values()]
          .filter((one) => one.id.family === 'ipv4')
          .map(({ tunnel: _tunnel, ...one }) => JSON.stringify(one))
        return Buffer.from([entry.destinations.size, ...told].join('\n'))
      },
      close: () => {},
    }
  }

  isThere(): boolean {
    return this.isLoaded
  }

  close(): void {
    this.isClosed = true
  }

  #refusing(what: string, act: () => GenericMessage[]): GenericMessage[] {
    try {
      if (!this.isLoaded) refuse('ENOENT')
      if (!this.isPermitted) refuse('EPERM')
      return act()
    } catch (error) {
      throw error instanceof Refusal ? new KernelError(what, error.message) : error
    }
  }

  #answer(request: GenericRequest): { error: KernelError | null; messages: readonly GenericMessage[] } {
    try {
      return { error: null, messages: this.#refusing(request.what(), () => this.#act(request)) }
    } catch (error) {
      if (error instanceof KernelError) return { error, messages: [] }
      throw error
    }
  }

  #act(request: GenericRequest): GenericMessage[] {
    const { command } = request
    const attributes = attributesOf(request)
    switch (command) {
      case 1:
      case 2:
        this.#setService(attributes, command === 1)
        return []
      case 3:
        this.#table.delete(ipvsServiceKey(this.#found(attributes).service.id))
        return []
      case 4:
        return [message(1, serviceAnswer(this.#found(attributes).service))]
      case 5:
      case 6:
        this.#setDestination(attributes, command === 5)
        return []
      case 7: {
        const { destinations, service } = this.#found(attributes)
        const id = requestedDestinationId(attributes, service.id.family) ?? refuse('EINVAL')
        if (!destinations.delete(ipvsDestinationKey(id))) refuse('ENOENT')
        return []
      }
      case 9:
        this.#startDaemon(attributes)
        return []
      case 10:
        if (!this.#daemons.delete((requestedDaemon(attributes) ?? refuse('EINVAL')).state)) refuse('ESRCH')
        return []
      case 12: {
        const { tcpSec, tcpFinSec, udpSec } = decodeTimeouts(wordsOf(attributes), 0, attributes.length)
        const old = this.#timeouts
        for (const seconds of [tcpSec, tcpFinSec, udpSec]) if (Number(seconds) > largestTimeout) refuse('EINVAL')
        this.#timeouts = {
          tcpSec: tcpSec || old.tcpSec,
          tcpFinSec: tcpFinSec || old.tcpFinSec,
          udpSec: udpSec || old.udpSec,
        }
        return []
      }
      case 13:
        return [message(12, timeoutsAnswer(this.#timeouts))]
      case 15:
        return [message(14, infoAnswer({ version: '1.2.1', connectionTableSize: 4096 }))]
      case 16:
        this.#zero(attributes)
        return []
      default:
        return refuse('EOPNOTSUPP')
    }
  }

  #idOf(attributes: Buffer): IpvsServiceId {
    const id = requestedId(attributes) ?? refuse('EINVAL')
    if (id.family === 'ipv6' && !this.hasIpv6) refuse('EAFNOSUPPORT')
    return id
  }

  #found(attributes: Buffer): Entry {
    return this.#table.get(ipvsServiceKey(this.#idOf(attributes))) ?? refuse('ESRCH')
  }

  #setService(attributes: Buffer, isNew: boolean): void {
    const key = ipvsServiceKey(this.#idOf(attributes))
    const old = this.#table.get(key)
    const asked = requestedService(attributes, old?.word) ?? refuse('EINVAL')
    if (isNew && old !== undefined) refuse('EEXIST')
    if (!isNew && old === undefined) refuse('ESRCH')
    const { word, ...settings } = asked
    if (!this.schedulers.has(settings.scheduler)) refuse('ENOENT')
    if (settings.engine !== null && !this.engines.has(settings.engine)) refuse('ENOENT')
    if (settings.id.family === 'ipv6' && (settings.prefixLength < 1 || settings.prefixLength > 128)) refuse('EINVAL')
    const service = { ...settings, stats: old?.service.stats ?? noStats }
    if (old === undefined) this.#table.set(key, { service, word, destinations: new Map() })
    else Object.assign(old, { service, word })
  }

  #setDestination(attributes: Buffer, isNew: boolean): void {
    const { service, destinations } = this.#found(attributes)
    const asked = requestedDestination(attributes, service.id.family) ?? refuse('EINVAL')
    if (asked.id.family !== service.id.family && (asked.forwarding !== 'tunnel' || this.#daemons.size > 0)) {
      refuse('EINVAL')
    }
    if (asked.weight > 0x7fffffff || asked.lowerThreshold > asked.upperThreshold) refuse('ERANGE')
    if (asked.tunnel.type === 'gue' && asked.tunnel.port === 0) refuse('EINVAL')
    if (ipaddr.parse(asked.id.address).range() === 'multicast') refuse('EINVAL')
    const key = ipvsDestinationKey(asked.id)
    const old = destinations.get(key)
    if (isNew && old !== undefined) refuse('EEXIST')
    if (!isNew && old === undefined) refuse('ENOENT')
    const live = { activeConnections: 0, inactiveConnections: 0, persistentConnections: 0, stats: noStats }
    destinations.set(key, { ...live, ...old, ...asked })
  }

  #startDaemon(attributes: Buffer): void {
    const asked = requestedDaemon(attributes) ?? refuse('EINVAL')
    const { state, interface: name, syncId } = asked
    if (name === undefined || syncId === undefined) return refuse('EINVAL')
    if (this.#daemons.has(state)) refuse('EEXIST')
    if (!this.interfaces.has(name)) refuse('ENODEV')
    if (this.#hasMixedFamilies()) refuse('EINVAL')
    const { maxLength = 1472, group = '224.0.0.81', port = 8848, ttl = 1 } = asked
    this.#daemons.set(state, { state, interface: name, syncId, maxLength, group, port, ttl })
  }

  #hasMixedFamilies(): boolean {
    return [...this.#table.values()].some(({ service, destinations }) =>
      [...destinations.values()].some(({ id }) => id.family !== service.id.family),
    )
  }

  #zero(attributes: Buffer): void {
    const entries = requestedId(attributes) === null ? [...this.#table.values()] : [this.#found(attributes)]
    for (const entry of entries) entry.service = { ...entry.service, stats: noStats }
  }

  has(scheduler: string, engine: string | null): void {
    this.schedulers.add(scheduler)
    if (engine !== null) this.engines.add(engine)
  }

  /** As traffic would. */
  count(id: IpvsServiceId, stats: IpvsStats): void {
    const entry = this.#table.get(ipvsServiceKey(id))
    if (entry !== undefined) entry.service = { ...entry.service, stats }
  }
}

const message = (command: number, attributes: Buffer): GenericMessage => ({ command, version: 1, attributes })
