// One request for each change and each question.
import type { GenericRequest } from '../../kernel/genl.ts'
import type { NetlinkWriter } from '../../kernel/netlink-writer.ts'
import { writeDestination, writeDestinationId } from './codec-destination.ts'
import { writeService, writeServiceId } from './codec-service.ts'
import { writeDaemon, writeDaemonState, writeTimeouts } from './codec-settings.ts'
import { command } from './constants.ts'
import type {
  IpvsDaemonSettings,
  IpvsDaemonState,
  IpvsDestinationId,
  IpvsOperation,
  IpvsServiceId,
  IpvsTimeouts,
} from './types.ts'

const endpoint = (address: string, port: number): string =>
  address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`

/** `tcp/192.0.2.10:80`, `udp/[2001:db8::10]:53`, `fwmark/7/ipv4`: one text for each service, as in the model. */
export const ipvsServiceKey = (id: IpvsServiceId): string =>
  'fwmark' in id ? `fwmark/${id.fwmark}/${id.family}` : `${id.protocol}/${endpoint(id.address, id.port)}`

/** `192.0.2.20:80` */
export const ipvsDestinationKey = (id: IpvsDestinationId): string => endpoint(id.address, id.port)

const request = (number: number, what: () => string, write?: (writer: NetlinkWriter) => void): GenericRequest => ({
  command: number,
  what,
  write,
})

const operationCommand = {
  'service.add': command.newService,
  'service.set': command.setService,
  'service.delete': command.deleteService,
  'destination.add': command.newDestination,
  'destination.set': command.setDestination,
  'destination.delete': command.deleteDestination,
} as const satisfies Record<IpvsOperation['kind'], number>

/** One object for a change, without functions of its own: a plan may have ten thousand of them. */
class OperationRequest implements GenericRequest {
  readonly command: number
  readonly #operation: IpvsOperation

  constructor(operation: IpvsOperation) {
    this.command = operationCommand[operation.kind]
    this.#operation = operation
  }

  what(): string {
    const operation = this.#operation
    switch (operation.kind) {
      case 'service.add':
        return `adding the virtual service ${ipvsServiceKey(operation.service.id)}`
      case 'service.set':
        return `changing the virtual service ${ipvsServiceKey(operation.service.id)}`
      case 'service.delete':
        return `deleting the virtual service ${ipvsServiceKey(operation.id)}`
      case 'destination.add':
        return `adding the real server ${destinationOfService(operation.destination.id, operation.service)}`
      case 'destination.set':
        return `changing the real server ${destinationOfService(operation.destination.id, operation.service)}`
      case 'destination.delete':
        return `deleting the real server ${destinationOfService(operation.destination, operation.service)}`
    }
  }

  write(writer: NetlinkWriter): void {
    const operation = this.#operation
    switch (operation.kind) {
      case 'service.add':
      case 'service.set':
        writeService(writer, operation.service)
        return
      case 'service.delete':
        writeServiceId(writer, operation.id)
        return
      case 'destination.add':
      case 'destination.set':
        writeServiceId(writer, operation.service)
        writeDestination(writer, operation.destination)
        return
      case 'destination.delete':
        writeServiceId(writer, operation.service)
        writeDestinationId(writer, operation.destination)
    }
  }
}

const destinationOfService = (id: IpvsDestinationId, service: IpvsServiceId): string =>
  `${ipvsDestinationKey(id)} of ${ipvsServiceKey(service)}`

export const operationRequest = (operation: IpvsOperation): GenericRequest => new OperationRequest(operation)

export const infoRequest = (): GenericRequest => request(command.getInfo, () => 'facts about IPVS')

export const servicesRequest = (): GenericRequest => request(command.getService, () => 'the list of virtual services')

export const serviceRequest = (id: IpvsServiceId): GenericRequest =>
  request(
    command.getService,
    () => `the virtual service ${ipvsServiceKey(id)}`,
    (writer) => writeServiceId(writer, id),
  )

export const destinationsRequest = (id: IpvsServiceId): GenericRequest =>
  request(
    command.getDestination,
    () => `the real servers of ${ipvsServiceKey(id)}`,
    (writer) => writeServiceId(writer, id),
  )

export const timeoutsRequest = (): GenericRequest => request(command.getConfig, () => 'the timeouts of IPVS')

export const setTimeoutsRequest = (timeouts: Partial<IpvsTimeouts>): GenericRequest =>
  request(
    command.setConfig,
    () => 'setting the timeouts of IPVS',
    (writer) => writeTimeouts(writer, timeouts),
  )

export const daemonsRequest = (): GenericRequest => request(command.getDaemon, () => 'the list of sync daemons')

export const startDaemonRequest = (daemon: IpvsDaemonSettings): GenericRequest =>
  request(
    command.newDaemon,
    () => `starting the ${daemon.state} sync daemon`,
    (writer) => writeDaemon(writer, daemon),
  )

export const stopDaemonRequest = (state: IpvsDaemonState): GenericRequest =>
  request(
    command.deleteDaemon,
    () => `stopping the ${state} sync daemon`,
    (writer) => writeDaemonState(writer, state),
  )

/** Without an id: the counters of everything in this network namespace. */
export const zeroRequest = (id?: IpvsServiceId): GenericRequest =>
  request(
    command.zero,
    () => `setting the counters of ${id === undefined ? 'IPVS' : ipvsServiceKey(id)} to zero`,
    (writer) => {
      if (id !== undefined) writeServiceId(writer, id)
    },
  )
