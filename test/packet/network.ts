// A network of the test's own, for programs that ask the kernel for a route. Test runs take place on its loopback.
import { execFileSync } from 'node:child_process'
import koffi from 'koffi'

/** CLONE_NEWNET of include/uapi/linux/sched.h. */
const newNetwork = 0x40000000
/** Where packets to clients leave. */
export const clientSide = { interface: 'out0', mac: '02:00:00:00:00:aa', gatewayMac: '02:00:00:00:00:bb' } as const

const run = (...words: string[]): void => {
  execFileSync(words[0]!, words.slice(1), { stdio: ['ignore', 'ignore', 'pipe'] })
}

/** From here on this process is alone on a network where clients are behind a router. */
export function enterOwnNetwork(): void {
  const unshare = koffi.load('libc.so.6').func('int unshare(int)') as (flags: number) => number
  if (unshare(newNetwork) !== 0) throw new Error('unshare has failed')
  const { interface: name, mac, gatewayMac } = clientSide
  run('ip', 'link', 'set', 'lo', 'up')
  // Of a pair; the other end does nothing.
  run('ip', 'link', 'add', name, 'address', mac, 'type', 'veth', 'peer', 'name', 'out1')
  run('ip', 'link', 'set', 'out1', 'up')
  run('ip', 'link', 'set', name, 'up')
  run('ip', 'addr', 'add', '203.0.113.2/24', 'dev', name)
  run('ip', 'addr', 'add', '2001:db8:ffff::2/64', 'dev', name, 'nodad')
  for (const [gateway, family] of [
    ['203.0.113.1', '-4'],
    ['2001:db8:ffff::1', '-6'],
  ] as const) {
    run('ip', family, 'neigh', 'add', gateway, 'lladdr', gatewayMac, 'dev', name, 'nud', 'permanent')
    run('ip', family, 'route', 'add', 'default', 'via', gateway)
  }
  run('sysctl', '-qw', 'net.ipv4.ip_forward=1', 'net.ipv6.conf.all.forwarding=1')
}
