import type { ClusterSpec } from '../../../core/model/cluster-spec.ts'
import { type RealServerState, serviceKey, type VirtualService } from '../../../core/model/service.ts'

/** The document without one service. */
export const removeService =
  (service: VirtualService) =>
  (spec: ClusterSpec): ClusterSpec => ({
    ...spec,
    services: spec.services.filter((own) => serviceKey(own) !== serviceKey(service)),
  })

/** The document with one real server of a service drained, taken out or enabled. */
export const setRealServerState =
  (service: VirtualService, address: string, state: RealServerState) =>
  (spec: ClusterSpec): ClusterSpec => ({
    ...spec,
    services: spec.services.map((own) =>
      serviceKey(own) === serviceKey(service)
        ? {
            ...own,
            realServers: own.realServers.map((server) => (server.address === address ? { ...server, state } : server)),
          }
        : own,
    ),
  })
