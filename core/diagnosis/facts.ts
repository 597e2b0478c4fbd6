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
      /** IFF_NOARP, as dummy devices have it: never answers ARP. */
      isNoArp: z.boolean().default(false),
      /** Bridge or bond that it is a port of: ARP is handled there, not here. */
      master: z.string().nullable().default(null),
      addresses: z.array(
        z.object({
          family: z.enum(['inet', 'inet6']),
          address: z.string(),
          prefixLength: z.number().int(),
          scope: z.string(),
          /** With the next four the address can be put back exactly as it was. */
          label: z.string().nullable().default(null),
          broadcast: z.string().nullable().default(null),
          peer: z.string().nullable().default(null),
          hasNoPrefixRoute: z.boolean().default(false),
          /** Goes when its primary address goes, unless promote_secondaries is on. */
          isSecondary: z.boolean().default(false),
        }),
      ),
    }),
  ),
  /** Raw values by full name, e.g. `net.ipv4.conf.all.arp_ignore`. */
  sysctls: z.record(z.string(), z.string()),
  /** Answers of the routing table by the address asked for, and `default`; gateway null = on-link. */
  routes: z.record(
    z.string(),
    z.object({
      kind: z.enum(['local', 'unicast', 'unreachable', 'other']),
      gateway: z.string().nullable(),
      interface: z.string().nullable(),
      source: z.string().nullable(),
    }),
  ),
  /** Listening TCP sockets; null where they could not be read. `*` stands for every address. */
  listeners: z.array(z.object({ address: z.string(), port: z.number().int() })).nullable(),
  neighbours: z.array(
    z.object({ address: z.string(), mac: z.string().nullable(), interface: z.string(), state: z.string() }),
  ),
  /** Files that fixes write, as far as they are there: content by path. */
  files: z.record(z.string(), z.string()).default({}),
  /** Values that only some rules need, by the names that the probe gives them: `btf`, `bpffs`, `systemd`, … */
  extra: z.record(z.string(), z.string()),
})
export type InterfaceAddress = HostFacts['interfaces'][number]['addresses'][number]
export type HostInterface = HostFacts['interfaces'][number]
export type HostFacts = z.infer<typeof HostFacts>
