import { existsSync } from 'node:fs'
import { afterEach, expect, test } from 'vitest'
import { type Guest, type GuestOptions, startGuest } from '../lab/guest/guest.ts'

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

test('a stopped guest leaves no process and no file', async () => {
  const guest = await start()
  const { stateDir } = guest
  expect(existsSync(stateDir)).toBe(true)
  await guest.stop()
  expect(existsSync(stateDir)).toBe(false)
})
