import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import type { HostFacts } from '../../core/diagnosis/facts.ts'
import { parseProbe } from '../../core/diagnosis/parse-probe.ts'
import { type ProbeQuestion, probeArguments, probeScript } from '../../core/diagnosis/probe.ts'

const nonce = '5c1b9f0e'
const vip = '192.0.2.100'

/** A host of its own: network as below, everything mounted read-only, so that a probe that writes would fail. */
const setUp = `set -eu
mount --make-rprivate /
mount -t tmpfs tmpfs /etc/sysctl.d
printf '# kept\\nnet.ipv4.conf.all.arp_ignore = 1\\n' > /etc/sysctl.d/60-signalbox-${vip}-arp_ignore.conf
ip link set lo up
ip addr add ${vip}/32 dev lo
ip link add eth0 address 02:00:00:00:00:11 type veth peer name peer0
ip link add down0 type veth peer name down1
ip addr add 192.0.2.11/24 brd + dev eth0
ip link set eth0 up; ip link set peer0 up
ip route add default via 192.0.2.1
ip route add unreachable 198.51.100.7
ip neigh add 192.0.2.2 lladdr 02:00:00:00:00:02 dev eth0 nud permanent
sysctl -qw net.ipv4.conf.all.arp_ignore=1 net.ipv4.conf.eth0.arp_announce=2
`

/** Runs in that host: listens, lets the shell run the probe, prints what came. */
const body = `
const net = require('node:net'), { spawnSync } = require('node:child_process')
const [command, script, PATH, ...args] = process.argv.slice(1)
net.createServer().listen(8080, '192.0.2.11', () => net.createServer().listen(80, () => {
  const started = performance.now()
  const words = command.split(' ')
  const env = { PATH, HOME: '/', SSH_CONNECTION: '203.0.113.5 50000 192.0.2.11 22' }
  const { stdout, stderr, status } = spawnSync(words[0], [...words.slice(1), '-s', '--', ...args], { input: script, env })
  const ms = performance.now() - started
  console.log(JSON.stringify({ stdout: String(stdout), stderr: String(stderr), status, ms }))
  process.exit()
}))`

interface Ran {
  readonly facts: HostFacts
  readonly stderr: string
  readonly ms: number
}

const freeze = 'for dir in / /etc/sysctl.d /tmp; do mount -o remount,bind,ro "$dir" 2>/dev/null || true; done\n'
/** What a host without iproute2 and procps has: the applets of busybox and nothing else. */
const onlyBusybox =
  'mount -t tmpfs tmpfs /mnt; busybox --install -s /mnt; for dir in /usr/sbin /usr/local/sbin; do mount -t tmpfs tmpfs "$dir"; done\n'

function runProbe(
  shell: string,
  question: Partial<ProbeQuestion> = {},
  prepare = '',
  path = process.env['PATH'] ?? '',
): Ran {
  const args = probeArguments({ nonce, isDirector: false, vip, port: 80, routesTo: [], ...question })
  const line = `${setUp}${prepare}${freeze}exec "$0" "$@"`
  const { stdout, stderr } = spawnSync(
    'unshare',
    ['--net', '--mount', 'sh', '-c', line, process.execPath, '-e', body, shell, probeScript, path, ...args],
    { encoding: 'utf8' },
  )
  expect(stderr).toBe('')
  const ran = JSON.parse(stdout) as { stdout: string; stderr: string; status: number; ms: number }
  expect(ran.status).toBe(0)
  return { facts: parseProbe(ran.stdout, nonce), stderr: ran.stderr, ms: ran.ms }
}

const busybox = ['/usr/bin/busybox', '/bin/busybox'].find((path) => existsSync(path))
const shells: { name: string; shell: string; prepare?: string; path?: string; why?: string }[] = [
  { name: 'dash with iproute2', shell: 'dash' },
  { name: 'bash with iproute2', shell: 'bash --posix' },
  {
    name: 'busybox alone',
    shell: `${busybox} sh`,
    prepare: onlyBusybox,
    path: '/mnt',
    ...(busybox === undefined ? { why: 'busybox is not installed' } : {}),
  },
]

describe.each(shells)('$name', ({ shell, prepare, path, why }) => {
  test('reads the host in less than a second, writing nothing and complaining about nothing', (context) => {
    if (why !== undefined) context.skip(why)
    const { facts, stderr, ms } = runProbe(shell, {}, prepare, path)
    expect(stderr).toBe('')
    expect(ms).toBeLessThan(1000)
    expect(facts.uid).toBe(0)
    const eth0 = facts.interfaces.find(({ name }) => name === 'eth0')
    expect(eth0).toMatchObject({ mac: '02:00:00:00:00:11', isUp: true, isLoopback: false, master: null })
    expect(eth0?.addresses.filter(({ family }) => family === 'inet')).toMatchObject([
      { address: '192.0.2.11', prefixLength: 24, broadcast: '192.0.2.255', label: 'eth0', isSecondary: false },
    ])
    const lo = facts.interfaces.find(({ isLoopback }) => isLoopback)
    expect(lo?.addresses.map(({ address, prefixLength }) => `${address}/${prefixLength}`)).toContain(`${vip}/32`)
    expect(facts.interfaces.find(({ name }) => name === 'down0')?.isUp).toBe(false)
    expect(facts.sysctls).toMatchObject({
      'net.ipv4.ip_forward': '0',
      'net.ipv4.conf.all.arp_ignore': '1',
      'net.ipv4.conf.eth0.arp_announce': '2',
      'net.ipv4.conf.lo.arp_ignore': '0',
    })
    // Node listens on [::] and takes IPv4 there too; another port was not asked for.
    expect(facts.listeners).toEqual([{ address: '*', port: 80 }])
    expect(facts.neighbours).toContainEqual({
      address: '192.0.2.2',
      mac: '02:00:00:00:00:02',
      interface: 'eth0',
      state: 'PERMANENT',
    })
    expect(facts.routes['default']).toMatchObject({ kind: 'unicast', gateway: '192.0.2.1', interface: 'eth0' })
    expect(facts.extra).toMatchObject({ sshServerAddress: '192.0.2.11', sysctlDir: 'yes', systemd: 'no' })
    expect(facts.extra['ipPath']).toMatch(/^\/.*ip$/)
    expect(facts.files).toEqual({
      [`/etc/sysctl.d/60-signalbox-${vip}-arp_ignore.conf`]: '# kept\nnet.ipv4.conf.all.arp_ignore = 1\n',
    })
  })

  test('asks the routing table for few addresses and for many alike', (context) => {
    if (why !== undefined) context.skip(why)
    const few = ['192.0.2.12', '203.0.113.9', vip, '198.51.100.7']
    const many = [...few, ...Array.from({ length: 30 }, (_, i) => `192.0.2.${i + 150}`)]
    for (const routesTo of [few, many]) {
      const { facts } = runProbe(shell, { isDirector: true, routesTo }, prepare, path)
      expect(facts.routes).toMatchObject({
        '192.0.2.12': { kind: 'unicast', gateway: null, interface: 'eth0' },
        '203.0.113.9': { kind: 'unicast', gateway: '192.0.2.1', interface: 'eth0' },
        [vip]: { kind: 'local', gateway: null },
        '198.51.100.7': { kind: 'unreachable', gateway: null },
      })
      expect(Object.keys(facts.routes).length).toBe(routesTo.length + 1)
    }
  })
})

test('without a service in mind every listener is read, and no file', () => {
  const args: Partial<ProbeQuestion> = {}
  const { facts } = runProbe('dash', { ...args, vip: undefined, port: undefined })
  expect(facts.listeners).toContainEqual({ address: '192.0.2.11', port: 8080 })
  expect(facts.listeners).toContainEqual({ address: '*', port: 80 })
  expect(facts.files).toEqual({})
})

test('a director is asked for what the eBPF dataplane needs', () => {
  const { facts } = runProbe('dash', { isDirector: true })
  expect(facts.extra).toMatchObject({ btf: 'yes', xdp: 'read', tc: 'read' })
  expect(facts.extra['bpffs']).toMatch(/^(yes|no)$/)
})

test('a script that was cut on its way does nothing', () => {
  const cut = probeScript.slice(0, probeScript.indexOf('signalbox-probe end'))
  const { stdout } = spawnSync('sh', ['-s', '--', nonce, 'realServer', '', ''], { input: cut, encoding: 'utf8' })
  expect(stdout).toBe('')
})

test('an argument is never run', () => {
  const hostile = "$(touch /tmp/ran) `id`; id '"
  const { stdout } = spawnSync('sh', ['-s', '--', nonce, 'realServer', hostile, '', hostile], {
    input: probeScript,
    encoding: 'utf8',
    env: { PATH: process.env['PATH'] },
  })
  expect(stdout).toContain(`asked ${hostile}`)
  expect(stdout).not.toContain('uid=')
  expect(existsSync('/tmp/ran')).toBe(false)
})
