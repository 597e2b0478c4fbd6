import { z } from 'zod'

/**
 * What the read-only probe prints of one host. Pure data: the rules in this folder judge it, wherever it came from (SSH,
 * through a jump host, or pasted back by an operator). A fact that could not be read is absent, which is not "no".
 */
export const HostFacts = z.object({
  hostname: z.string(),
  kernel: z.string(),
  /** Effective user id of the probe: some facts need root. */
  uid: z.number().int(),
  interfaces: z.array(
    z.object({
      name: z.string(),
      index: z.number().int(),
      mac: z.string().nullable(),
      mtu: z.number().int(),
      isUp: z.boolean(),
      isLoopback: z.boolean(),
      addresses: z.array(
        z.object({
          family: z.enum(['inet', 'inet6']),
          address: z.string(),
          prefixLength: z.number().int(),
          scope: z.string(),
        }),
      ),
    }),
  ),
  /** Raw values by full name, e.g. `net.ipv4.conf.all.arp_ignore`. */
  sysctls: z.record(z.string(), z.string()),
  /** Answers of the routing table by the address asked for. */
  routes: z.record(
    z.string(),
    z.object({
      kind: z.enum(['local', 'unicast', 'unreachable', 'other']),
      gateway: z.string().nullable(),
      interface: z.string().nullable(),
      source: z.string().nullable(),
    }),
  ),
  /** Listening TCP sockets; null where the tool was missing. `*` stands for every address. */
  listeners: z.array(z.object({ address: z.string(), port: z.number().int() })).nullable(),
  neighbours: z.array(
    z.object({ address: z.string(), mac: z.string().nullable(), interface: z.string(), state: z.string() }),
  ),
  /** Values that only some rules need: `reversePathFilterDrops`, `btf`, `bpffs`, … */
  extra: z.record(z.string(), z.string()),
})
export type HostFacts = z.infer<typeof HostFacts>
