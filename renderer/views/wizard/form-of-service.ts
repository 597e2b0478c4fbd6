import type { ServiceForm } from '../../../core/model/draft.ts'
import { defaultTcpCheck } from '../../../core/model/health-check.ts'
import { defaultTunnel, type RealServer, type VirtualService } from '../../../core/model/service.ts'
import { emptyForm, emptyRow } from './form.ts'

const text = (value: number | undefined): string => (value === undefined ? '' : String(value))

/** A service as the form shows it: what `serviceOf` reads back is the same service, its real servers' states aside. */
export function formOf(service: VirtualService): ServiceForm {
  const empty = emptyForm()
  const check = service.check.type === 'tcp' ? service.check : defaultTcpCheck
  const { persistence, tunnel = defaultTunnel } = service
  return {
    ...empty,
    name: service.name,
    matchBy: service.fwmark === undefined ? 'address' : 'fwmark',
    protocol: service.protocol,
    port: String(service.port),
    fwmark: text(service.fwmark),
    family: service.family ?? 'ipv4',
    forwarding: service.forwarding,
    dataplane: service.dataplane,
    scheduler: service.scheduler,
    schedulerFlags: service.schedulerFlags,
    persistence:
      persistence === undefined
        ? empty.persistence
        : {
            isOn: true,
            timeoutSec: String(persistence.timeoutSec),
            prefixLength: text(persistence.prefixLength),
            isSip: persistence.engine === 'sip',
          },
    onePacket: service.onePacket ?? false,
    tunnel: {
      type: tunnel.type,
      port: tunnel.port === undefined ? empty.tunnel.port : String(tunnel.port),
      checksum: tunnel.checksum,
    },
    localAddresses: service.localAddresses ?? [],
    announce: service.announce,
    interface: service.interface ?? '',
    vip: service.vip ?? '',
    allowOwnAddress: service.allowOwnAddress ?? false,
    check: {
      type: service.check.type,
      intervalMs: String(check.intervalMs),
      timeoutMs: String(check.timeoutMs),
      rise: String(check.rise),
      fall: String(check.fall),
    },
    realServers: service.realServers.map((one, i) => rowOf(one, service, i)),
  }
}

const rowOf = (one: RealServer, service: VirtualService, i: number): ServiceForm['realServers'][number] => ({
  ...emptyRow(String(i)),
  address: one.address,
  port: one.port === service.port ? '' : String(one.port),
  weight: String(one.weight),
  name: one.name ?? '',
  forwarding: one.forwarding ?? '',
  upperThreshold: text(one.upperThreshold),
  lowerThreshold: text(one.lowerThreshold),
  tunnel:
    one.tunnel === undefined
      ? emptyRow('').tunnel
      : { type: one.tunnel.type, port: text(one.tunnel.port), checksum: one.tunnel.checksum },
})
