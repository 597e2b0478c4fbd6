import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { afterEach, describe, expect, test } from 'vitest'
import { type Guest, type GuestOptions, startGuest } from '../lab/guest/guest.ts'
import { topologyScript } from '../lab/guest/topology.ts'
import { processesNaming } from '../lab/machine-state.ts'
import { sweep } from '../lab/sweep.ts'

const guests: Guest[] = []
afterEach(async () => {
  await Promise.all(guests.splice(0).map((guest) => guest.stop()))
})
const start = async (options: GuestOptions = {}): Promise<Guest> => {
  const guest = await startGuest(options)
  guests.push(guest)
  return guest
}

/** All that Debian's kernel has; twos is left out of its configuration. */
const schedulers = ['rr', 'wrr', 'lc', 'wlc', 'lblc', 'lblcr', 'sh', 'dh', 'sed', 'nq', 'fo', 'ovf', 'mh']

test('a guest is restored from its snapshot in seconds', async () => {
  await (await start()).stop()
  const startedAt = performance.now()
  const guest = await start()
  const seconds = (performance.now() - startedAt) / 1000
  console.log(`restore to the first command over ssh: ${seconds.toFixed(1)} s`)
  expect(seconds).toBeLessThan(30)
  expect(await guest.run('uname -r')).toMatch(/^6\.\d+\.\d+-\d+-cloud-amd64\n$/)
  expect(Math.abs(Number(await guest.run('date +%s')) - Date.now() / 1000)).toBeLessThan(5)
})

test('two guests run side by side and share nothing', async () => {
  const [one, other] = await Promise.all([start(), start()])
  expect(one.port).not.toBe(other.port)
  await one.run('ipvsadm -A -t 10.1.0.100:80; echo one >/root/who')
  await other.run('echo other >/root/who')
  expect(await one.run('cat /root/who; ipvsadm -Sn')).toBe('one\n-A -t 10.1.0.100:80 -s wlc\n')
  expect(await other.run('cat /root/who; ipvsadm -Sn')).toBe('other\n')
})

test('IPVS offers thirteen schedulers', async () => {
  const guest = await start()
  const services = schedulers.map((name, i) => `ipvsadm -A -t 10.1.0.100:${80 + i} -s ${name}`)
  await guest.run(services.join('\n'))
  const saved = await guest.run('ipvsadm -Sn')
  expect(schedulers.filter((name) => !saved.includes(` -s ${name}\n`))).toEqual([])
  await expect(guest.run('ipvsadm -A -t 10.1.0.100:99 -s twos')).rejects.toThrow(/Scheduler or persistence engine/)
})

test('the tools of a director are there and run', async () => {
  const guest = await start()
  const commands = [
    'ip -V;tc -V;ss -V;bridge -V;ipvsadm -v;nft -v;keepalived -v;conntrack -V;ethtool --version;arping -V;ping -V',
    'curl -V;tcpdump --version;sysctl -V;modprobe -V;busybox;node -v;ssh -V;getent group root',
    'test -x /usr/sbin/sshd;test -x /usr/lib/openssh/sftp-server;test -x /usr/sbin/groupadd',
  ].flatMap((line) => line.split(';'))
  const script = commands.map((command) => `${command} >/dev/null 2>&1 || echo "${command}"`).join('\n')
  expect(await guest.run(script)).toBe('')
})

test('a missing module, an unloaded one and a loaded one are told apart', async () => {
  const [unloaded, absent] = await Promise.all([start({ ipvs: 'unloaded' }), start({ ipvs: 'absent' })])
  for (const guest of [unloaded, absent])
    expect(await guest.run('test ! -e /proc/net/ip_vs; lsmod')).not.toContain('ip_vs')
  await unloaded.run('modprobe ip_vs; test -e /proc/net/ip_vs')
  await expect(absent.run('modprobe ip_vs')).rejects.toThrow('not found')
})

test('words reach a command as they are, and files and folders arrive', async () => {
  const guest = await start()
  const words = ["it's", '$HOME', '', 'a b', '"*"', '\\n;', 'ü']
  const { stdout } = await guest.exec(['printf', '%s|', ...words])
  expect(stdout).toBe(words.map((word) => `${word}|`).join(''))
  await guest.write('/etc/deep/er/file', 'content')
  await guest.copyIn(new URL('../lab/guest/inside', import.meta.url).pathname, '/opt/copied')
  expect(await guest.run('cat /etc/deep/er/file; ls /opt/copied/inside')).toBe(
    'contentboot.sh\nhost-settings.sh\ninit\nmodules\nsshd_config\n',
  )
  await expect(guest.run('echo gone wrong >&2; exit 3')).rejects.toThrow('ended with 3: gone wrong')
  await expect(guest.exec(['sleep', '60'], { timeoutMs: 500 })).rejects.toThrow('did not end within 500 ms')
})

test('a guest that keeps its disk comes back from a power cut with its files, settings, modules and boot hooks', async () => {
  const guest = await start({ keepsDisk: true })
  expect(await guest.run('lsmod')).not.toContain('ip_vs')
  await guest.write('/etc/modules-load.d/90-test.conf', '# a comment\nip_vs\nip_vs_rr\n')
  await guest.write('/etc/sysctl.d/90-test.conf', 'net.ipv4.vs.conntrack = 1\nnet.ipv4.ip_forward = 1\n')
  await guest.write('/etc/lab-boot.d/10-hosts', topologyScript({ directorIsGuest: true, realServers: 1 }))
  await guest.write('/etc/lab-boot.d/20-service', 'ipvsadm -A -t 10.1.0.100:80 -s rr\n')
  await guest.run('sync; echo lost >/run/volatile; ipvsadm -A -u 10.1.0.100:53')
  await guest.powerCycle()
  const script = `
test ! -e /run/volatile
lsmod | grep -q '^ip_vs_rr '
cat /proc/sys/net/ipv4/vs/conntrack /proc/sys/net/ipv4/ip_forward
ipvsadm -Sn
ping -c 1 -w 5 10.1.0.11 >/dev/null
nsenter --net=/run/netns/client ping -c 1 -w 5 fd00:1::1 >/dev/null`
  expect(await guest.run(script)).toBe('1\n1\n-A -t 10.1.0.100:80 -s rr\n')
  expect(Math.abs(Number(await guest.run('date +%s')) - Date.now() / 1000)).toBeLessThan(5)
})

test('a guest without a disk of its own refuses a power cycle', async () => {
  const guest = await start()
  await expect(guest.powerCycle()).rejects.toThrow('keepsDisk')
})

test('a stopped guest leaves no process and no file', async () => {
  const guest = await start()
  const { stateDir } = guest
  expect(processesNaming(stateDir).length).toBeGreaterThan(1)
  await guest.stop()
  expect(processesNaming(stateDir)).toEqual([])
  expect(existsSync(stateDir)).toBe(false)
})

describe('when the owner ends', () => {
  const cli = fileURLToPath(new URL('../lab/guest/cli.ts', import.meta.url))
  let owner: ChildProcess | undefined
  afterEach(() => {
    owner?.kill('SIGKILL')
  })

  const startOwner = async (): Promise<{ owner: ChildProcess; stateDir: string }> => {
    const child = spawn(process.execPath, [cli, '--json', '--real-servers', '1'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    owner = child
    const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string]
    return { owner: child, stateDir: (JSON.parse(line) as { stateDir: string }).stateDir }
  }

  test('by SIGKILL, its guest ends, and the next run removes the files', async () => {
    const { owner, stateDir } = await startOwner()
    expect(readFileSync(join(stateDir, 'guest.json'), 'utf8')).toContain(`"pid":${owner.pid}`)
    const ended = once(owner, 'exit')
    owner.kill('SIGKILL')
    await ended
    await expect.poll(() => processesNaming(stateDir), { timeout: 10_000 }).toEqual([])
    expect(await sweep()).toContain(`directory ${stateDir}`)
    expect(existsSync(stateDir)).toBe(false)
  })

  test('by SIGTERM, everything is removed and it ends as the signal does', async () => {
    const { owner, stateDir } = await startOwner()
    const ended = once(owner, 'exit')
    owner.kill('SIGTERM')
    expect(await ended).toEqual([null, 'SIGTERM'])
    expect(processesNaming(stateDir)).toEqual([])
    expect(existsSync(stateDir)).toBe(false)
  })

  test('a sweep leaves the guest of a running owner alone', async () => {
    const guest = await start()
    expect(await sweep()).not.toContain(`directory ${guest.stateDir}`)
    expect(await guest.run('echo alive')).toBe('alive\n')
  })
})
