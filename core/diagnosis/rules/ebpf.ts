import { sysctlFix } from '../fix-steps.ts'
import { extraOf, networksOfVip } from '../read-facts.ts'
import { MissingFact, defineRule } from '../rule.ts'

/** Row D16, one rule for each thing that the eBPF dataplane wants of the director. */

export const kernelHasBtf = defineRule({
  id: 'D16-btf',
  role: 'director',
  severity: 'blocks',
  forwarding: ['dr'],
  dataplanes: ['ebpf'],
  families: ['ipv4'],
  protocols: ['tcp', 'udp', 'sctp'],
  needs: ['extra'],
  expected: '/sys/kernel/btf/vmlinux',
  causes: ['missing'],
  source: 'DIAGNOSIS D16',
  judge: ({ facts }) =>
    extraOf(facts, 'btf', '/sys/kernel/btf') === 'yes'
      ? { status: 'ok', found: `there, kernel ${facts.kernel}` }
      : { status: 'missing', cause: 'missing', found: `absent, kernel ${facts.kernel}` },
})

export const bpffsIsMounted = defineRule({
  id: 'D16-bpffs',
  role: 'director',
  severity: 'blocks',
  forwarding: ['dr'],
  dataplanes: ['ebpf'],
  families: ['ipv4'],
  protocols: ['tcp', 'udp', 'sctp'],
  needs: ['extra'],
  expected: 'bpf on /sys/fs/bpf',
  causes: ['missing'],
  source: 'DIAGNOSIS D16: pins live there and outlive the agent',
  // No fix to undo: unmounting would take the pinned dataplane, and with it the traffic.
  judge: ({ facts }) =>
    extraOf(facts, 'bpffs', '/proc/mounts') === 'yes'
      ? { status: 'ok', found: 'mounted' }
      : { status: 'missing', cause: 'missing', found: 'not mounted' },
})

const jitKey = 'net.core.bpf_jit_enable'

export const jitIsOn = defineRule({
  id: 'D16-jit',
  role: 'director',
  severity: 'warns',
  forwarding: ['dr'],
  dataplanes: ['ebpf'],
  families: ['ipv4'],
  protocols: ['tcp', 'udp', 'sctp'],
  needs: ['sysctls', 'extra'],
  expected: `${jitKey} = 1`,
  causes: ['off'],
  source: 'DIAGNOSIS D16',
  judge: ({ facts, request: { vip } }) => {
    const value = facts.sysctls[jitKey]
    // In a network namespace the sysctl is not shown; the kernel's configuration may settle it all the same.
    if (value === undefined) {
      if (facts.extra['bpfJit'] === 'always') return { status: 'ok', found: 'CONFIG_BPF_JIT_ALWAYS_ON=y' }
      throw new MissingFact(jitKey)
    }
    return value === '0'
      ? {
          status: 'warning',
          cause: 'off',
          found: `${jitKey} = 0`,
          fix: sysctlFix(facts, 'bpf_jit_enable', vip, [[jitKey, 1]]),
        }
      : { status: 'ok', found: `${jitKey} = ${value}` }
  },
})

/** Programs of others on the ingress interface see packets before or after ours, or take them. */
export const noOtherPrograms = defineRule({
  id: 'D16-programs',
  role: 'director',
  severity: 'warns',
  forwarding: ['dr'],
  dataplanes: ['ebpf'],
  families: ['ipv4'],
  protocols: ['tcp', 'udp', 'sctp'],
  needs: ['interfaces', 'extra'],
  expected: 'no XDP program, no tc filter',
  causes: ['other'],
  source: 'DIAGNOSIS D16; DESIGN §6, hook',
  judge: ({ facts, request: { vip, isLive } }) => {
    // Once ours is attached the agent names foreign programs, which it can tell from its own.
    if (isLive) return null
    const name = networksOfVip(facts, vip)[0]?.interface.name
    if (name === undefined) return null
    const xdp = extraOf(facts, 'xdp', 'ip -d link')
    const tc = extraOf(facts, 'tc', 'tc filter')
    const found = [
      ...(xdp === 'read' && facts.extra[`xdp:${name}`] !== undefined ? [`XDP ${facts.extra[`xdp:${name}`]}`] : []),
      ...(tc === 'read' && facts.extra[`tc:${name}`] !== undefined ? [`tc ${facts.extra[`tc:${name}`]}`] : []),
    ]
    return found.length === 0
      ? { status: 'ok', found: `none on ${name}` }
      : { status: 'warning', cause: 'other', found: `${name}: ${found.join('; ')}`, params: { interface: name } }
  },
})
