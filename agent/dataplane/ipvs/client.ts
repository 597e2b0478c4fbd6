// IPVS of this network namespace through generic netlink: the only way that shows and sets everything (the text of
// /proc/net/ip_vs knows neither thresholds nor tunnels nor scheduler flags).
import { wordsOf } from '../../kernel/attributes.ts'
import { MalformedError } from '../../kernel/bytes.ts'
import { KernelError, isErrno } from '../../kernel/errno.ts'
import type { GenericPort, GenericRequest } from '../../kernel/genl.ts'
import type { ReadMessage } from '../../kernel/netlink-socket.ts'
import { decodeDestination } from './codec-destination.ts'
import { decodeService } from './codec-service.ts'
import { decodeDaemon, decodeInfo, decodeTimeouts } from './codec-settings.ts'
import { type IpvsAction, explained } from './errors.ts'
import type { Glances } from './glance.ts'
import {
  daemonsRequest,
  destinationsRequest,
  infoRequest,
  ipvsServiceKey,
  operationRequest,
  serviceRequest,
  servicesRequest,
  setTimeoutsRequest,
  startDaemonRequest,
  stopDaemonRequest,
  timeoutsRequest,
  zeroRequest,
} from './requests.ts'
import { TableMemory } from './table.ts'
import type {
  IpvsDaemon,
  IpvsDaemonSettings,
  IpvsDaemonState,
  IpvsDestination,
  IpvsInfo,
  IpvsOperation,
  IpvsService,
  IpvsServiceId,
  IpvsTableEntry,
  IpvsTimeouts,
} from './types.ts'

/** What an answer to GET_SERVICE may cost the receive buffer: it is allocated in pages. */
const serviceAnswerBytes = 8192

/**
 * All functions return when the kernel has answered, and throw {@link KernelError} with the errno's name and what it
 * means here. One caller at a time.
 */
export class IpvsClient {
  readonly #port: GenericPort
  readonly #memory: TableMemory

  /** Without glances {@link table} reads all of it each time. */
  constructor(port: GenericPort, glances: Glances | null = null) {
    this.#port = port
    this.#memory = new TableMemory(glances)
  }

  /** ENOENT has many meanings; one is that the module was unloaded, with all services, since the client was opened. */
  #explained(action: IpvsAction, error: KernelError): KernelError {
    const isGone = error.errno === 'ENOENT' && !this.#port.isThere()
    return explained(isGone ? 'read' : action, error)
  }

  #explain<T>(action: IpvsAction, ask: () => T): T {
    try {
      return ask()
    } catch (error) {
      throw error instanceof KernelError ? this.#explained(action, error) : error
    }
  }

  /** The one answer to a question. */
  #ask<T>(action: IpvsAction, request: GenericRequest, decode: ReadMessage<T>): T {
    const answer = this.#explain(action, () => this.#port.request(request))[0]
    if (answer === undefined) throw new MalformedError(request.what(), 'no answer before the acknowledgement')
    return decode(wordsOf(answer.attributes), 0, answer.attributes.length)
  }

  #dump<T>(request: GenericRequest, decode: ReadMessage<T>): T[] {
    return this.#explain('read', () => this.#port.dumpEach(request, decode))
  }

  #change(action: IpvsAction, request: GenericRequest): void {
    this.#explain(action, () => this.#port.request(request))
  }

  info(): IpvsInfo {
    return this.#ask('read', infoRequest(), decodeInfo)
  }

  /**
   * All services. The kernel does not notice when the list changes between the parts of an answer (it never sets
   * NLM_F_DUMP_INTR for IPVS): one that was read twice is given once, and one that was passed over shows next time.
   */
  services(): IpvsService[] {
    const services = this.#dump(servicesRequest(), decodeService)
    return [...new Map(services.map((service) => [ipvsServiceKey(service.id), service])).values()]
  }

  /** Null where it does not exist. */
  service(id: IpvsServiceId): IpvsService | null {
    try {
      return this.#ask('service.get', serviceRequest(id), decodeService)
    } catch (error) {
      if (isErrno(error, 'ESRCH')) return null
      throw error
    }
  }

  #listDestinations(id: IpvsServiceId): IpvsDestination[] {
    const { family } = id
    return this.#dump(destinationsRequest(id), (words, start, end) => decodeDestination(words, start, end, family))
  }

  /** Null where the service does not exist: the kernel answers that with an empty list, which proves nothing. */
  destinations(id: IpvsServiceId): IpvsDestination[] | null {
    const destinations = this.#listDestinations(id)
    return destinations.length === 0 && this.service(id) === null ? null : destinations
  }

  /**
   * All services with all real servers: one dump, and one for each service that has changed since the last call.
   * Services that seem to have no real server are asked for again, all at once: those that have gone in the meantime are
   * left out. What is the same as in the last call is the same object.
   */
  table(): IpvsTableEntry[] {
    const entries = this.#memory.read(this.services(), (id) => this.#listDestinations(id))
    const bare = entries.filter(({ destinations }) => destinations.length === 0)
    if (bare.length === 0) return entries
    const { errors } = this.#port.requestAll(
      bare.map(({ id }) => serviceRequest(id)),
      serviceAnswerBytes,
    )
    const gone = new Set<IpvsTableEntry>()
    for (const [index, error] of errors.entries()) {
      const entry = bare[index]
      if (entry === undefined || error === null) continue
      if (error.errno !== 'ESRCH') throw this.#explained('service.get', error)
      gone.add(entry)
    }
    return entries.filter((entry) => !gone.has(entry))
  }

  /**
   * Many changes, in their order: one outcome for each, null where it was done. A refused one stops none of the others.
   */
  change(operations: readonly IpvsOperation[]): (KernelError | null)[] {
    return this.#port.requestAll(operations.map(operationRequest)).errors.map((error, index) => {
      const operation = operations[index]
      return error === null || operation === undefined ? error : this.#explained(operation.kind, error)
    })
  }

  timeouts(): IpvsTimeouts {
    return this.#ask('read', timeoutsRequest(), decodeTimeouts)
  }

  /** What is left out, null or 0 stays as it is. */
  setTimeouts(timeouts: Partial<IpvsTimeouts>): void {
    this.#change('timeouts.set', setTimeoutsRequest(timeouts))
  }

  /** At most one master and one backup. */
  daemons(): IpvsDaemon[] {
    return this.#dump(daemonsRequest(), decodeDaemon)
  }

  startDaemon(daemon: IpvsDaemonSettings): void {
    this.#change('daemon.start', startDaemonRequest(daemon))
  }

  stopDaemon(state: IpvsDaemonState): void {
    this.#change('daemon.stop', stopDaemonRequest(state))
  }

  /** Sets the counters of a service and of its real servers to zero; without an id those of everything. */
  zero(id?: IpvsServiceId): void {
    this.#change('zero', zeroRequest(id))
  }

  close(): void {
    this.#memory.close()
    this.#port.close()
  }
}
