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

export function operationRequest(operation: IpvsOperation): GenericRequest {
  switch (operation.kind) {
    case 'service.add':
    case 'service.set': {
      const isNew = operation.kind === 'service.add'
      const what = () => `${isNew ? 'adding' : 'changing'} the virtual service ${ipvsServiceKey(operation.service.id)}`
      return request(isNew ? command.newService : command.setService, what, (writer) =>
        writeService(writer, operation.service),
      )
    }
    case 'service.delete': {
      const what = () => `deleting the virtual service ${ipvsServiceKey(operation.id)}`
      return request(command.deleteService, what, (writer) => writeServiceId(writer, operation.id))
    }
    case 'destination.add':
    case 'destination.set': {
      const isNew = operation.kind === 'destination.add'
      const name = () => ipvsDestinationKey(operation.destination.id)
      const what = () =>
        `${isNew ? 'adding' : 'changing'} the real server ${name()} of ${ipvsServiceKey(operation.service)}`
      return request(isNew ? command.newDestination : command.setDestination, what, (writer) => {
        writeServiceId(writer, operation.service)
        writeDestination(writer, operation.destination)
      })
    }
    case 'destination.delete': {
      const name = () => ipvsDestinationKey(operation.destination)
      const what = () => `deleting the real server ${name()} of ${ipvsServiceKey(operation.service)}`
      return request(command.deleteDestination, what, (writer) => {
        writeServiceId(writer, operation.service)
        writeDestinationId(writer, operation.destination)
      })
    }
  }
}

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
