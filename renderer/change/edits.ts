import type { ClusterSpec } from '../../core/model/cluster-spec.ts'
import type { IpvsSysctl, IpvsTimeouts, SyncDaemon } from '../../core/model/ipvs-settings.ts'
import {
  type RealServer,
  type RealServerState,
  type VirtualService,
  realServerKey,
  serviceKey,
} from '../../core/model/service.ts'
import { ipvsFields, withIpvsFields } from './ipvs-fields.ts'

/** Edits of the document: pure, each gives a new document and leaves the old one alone. */
type Edit = (spec: ClusterSpec) => ClusterSpec

export const onService =
  (key: string, edit: (service: VirtualService) => VirtualService): Edit =>
  (spec) => ({
    ...spec,
    services: spec.services.map((service) => (serviceKey(service) === key ? edit(service) : service)),
  })

const onRealServers =
  (key: string, realServers: ReadonlySet<string>, edit: (server: RealServer) => RealServer): Edit =>
  (spec) =>
    onService(key, (service) => ({
      ...service,
      realServers: service.realServers.map((server) =>
        realServers.has(realServerKey(server)) ? edit(server) : server,
      ),
    }))(spec)

export const setWeight = (key: string, realServer: string, weight: number): Edit =>
  onRealServers(key, new Set([realServer]), (server) => ({ ...server, weight }))

/** Drain keeps the weight, so that cancelling it restores what was. */
export const setState = (key: string, realServers: readonly string[], state: RealServerState): Edit =>
  onRealServers(key, new Set(realServers), (server) => ({ ...server, state }))

export const addRealServers = (key: string, added: readonly RealServer[]): Edit =>
  onService(key, (service) => ({ ...service, realServers: [...service.realServers, ...added] }))

export const removeRealServers =
  (key: string, removed: readonly string[]): Edit =>
  (spec) =>
    onService(key, (service) => ({
      ...service,
      realServers: service.realServers.filter((server) => !removed.includes(realServerKey(server))),
    }))(spec)

export const addService =
  (service: VirtualService): Edit =>
  (spec) => ({ ...spec, services: [...spec.services, service] })

export const removeService =
  (key: string): Edit =>
  (spec) => ({ ...spec, services: spec.services.filter((service) => serviceKey(service) !== key) })

const setIpvs =
  (field: string, value: unknown): Edit =>
  (spec) =>
    withIpvsFields(spec, { ...ipvsFields(spec), [field]: value })

/** Undefined leaves the timeout as the kernel has it. */
export const setTimeoutSec = (name: keyof IpvsTimeouts, seconds: number | undefined): Edit =>
  setIpvs(`timeouts.${name}`, seconds)

export const setSysctl = (name: IpvsSysctl, value: string | undefined): Edit => setIpvs(`sysctls.${name}`, value)

export const setSync = (daemon: SyncDaemon | undefined): Edit => setIpvs('sync', daemon)
