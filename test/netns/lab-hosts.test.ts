import { spawn } from 'node:child_process'
import { existsSync, statSync } from 'node:fs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Lab, startLab } from '../lab/lab.ts'
import { readForwardedSocket, ssh, startGreeter } from './lab-ssh.ts'

const scan = (address: string, port: number): Promise<string> =>
  new Promise((resolve, reject) => {
    const child = spawn('bash', [
      '-c',
      'ssh-keyscan -t ed25519 -p "$2" "$1" 2>/dev/null | ssh-keygen -lf -',
      'bash',
      address,
      String(port),
    ])
    let output = ''
    child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()))
    child.once('error', reject)
    child.once('close', () => resolve(output.split(' ')[1] ?? ''))
  })

let lab: Lab
beforeAll(async () => {
  lab = await startLab({
    director: { ssh: { port: 2222 }, accounts: [{ name: 'operator', groups: ['signalbox'] }, { name: 'guest' }] },
  })
})
afterAll(() => lab?.stop())

test('each sshd answers with the fingerprint that the lab tells', async () => {
  for (const host of [lab.summary().director, lab.summary().client, ...lab.summary().realServers]) {
    expect(await scan(host.management ?? '', host.sshPort)).toBe(host.fingerprint)
  }
})

test('what the console tells an operator to compare it with, run on the host as typed, is the same fingerprint', async () => {
  const { stdout } = await lab.host('director').exec(['ssh-keygen', '-lf', '/etc/ssh/ssh_host_ed25519_key.pub'])
  expect(stdout.split(' ')[1]).toBe(lab.host('director').fingerprint)
})

test('the key of the run is for its owner alone', () => {
  expect(statSync(lab.keyFile).mode & 0o777).toBe(0o600)
})

test('what one ssh command leaves in /run and /opt is there in the next, on this host alone', async () => {
  const made = await ssh(lab, 'director', 'touch /run/left /opt/left && hostname')
  expect(made).toEqual({ code: 0, stdout: 'director\n', stderr: '' })
  const look = 'ls -d /run/left /opt/left 2>/dev/null | wc -l'
  expect((await ssh(lab, 'director', look)).stdout.trim()).toBe('2')
  expect((await ssh(lab, 'rs1', look)).stdout.trim()).toBe('0')
})

test('a map that one ssh command pins is there in the next, on this host alone', async () => {
  const syscall = new URL('../../agent/kernel/syscall.ts', import.meta.url).href
  const node = '/run/lab/node --disable-warning=ExperimentalWarning --input-type=module -'
  /** BPF_MAP_CREATE 0 (type ARRAY 2, key 4, value 8, one entry), BPF_OBJ_PIN 6, BPF_OBJ_GET 7: include/uapi/linux/bpf.h. */
  const script = (create: boolean): string => `
    const { ArgumentBlock, bpfCall } = await import(${JSON.stringify(syscall)})
    const path = (block) => block.pointer(0, Buffer.from('/sys/fs/bpf/lab_map\\0'))
    if (${create}) {
      const map = new ArgumentBlock(72).u32(0, 2).u32(4, 4).u32(8, 8).u32(12, 1)
      bpfCall(6, path(new ArgumentBlock(24)).u32(8, bpfCall(0, map, 'a map')), 'a pin')
    }
    console.log(bpfCall(7, path(new ArgumentBlock(24)), 'a look at the pin') > 0)`
  expect(await ssh(lab, 'director', node, { stdin: script(true) })).toEqual({ code: 0, stdout: 'true\n', stderr: '' })
  expect(await ssh(lab, 'director', node, { stdin: script(false) })).toEqual({ code: 0, stdout: 'true\n', stderr: '' })
  expect((await lab.exec('director', ['ls', '/sys/fs/bpf'])).stdout).toContain('lab_map')
  const elsewhere = await ssh(lab, 'rs1', node, { stdin: script(false) })
  expect(elsewhere.code).toBe(1)
  expect(elsewhere.stderr).toContain('ENOENT')
})

test('stream-local forwarding reaches a UNIX socket of the director', async () => {
  await startGreeter(lab, 'director', '/run/greeter.sock')
  expect(await readForwardedSocket(lab, 'director', '/run/greeter.sock')).toBe('hello')
})

test.skipIf(!existsSync('/usr/bin/sudo'))(
  'an account with sudo becomes root without a password (needs the package sudo)',
  async () => {
    expect((await ssh(lab, 'director', 'sudo -n id -u', { user: 'operator' })).code).not.toBe(0)
    const other = await startLab({ realServers: 1, director: { accounts: [{ name: 'helper', sudo: true }] } })
    try {
      expect(await ssh(other, 'director', 'sudo -n id -u', { user: 'helper' })).toEqual({
        code: 0,
        stdout: '0\n',
        stderr: '',
      })
    } finally {
      await other.stop()
    }
  },
)

test('a host sees its own interfaces and processes only', async () => {
  expect((await ssh(lab, 'director', 'ls /sys/class/net')).stdout.split('\n').filter(Boolean)).toEqual([
    'eth0',
    'lo',
    'mgmt0',
  ])
  expect((await ssh(lab, 'director', 'tr "\\0" " " < /proc/1/cmdline')).stdout).toContain('host-init.sh director')
})

test('a write outside the places of the host fails instead of landing on the machine', async () => {
  const { code, stderr } = await lab.exec('director', ['touch', '/usr/left', import.meta.filename])
  expect(code).toBe(1)
  expect(stderr.match(/Read-only file system/g)).toHaveLength(2)
})

test('nothing of the environment of the owner reaches a host', async () => {
  process.env['SSH_AUTH_SOCK'] = '/tmp/agent-of-the-operator'
  try {
    const { stdout } = await lab.exec('director', ['env'])
    expect(stdout).not.toContain('SSH_AUTH_SOCK')
    expect(stdout).toContain('HOME=/root')
  } finally {
    delete process.env['SSH_AUTH_SOCK']
  }
})

test('exec passes arguments and standard input unchanged and returns the exit code', async () => {
  const odd = `a 'b" $HOME * \n c`
  expect(await lab.exec('rs1', ['printf', '%s', odd])).toEqual({ code: 0, stdout: odd, stderr: '' })
  expect((await lab.exec('rs1', ['cat'], { stdin: odd })).stdout).toBe(odd)
  expect((await lab.exec('rs1', ['bash', '-c', 'echo why >&2; exit 3'])).code).toBe(3)
  await expect(lab.exec('rs1', ['false'], { mustSucceed: true })).rejects.toThrow('false on rs1 ended with 1')
  await expect(lab.exec('rs1', ['sleep', '60'], { timeoutMs: 200 })).rejects.toThrow('did not end within 200 ms')
  expect((await lab.exec('rs1', ['pgrep', '-x', 'sleep'])).stdout).toBe('')
})

test('accounts beside root log in with the same key and are in their groups', async () => {
  expect((await ssh(lab, 'director', 'id -un; id -Gn; pwd', { user: 'operator' })).stdout).toBe(
    'operator\noperator signalbox\n/home/operator\n',
  )
  expect((await ssh(lab, 'director', 'id -Gn', { user: 'guest' })).stdout).toBe('guest\n')
})

test('the director reaches the real servers over the data network', async () => {
  for (const name of lab.realServers) {
    const { addresses } = lab.host(name)
    const { stdout } = await lab.exec('director', ['ssh-keyscan', '-t', 'ed25519', addresses.data], {
      mustSucceed: true,
    })
    expect(stdout).toContain(`${addresses.data} ssh-ed25519 `)
  }
})

test('the machine reaches the real servers at their data address, as a workstation does through a router', async () => {
  for (const name of lab.realServers) {
    const host = lab.host(name)
    expect(await scan(host.addresses.data, host.sshPort)).toBe(host.fingerprint)
  }
})

test('real servers start unprepared for direct routing, whatever the machine has', async () => {
  for (const name of lab.realServers) {
    const settings = ['all', 'eth0'].flatMap((conf) =>
      ['arp_ignore', 'arp_announce'].map((key) => `net.ipv4.conf.${conf}.${key}`),
    )
    const { stdout } = await lab.exec(name, ['sysctl', '-n', ...settings])
    expect(stdout).toBe('0\n0\n0\n0\n')
    expect((await lab.exec(name, ['ip', '-brief', 'addr', 'show', 'dev', 'lo'])).stdout).not.toContain(lab.vip)
  }
})

test('the client reaches each real server, which sees its address, and not the VIP', async () => {
  for (const name of lab.realServers) {
    const result = await lab.clientRequests({ address: lab.host(name).addresses.data, count: 20, concurrency: 4 })
    expect(result).toMatchObject({ requests: 20, failed: 0, perServer: { [name]: 20 } })
    expect(result.clientAddresses).toEqual({ [lab.host('client').addresses.data]: 20 })
    expect(new Set(result.answers.map((answer) => answer.sourcePort)).size).toBe(20)
  }
  const toVip = await lab.clientRequests({ address: lab.vip, count: 4, concurrency: 4 })
  expect(toVip).toMatchObject({ requests: 4, answered: 0, failed: 4 })
  expect(toVip.failures.map((failure) => failure.code)).toEqual(Array(4).fill('CONNECT_TIMEOUT'))
})

test('the HTTP server answers slowly, with many bytes, and refuses what it does not know', async () => {
  const get = async (path: string) => {
    const url = `http://${lab.host('rs2').addresses.data}${path}`
    const { stdout } = await lab.exec('client', [
      'curl',
      '-s',
      '-o',
      '/tmp/body',
      '-w',
      '%{http_code} %{size_download} %{time_total}',
      url,
    ])
    const [status, bytes, seconds] = stdout.split(' ').map(Number)
    return { status, bytes, seconds, body: (await lab.exec('client', ['head', '-c', '200', '/tmp/body'])).stdout }
  }
  expect((await get('/slow?ms=400')).seconds).toBeGreaterThan(0.39)
  expect(await get('/big?bytes=3000001')).toMatchObject({ status: 200, bytes: 3_000_001 })
  expect(await get('/slow?ms=soon')).toMatchObject({
    status: 400,
    body: 'ms: found "soon", expected a whole number from 0 to 600000\n',
  })
  expect(await get('/other')).toMatchObject({ status: 404 })
})

test('a prepared real server serves the VIP and does not answer ARP for it; an unprepared one with the VIP does', async () => {
  const askedByArp = async (): Promise<number> =>
    (await lab.exec('client', ['arping', '-q', '-D', '-c', '2', '-w', '2', '-I', 'eth0', lab.vip])).code
  await lab.prepareForDr('rs3')
  expect(await askedByArp()).toBe(0) // 0: no answer within the time, the address looks free
  const mac = (await lab.exec('rs3', ['cat', '/sys/class/net/eth0/address'])).stdout.trim()
  await lab.exec('client', ['ip', 'neigh', 'replace', lab.vip, 'lladdr', mac, 'dev', 'eth0'], { mustSucceed: true })
  const direct = await lab.clientRequests({ address: lab.vip, count: 5 })
  await lab.exec('client', ['ip', 'neigh', 'del', lab.vip, 'dev', 'eth0'], { mustSucceed: true })
  expect(direct).toMatchObject({ perServer: { rs3: 5 }, clientAddresses: { [lab.host('client').addresses.data]: 5 } })
  await lab.exec('rs3', ['sysctl', '-qw', 'net.ipv4.conf.all.arp_ignore=0'], { mustSucceed: true })
  expect(await askedByArp()).toBe(1)
  await lab.unprepareForDr('rs3')
  expect(await askedByArp()).toBe(0)
})
