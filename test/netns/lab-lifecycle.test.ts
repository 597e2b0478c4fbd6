import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { afterEach, expect, test } from 'vitest'
import { pauseScript } from '../lab/host-process.ts'
import { startLab } from '../lab/lab.ts'
import { LabRecord } from '../lab/lab-state.ts'
import { machineState, networkNamespaceOf, processesIn, processesNaming } from '../lab/machine-state.ts'
import { isRunning } from '../lab/process-identity.ts'
import { sweep } from '../lab/sweep.ts'

const cli = fileURLToPath(new URL('../lab/cli.ts', import.meta.url))
const labModule = new URL('../lab/lab.ts', import.meta.url).href

/** Other labs may start and stop on this machine meanwhile; their links carry this prefix. */
const withoutLabLinks = (state: Awaited<ReturnType<typeof machineState>>) => ({
  ...state,
  links: (state['links'] ?? []).filter((name) => !name.startsWith('sblab')),
})

interface OwnedLab {
  readonly owner: ChildProcess
  readonly stateDir: string
  readonly link: string
  readonly record: LabRecord
  readonly namespaces: ReadonlySet<string>
}

let owner: ChildProcess | undefined
afterEach(() => {
  owner?.kill('SIGKILL')
  owner = undefined
})

/** A lab that belongs to another process, started with `args` for Node. */
const startOwner = async (args: readonly string[], stderr: 'inherit' | 'ignore' = 'inherit'): Promise<OwnedLab> => {
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', stderr] })
  owner = child
  const line = await new Promise<string>((resolve, reject) => {
    createInterface({ input: child.stdout }).once('line', resolve)
    child.once('exit', (code) => reject(new Error(`the owner ended with ${code} before its lab was up`)))
  })
  const { stateDir } = JSON.parse(line) as { stateDir: string }
  const record = LabRecord.parse(JSON.parse(readFileSync(join(stateDir, 'lab.json'), 'utf8')))
  const namespaces = new Set(record.processes.flatMap(({ pid }) => networkNamespaceOf(pid) ?? []))
  expect(namespaces.size).toBe(4) // switch, client, director, rs1
  return { owner: child, stateDir, link: record.link, record, namespaces }
}

const exited = (child: ChildProcess): Promise<number | NodeJS.Signals | null> =>
  child.exitCode !== null || child.signalCode !== null
    ? Promise.resolve(child.exitCode ?? child.signalCode)
    : new Promise((resolve) => child.once('exit', (code, signal) => resolve(code ?? signal)))

const expectNoTrace = async (lab: OwnedLab): Promise<void> => {
  await expect.poll(() => processesIn(lab.namespaces), { timeout: 5000 }).toEqual([])
  expect(lab.record.processes.filter(isRunning)).toEqual([])
  await expect.poll(async () => (await machineState())['links'], { timeout: 5000 }).not.toContain(lab.link)
}

test('a lab in which an agent is installed by hand leaves nothing on the machine', async () => {
  const before = await machineState()
  const lab = await startLab({ realServers: 2, director: { accounts: [{ name: 'operator', groups: ['signalbox'] }] } })
  const namespaces = new Set<string>()
  const { stateDir } = lab
  try {
    for (const name of ['client', 'director', 'rs1', 'rs2'])
      namespaces.add(networkNamespaceOf(lab.host(name).initPid) ?? '')
    expect(processesIn(namespaces).length).toBeGreaterThan(4)
    const install = [
      'mkdir /opt/signalbox && echo agent > /opt/signalbox/agent',
      'groupadd signalbox-view',
      'echo net.ipv4.ip_forward=1 > /etc/sysctl.d/90-signalbox.conf',
      'echo unit > /etc/systemd/system/signalbox.service',
      'mkdir -p /run/signalbox /var/lib/signalbox ~/.config/signalbox ~/.ssh',
      'echo key > ~/.ssh/id_test',
      'mkdir /sys/fs/bpf/signalbox',
      'ip link add probe type veth peer name probe-peer',
      'sleep 1000 > /dev/null 2>&1 &',
    ]
    await lab.exec('director', ['bash', '-euc', install.join('\n')], { mustSucceed: true, timeoutMs: 10_000 })
    const groups = await lab.exec('director', ['getent', 'group', 'signalbox', 'signalbox-view'], { mustSucceed: true })
    expect(groups.stdout.split('\n').length).toBe(3)
    expect(withoutLabLinks(await machineState())).toEqual(withoutLabLinks(before))
  } finally {
    await lab.stop()
  }
  expect(processesIn(namespaces)).toEqual([])
  expect(processesNaming(stateDir)).toEqual([])
  expect(existsSync(stateDir)).toBe(false)
  const after = await machineState()
  expect(after['links']).not.toContain(`sblab${lab.layout.number}`)
  expect(withoutLabLinks(after)).toEqual(withoutLabLinks(before))
})

test('SIGKILL of the owner ends all processes and links, and the next run removes the files', async () => {
  const lab = await startOwner([cli, 'up', '--real-servers', '1', '--steady', '--json'])
  lab.owner.kill('SIGKILL')
  await exited(lab.owner)
  await expectNoTrace(lab)
  expect(existsSync(lab.stateDir)).toBe(true)
  expect(await sweep()).toContain(`directory ${lab.stateDir}`)
  expect(existsSync(lab.stateDir)).toBe(false)
})

test('SIGKILL of the owner ends a paused host as well', async () => {
  const lab = await startOwner([cli, 'up', '--real-servers', '1', '--json'])
  const pause = spawnSync(process.execPath, [
    cli,
    'exec',
    '--lab',
    String(lab.record.number),
    'rs1',
    '--',
    'bash',
    '-c',
    pauseScript,
  ])
  expect(pause.status).toBe(0)
  lab.owner.kill('SIGKILL')
  await exited(lab.owner)
  await expectNoTrace(lab)
  await sweep()
})

test.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)(
  '%s of the owner removes everything and ends it as the signal does',
  async (signal) => {
    const lab = await startOwner([cli, 'up', '--real-servers', '1', '--json'])
    lab.owner.kill(signal)
    expect(await exited(lab.owner)).toBe(signal)
    await expectNoTrace(lab)
    expect(existsSync(lab.stateDir)).toBe(false)
  },
)

test('an uncaught exception of the owner removes everything', async () => {
  const script = `
    const { startLab } = await import(${JSON.stringify(labModule)})
    const lab = await startLab({ realServers: 1 })
    process.once('SIGUSR2', () => { throw new Error('defect') })
    process.stdout.write(JSON.stringify(lab.summary()) + '\\n')`
  const lab = await startOwner(['--input-type=module', '--eval', script], 'ignore')
  lab.owner.kill('SIGUSR2')
  expect(await exited(lab.owner)).toBe(1)
  await expectNoTrace(lab)
  expect(existsSync(lab.stateDir)).toBe(false)
})

test('a sweep leaves the lab of a running owner alone', async () => {
  const lab = await startLab({ realServers: 1 })
  try {
    expect(await sweep()).not.toContain(`directory ${lab.stateDir}`)
    expect((await lab.clientRequests({ address: lab.host('rs1').addresses.data, count: 3 })).perServer).toEqual({
      rs1: 3,
    })
  } finally {
    await lab.stop()
  }
})

test('two labs run side by side in different subnets', async () => {
  const [one, other] = await Promise.all([startLab({ realServers: 1 }), startLab({ realServers: 1 })])
  try {
    expect(one.layout.managementSubnet).not.toBe(other.layout.managementSubnet)
    expect(one.layout.dataSubnet).not.toBe(other.layout.dataSubnet)
    for (const lab of [one, other]) {
      expect((await lab.clientRequests({ address: lab.host('rs1').addresses.data, count: 2 })).answered).toBe(2)
    }
  } finally {
    await Promise.all([one.stop(), other.stop()])
  }
})

test.each([0, 51, 1.5])('%s real servers are refused with what was expected', async (count) => {
  await expect(startLab({ realServers: count })).rejects.toThrow(
    `realServers: found ${count}, expected a whole number from 1 to 50`,
  )
})
