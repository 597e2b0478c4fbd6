import type { ClusterSpec } from '../../core/model/cluster-spec.ts'
import { IpvsSettings } from '../../core/model/ipvs-settings.ts'

/** The settings that a document has for IPVS, each under a name of its own: `timeouts.tcpSec`, `sysctls.conntrack`, `sync`. */
export type IpvsFields = Readonly<Record<string, unknown>>

/** The sync daemon is one field: its parts mean nothing apart from each other. */
export function ipvsFields({ ipvs }: Pick<ClusterSpec, 'ipvs'>): IpvsFields {
  const named = (part: string, values: object | undefined) =>
    Object.entries(values ?? {}).map(([name, value]): [string, unknown] => [`${part}.${name}`, value])
  return Object.fromEntries([
    ...named('timeouts', ipvs?.timeouts),
    ...(ipvs?.sync === undefined ? [] : [['sync', ipvs.sync] as const]),
    ...named('sysctls', ipvs?.sysctls),
  ])
}

/** The document with these settings; a part without any is left out, and the order is always the model's. */
export function withIpvsFields(spec: ClusterSpec, fields: IpvsFields): ClusterSpec {
  const part = (name: string) => {
    const own = Object.entries(fields).flatMap(([field, value]) =>
      field.startsWith(`${name}.`) && value !== undefined ? [[field.slice(name.length + 1), value] as const] : [],
    )
    return own.length === 0 ? {} : { [name]: Object.fromEntries(own) }
  }
  const sync = fields['sync'] === undefined ? {} : { sync: fields['sync'] }
  const ipvs = IpvsSettings.parse({ ...part('timeouts'), ...sync, ...part('sysctls') })
  const { ipvs: _before, ...rest } = spec
  return Object.keys(ipvs).length === 0 ? rest : { ...rest, ipvs }
}
