import type { FakeIpvs } from '../../fakes/ipvs-table.ts'

/** `ipvsadm -A -t 192.0.2.10:80 -s wlc` and one real server with weight 3, by somebody's hand. */
export function setUpByHand(kernel: FakeIpvs): void {
  const id = { family: 'ipv4', protocol: 'tcp', address: '192.0.2.10', port: 80 } as const
  const flags = { persistent: false, onePacket: false, schedulerBits: 0 }
  kernel.change([
    { kind: 'service.add', service: { id, scheduler: 'wlc', flags, timeoutSec: 0, prefixLength: 32, engine: null } },
    {
      kind: 'destination.add',
      service: id,
      destination: {
        id: { family: 'ipv4', address: '192.0.2.20', port: 80 },
        forwarding: 'masq',
        weight: 3,
        upperThreshold: 0,
        lowerThreshold: 0,
        tunnel: { type: 'ipip', port: 0, checksum: 'nocsum' },
      },
    },
  ])
}
