/** A header field of a packet and whether the hop before it has rewritten it. */
export interface PacketField {
  readonly name: 'macSource' | 'macDestination' | 'ipSource' | 'ipDestination' | 'ports'
  readonly value: string
  readonly isRewritten: boolean
}

/** One leg of a packet's way. */
export interface PacketLeg {
  readonly id: 'request' | 'forwarded' | 'reply'
  readonly from: 'client' | 'director' | 'realServer'
  readonly to: 'client' | 'director' | 'realServer'
  readonly fields: readonly PacketField[]
}

/**
 * The way of a request and its reply in DR. The director rewrites the two MAC addresses and nothing else, so the real
 * server sees the client's address and answers from the VIP past the director (ipvsadm(8), "gatewaying").
 */
export function directRoutingPath(vip: string, port: string, realServer: string): PacketLeg[] {
  const leg = (
    id: PacketLeg['id'],
    from: PacketLeg['from'],
    to: PacketLeg['to'],
    values: Record<PacketField['name'], string>,
    rewritten: readonly PacketField['name'][],
  ): PacketLeg => ({
    id,
    from,
    to,
    fields: (Object.keys(values) as PacketField['name'][]).map((name) => ({
      name,
      value: values[name],
      isRewritten: rewritten.includes(name),
    })),
  })
  const there = { ipSource: 'CIP', ipDestination: vip, ports: `cport → ${port}` }
  return [
    leg('request', 'client', 'director', { macSource: 'MAC client', macDestination: 'MAC director', ...there }, []),
    leg(
      'forwarded',
      'director',
      'realServer',
      { macSource: 'MAC director', macDestination: `MAC ${realServer}`, ...there },
      ['macSource', 'macDestination'],
    ),
    leg(
      'reply',
      'realServer',
      'client',
      {
        macSource: `MAC ${realServer}`,
        macDestination: 'MAC client',
        ipSource: vip,
        ipDestination: 'CIP',
        ports: `${port} → cport`,
      },
      [],
    ),
  ]
}
