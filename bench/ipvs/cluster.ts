import { type ClusterSpec, parseClusterSpec } from '../../core/model/cluster-spec.ts'

/** So many services with so many real servers each, NAT and wlc, as a document. */
export function largeCluster(services: number, realServers: number): ClusterSpec {
  const parsed = parseClusterSpec({
    apiVersion: 'signalbox/v1',
    name: 'bench',
    services: Array.from({ length: services }, (_, s) => ({
      name: `service-${s}`,
      vip: `10.${100 + (s >> 8)}.${s & 255}.1`,
      port: 80,
      dataplane: 'ipvs',
      forwarding: 'nat',
      scheduler: 'wlc',
      announce: 'none',
      check: { type: 'none' },
      realServers: Array.from({ length: realServers }, (__, r) => ({
        address: `10.${200 + (s >> 8)}.${s & 255}.${r + 1}`,
        port: 8080,
        weight: (r % 5) + 1,
      })),
    })),
  })
  if (!parsed.ok) throw new Error(`the bench's own document: ${JSON.stringify(parsed.issues[0])}`)
  return parsed.value
}

/** The same for `ipvsadm -R`. */
export function ipvsadmRules(spec: ClusterSpec): string {
  return spec.services
    .flatMap(({ vip, port, scheduler, realServers }) => [
      `-A -t ${vip}:${port} -s ${scheduler}`,
      ...realServers.map((one) => `-a -t ${vip}:${port} -r ${one.address}:${one.port} -m -w ${one.weight}`),
    ])
    .join('\n')
    .concat('\n')
}
