import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import type { CheckRequest, CheckedHostReport } from '../../core/contract/console.ts'
import type { CallContext } from '../../core/contract/define.ts'
import type { Finding } from '../../core/diagnosis/finding.ts'
import { createChecks, type ChecksHandlers } from '../../main/console/checks/checks.ts'
import { createFixStore } from '../../main/console/checks/fix-store.ts'
import { type Lab, startLab } from '../lab/lab.ts'
import { type LabHosts, arpingFrom, labHosts, memoryStore, nameOf, realClock, stateOf } from './diagnosis-hosts.ts'

let lab: Lab
let checks: ChecksHandlers
const directorId = 'lab'
const context: CallContext = { signal: new AbortController().signal, peer: 'test' }

beforeAll(async () => {
  lab = await startLab({ realServers: 3 })
})
const opened: LabHosts[] = []
afterAll(async () => {
  for (const hosts of opened) await hosts.close()
  await lab?.stop()
})

function newChecks(without: ReadonlySet<string> = new Set()): ChecksHandlers {
  const hosts = labHosts(lab, without)
  opened.push(hosts)
  const ports = { hosts, clock: realClock, probeArp: arpingFrom(lab) }
  return createChecks(
    ports,
    createFixStore(memoryStore(), realClock, () => {}),
  )
}

const addressOf = (name: string): string => lab.host(name).addresses.data
const addresses = (): string[] => lab.realServers.map(addressOf)

function requestFor(change: Partial<CheckRequest> = {}): CheckRequest {
  return {
    directorId,
    vip: lab.vip,
    port: 80,
    protocol: 'tcp',
    forwarding: 'dr',
    dataplane: 'ebpf',
    announce: 'arp',
    isLive: false,
    allowOwnAddress: false,
    realServers: addresses().map((address) => ({ address, port: 80, access: { kind: 'direct' } })),
    ...change,
  }
}

interface Outcome {
  readonly reports: CheckedHostReport[]
  /** Last report of each host. */
  readonly last: ReadonlyMap<string, CheckedHostReport>
}

async function collect(stream: AsyncIterable<CheckedHostReport>): Promise<Outcome> {
  const reports: CheckedHostReport[] = []
  for await (const report of stream) reports.push(report)
  return { reports, last: new Map(reports.map((report) => [report.host, report])) }
}

const run = (change: Partial<CheckRequest> = {}): Promise<Outcome> =>
  collect(checks['checks.run'](requestFor(change), context))
const fix = (fixIds: string[], change: Partial<CheckRequest> = {}): Promise<Outcome> =>
  collect(checks['checks.fix']({ request: requestFor(change), fixIds }, context))

const findingsOf = (outcome: Outcome, host: string): Finding[] => outcome.last.get(host)?.findings ?? []
const notOk = (outcome: Outcome, host: string): string[] =>
  findingsOf(outcome, host)
    .filter(({ status }) => status !== 'ok')
    .map(({ rule }) => rule)
const rowOf = (outcome: Outcome, host: string, rule: string): Finding | undefined =>
  findingsOf(outcome, host).find((finding) => finding.rule === rule)
const fixIdsOf = (outcome: Outcome): string[] =>
  [...outcome.last.values()].flatMap(({ findings }) => findings.flatMap((finding) => finding.fix?.id ?? []))

async function undoAll(): Promise<void> {
  const applied = await checks['fixes.list']({ directorId }, context)
  const ids = applied.filter(({ undoneAtMs }) => undoneAtMs === null).map(({ id }) => id)
  if (ids.length > 0) expect(await checks['fixes.undo']({ directorId, ids }, context)).toMatchObject({ failed: [] })
}

afterEach(async () => {
  if (checks !== undefined) await undoAll()
})

const answersArp = async (): Promise<string[]> =>
  (await arpingFrom(lab)(directorId, { address: lab.vip, waitMs: 1000 })).answers

test('unprepared real servers lack the VIP and the ARP settings; fixed they are all well; undone they are as before', async () => {
  checks = newChecks()
  const before = await Promise.all(lab.realServers.map((name) => stateOf(lab, name)))

  const found = await run()
  expect(found.reports.slice(0, 4).every(({ state }) => state === 'running')).toBe(true)
  for (const host of addresses()) expect(notOk(found, host), host).toEqual(['DR5', 'DR6', 'DR4'])
  expect(notOk(found, 'director')).toEqual([])

  const fixed = await fix(fixIdsOf(found))
  for (const [host, report] of fixed.last) {
    expect(report.error, host).toBeNull()
    expect(notOk(fixed, host), host).toEqual([])
  }
  expect(await answersArp()).toEqual([])
  const applied = await checks['fixes.list']({ directorId }, context)
  // The ARP settings come first: with the VIP there and arp_ignore 0 the host would answer for a moment.
  for (const host of addresses()) {
    expect(applied.filter((entry) => entry.fix.host === host).map((entry) => entry.fix.rule)).toEqual([
      'DR5',
      'DR6',
      'DR4',
    ])
  }

  await undoAll()
  expect(await Promise.all(lab.realServers.map((name) => stateOf(lab, name)))).toEqual(before)
  expect(notOk(await run(), addressOf('rs1'))).toEqual(['DR5', 'DR6', 'DR4'])
})

test('the commands run as typed on the host leave the same state as the fix, and so do those of the undo', async () => {
  checks = newChecks()
  const [typed, byFix] = ['rs1', 'rs2'] as const
  const shell = (line: string) => lab.exec(typed, ['sh', '-c', line], { mustSucceed: true })
  const before = await stateOf(lab, typed)
  const found = await run()
  const fixes = findingsOf(found, addressOf(typed)).flatMap((finding) => finding.fix ?? [])
  const ordered = ['DR5', 'DR6', 'DR4'].map((rule) => fixes.find((entry) => entry.rule === rule))
  for (const entry of ordered) for (const line of entry?.commands ?? []) await shell(line)
  await fix(fixes.map(({ rule }) => `${rule}@${addressOf(byFix)}`))

  const own = (state: Record<string, string>, name: string): string =>
    JSON.stringify(state).replaceAll(addressOf(name), 'RIP').replaceAll(managementOf(name), 'MGMT')
  expect(own(await stateOf(lab, typed), typed)).toBe(own(await stateOf(lab, byFix), byFix))
  for (const entry of ordered.toReversed()) for (const line of entry?.undo ?? []) await shell(line)
  expect(await stateOf(lab, typed)).toEqual(before)
  // An undo may run twice: whoever pressed the button before the connection broke does not know.
  for (const entry of ordered.toReversed()) for (const line of entry?.undo ?? []) await shell(line)
  expect(await stateOf(lab, typed)).toEqual(before)
})

const managementOf = (name: string): string => lab.host(name).addresses.management ?? ''

test('where systemd runs, the unit that the fix writes is valid, enabled, and gone after the undo', async (context) => {
  checks = newChecks()
  const host = addressOf('rs3')
  const tools = await lab.exec('rs3', ['sh', '-c', 'command -v systemctl && command -v systemd-analyze'])
  if (tools.code !== 0) context.skip('systemctl or systemd-analyze is not installed')
  // systemd itself does not run in the lab: systemctl then works on the files alone.
  const shell = (line: string) =>
    lab.exec('rs3', ['sh', '-c', line], { env: { SYSTEMD_OFFLINE: '1' }, mustSucceed: true })
  await shell('mkdir -p /run/systemd/system')
  try {
    const before = await stateOf(lab, 'rs3')
    const entry = rowOf(await run({ hosts: [host] }), host, 'DR4')?.fix
    expect(entry?.survivesReboot).toBe(true)
    for (const line of entry?.commands ?? []) await shell(line)
    const unit = entry?.files[0] ?? ''
    const { stderr } = await shell(`systemd-analyze verify ${unit}`)
    expect(stderr).not.toContain('signalbox')
    const { stdout } = await shell(`systemctl is-enabled ${unit.slice(unit.lastIndexOf('/') + 1)}`)
    expect(stdout).toBe('enabled\n')
    for (const round of [1, 2]) {
      for (const line of entry?.undo ?? []) await shell(line)
      expect(await stateOf(lab, 'rs3'), `undo ${round}`).toEqual(before)
    }
  } finally {
    await shell('rm -rf /run/systemd/system')
  }
})

test('a VIP with a wide prefix is named, cured, and put back as it was, with the addresses that hang on it', async () => {
  checks = newChecks()
  const host = addressOf('rs1')
  const ip = (...argv: string[]) => lab.exec('rs1', ['ip', 'addr', ...argv], { mustSucceed: true })
  await ip('add', `${lab.vip}/24`, 'brd', '+', 'dev', 'lo', 'label', 'lo:0')
  await ip('add', `${lab.layout.freeAddresses[0]}/24`, 'dev', 'lo')
  try {
    const before = await stateOf(lab, 'rs1')
    const found = await run()
    expect(rowOf(found, host, 'DR4')).toMatchObject({ status: 'missing', cause: 'wrongPrefix' })
    const fixed = await fix(fixIdsOf(found).filter((id) => id.endsWith(`@${host}`)))
    expect(fixed.last.get(host)?.error).toBeNull()
    expect(rowOf(fixed, host, 'DR4')).toMatchObject({ status: 'ok', found: `lo ${lab.vip}/32` })
    const { stdout } = await lab.exec('rs1', ['ip', '-o', '-4', 'addr', 'show', 'dev', 'lo'])
    expect(stdout).toContain(`${lab.layout.freeAddresses[0]}/24`)
    await undoAll()
    expect(await stateOf(lab, 'rs1')).toEqual(before)
  } finally {
    await ip('flush', 'dev', 'lo', 'scope', 'global')
  }
})

test('a VIP on the network interface moves to lo, and back', async () => {
  checks = newChecks()
  const host = addressOf('rs1')
  await lab.exec('rs1', ['ip', 'addr', 'add', `${lab.vip}/32`, 'dev', 'eth0'], { mustSucceed: true })
  try {
    const before = await stateOf(lab, 'rs1')
    const found = await run()
    expect(rowOf(found, host, 'DR4')).toMatchObject({ cause: 'otherInterface', found: `eth0 ${lab.vip}/32` })
    // It answers ARP, and the director sees which host it is.
    expect(rowOf(found, 'director', 'DR7')).toMatchObject({
      status: 'missing',
      cause: 'realServer',
      params: { servers: host },
    })
    const fixed = await fix(fixIdsOf(found).filter((id) => id.endsWith(`@${host}`)))
    expect(notOk(fixed, host)).toEqual([])
    expect(rowOf(fixed, 'director', 'DR7')?.status).toBe('ok')
    await undoAll()
    expect(await stateOf(lab, 'rs1')).toEqual(before)
  } finally {
    await lab.exec('rs1', ['ip', 'addr', 'flush', 'dev', 'eth0', 'to', `${lab.vip}/32`])
  }
})

test('a setting on lo only is named as useless, and the real server that answers ARP as the culprit', async () => {
  checks = newChecks()
  const host = addressOf('rs2')
  await lab.exec('rs2', ['sysctl', '-qw', 'net.ipv4.conf.lo.arp_ignore=1'], { mustSucceed: true })
  await lab.exec('rs2', ['ip', 'addr', 'add', `${lab.vip}/32`, 'dev', 'lo'], { mustSucceed: true })
  try {
    const found = await run()
    expect(rowOf(found, host, 'DR4')?.status).toBe('ok')
    expect(rowOf(found, host, 'DR5')).toMatchObject({ status: 'missing', cause: 'onlyOnLo' })
    expect(rowOf(found, host, 'DR5')?.found).toContain('lo=1 has no effect')
    expect(rowOf(found, 'director', 'DR7')).toMatchObject({ cause: 'realServer', params: { servers: host } })
    const fixed = await fix([`DR5@${host}`])
    expect(rowOf(fixed, 'director', 'DR7')?.status).toBe('ok')
    // Without any other host's facts the MAC still leads to the real server, by the director's neighbour table.
    await undoAll()
    await lab.clientRequests({ from: 'director', address: host, count: 1 })
    checks = newChecks()
    const alone = await run({ hosts: ['director'] })
    expect(rowOf(alone, 'director', 'DR7')).toMatchObject({ cause: 'realServer', params: { servers: host } })
  } finally {
    await lab.exec('rs2', ['ip', 'addr', 'flush', 'dev', 'lo', 'to', `${lab.vip}/32`])
    await lab.exec('rs2', ['sysctl', '-qw', 'net.ipv4.conf.lo.arp_ignore=0'])
  }
})

test('a server that listens on its own address only is named', async () => {
  checks = newChecks()
  const host = addressOf('rs3')
  await lab.killServer('rs3')
  try {
    await expect
      .poll(async () => rowOf(await run({ hosts: [host] }), host, 'DR8')?.cause, { timeout: 10_000 })
      .toBe('nobody')
    const script = `require('node:net').createServer().listen(80, '${host}', () => console.log('listening'))`
    const server = lab.spawn('rs3', [process.execPath, '-e', script])
    await server.firstLine()
    const finding = rowOf(await run({ hosts: [host] }), host, 'DR8')
    expect(finding).toMatchObject({ status: 'missing', cause: 'otherAddress', found: `${host}:80`, fix: null })
    await server.kill('SIGKILL')
  } finally {
    await lab.startServer('rs3')
  }
})

test('a host without SSH reads not checked, an unreachable one unknown with the reason, and the others are read', async () => {
  const [first, second, third] = addresses() as [string, string, string]
  checks = newChecks(new Set([second]))
  const realServers = addresses().map((address) => ({
    address,
    port: 80,
    access: address === first ? ({ kind: 'none' } as const) : ({ kind: 'direct' } as const),
  }))
  const found = await run({ realServers })
  expect(new Set(findingsOf(found, first).map(({ status }) => status))).toEqual(new Set(['notChecked']))
  expect(found.last.get(second)).toMatchObject({ state: 'failed', error: { code: 'SSH_UNREACHABLE' } })
  expect(new Set(findingsOf(found, second).map(({ status }) => status))).toEqual(new Set(['unknown']))
  expect(notOk(found, third)).toEqual(['DR5', 'DR6', 'DR4'])
  const fixed = await fix([`DR5@${first}`], { realServers })
  expect(fixed.last.get(first)).toMatchObject({ state: 'failed', error: { code: 'REFUSED' } })
})

test('the VIP is not raised before the ARP settings, and these are not undone under it', async () => {
  checks = newChecks()
  const host = addressOf('rs1')
  await run()
  const alone = await fix([`DR4@${host}`])
  expect(alone.last.get(host)).toMatchObject({
    state: 'failed',
    error: { code: 'REFUSED', details: { missing: `DR5@${host}, DR6@${host}` } },
  })
  expect(rowOf(alone, host, 'DR4')?.status).toBe('missing')

  await fix([`DR4@${host}`, `DR6@${host}`, `DR5@${host}`])
  const applied = await checks['fixes.list']({ directorId }, context)
  const arpIgnore = applied.find((entry) => entry.fix.rule === 'DR5')
  const { undone, failed } = await checks['fixes.undo']({ directorId, ids: [arpIgnore?.id ?? ''] }, context)
  expect(undone).toEqual([])
  expect(failed[0]?.error).toMatchObject({ code: 'REFUSED' })
  expect(failed[0]?.error.message).toContain('DR4')
  expect(notOk(await run(), host)).toEqual([])
})

test('settings that another service of the host rests on stay when one service is taken back', async () => {
  checks = newChecks()
  const host = addressOf('rs1')
  const before = await stateOf(lab, 'rs1')
  const realServers = requestFor().realServers.slice(0, 1)
  const second = { vip: lab.layout.freeAddresses[1] ?? '', realServers }
  await fix(fixIdsOf(await run({ realServers })), { realServers })
  const other = await run(second)
  expect(notOk(other, host)).toEqual(['DR4'])
  await fix(fixIdsOf(other), second)

  const own = (await checks['fixes.list']({ directorId }, context)).filter(({ service }) => service.includes(lab.vip))
  const { undone, failed } = await checks['fixes.undo']({ directorId, ids: own.map(({ id }) => id) }, context)
  expect(undone.map((id) => own.find((entry) => entry.id === id)?.fix.rule)).toEqual(['DR4'])
  expect(failed.length).toBe(2)
  expect(failed[0]?.error.message).toContain(second.vip)
  expect(notOk(await run(second), host)).toEqual([])
  // Both together leave nothing, and a second time is no error.
  const all = (await checks['fixes.list']({ directorId }, context)).map(({ id }) => id)
  for (const _ of [1, 2]) {
    const result = await checks['fixes.undo']({ directorId, ids: all }, context)
    expect(result.failed).toEqual([])
    expect(result.undone.toSorted()).toEqual(all.toSorted())
    expect(await stateOf(lab, 'rs1')).toEqual(before)
  }
})

test('a command that fails stops this host, is named with its exit code, and what came before it is undone', async () => {
  checks = newChecks()
  const [broken, fine] = [addressOf('rs1'), addressOf('rs2')]
  const before = await stateOf(lab, 'rs1')
  const found = await run()
  // A directory where the file should go: the setting can be made, but not kept.
  const path = `/etc/sysctl.d/60-signalbox-${lab.vip}-arp_announce.conf`
  await lab.exec('rs1', ['mkdir', path], { mustSucceed: true })
  try {
    const fixed = await fix(fixIdsOf(found))
    const { state, error } = fixed.last.get(broken) ?? {}
    expect(state).toBe('failed')
    expect(error?.message).toContain(path)
    expect(Number(error?.details?.['exitCode'])).toBeGreaterThan(0)
    expect(error?.details?.['stderr']).toContain('irectory')
    // DR5 came first and stays; DR6 was taken back; DR4 was not tried.
    expect(notOk(fixed, broken)).toEqual(['DR6', 'DR4'])
    expect(notOk(fixed, fine)).toEqual([])
    const applied = await checks['fixes.list']({ directorId }, context)
    expect(applied.filter((entry) => entry.fix.host === broken).map((entry) => entry.fix.rule)).toEqual(['DR5'])
  } finally {
    await lab.exec('rs1', ['rmdir', path])
  }
  await undoAll()
  expect(await stateOf(lab, 'rs1')).toEqual(before)
})

test('commands other than those that were shown are not run', async () => {
  checks = newChecks()
  const host = addressOf('rs1')
  await run()
  await lab.exec('rs1', ['sysctl', '-qw', 'net.ipv4.conf.eth0.arp_ignore=8'], { mustSucceed: true })
  try {
    const fixed = await fix([`DR5@${host}`])
    expect(fixed.last.get(host)).toMatchObject({ state: 'failed', error: { code: 'CONFLICT' } })
    // The report shows the new ones, and these run.
    const again = await fix([`DR5@${host}`])
    expect(again.last.get(host)?.error).toBeNull()
    expect(rowOf(again, host, 'DR5')?.found).toBe('all=1 eth0=1, effective 1')
    await undoAll()
    const { stdout } = await lab.exec('rs1', ['cat', '/proc/sys/net/ipv4/conf/eth0/arp_ignore'])
    expect(stdout).toBe('8\n')
  } finally {
    await lab.exec('rs1', ['sysctl', '-qw', 'net.ipv4.conf.eth0.arp_ignore=0'])
  }
})

test('a fix for a host outside of the request is refused', () => {
  checks = newChecks()
  expect(() => checks['checks.fix']({ request: requestFor(), fixIds: ['DR5@203.0.113.1'] }, context)).toThrow(
    /fixIds: found "203.0.113.1"/,
  )
})

test('facts of one host are read without a service in mind', async () => {
  checks = newChecks()
  const facts = await checks['facts.read']({ directorId, host: addressOf('rs1') }, context)
  expect(facts.hostname).toBe('rs1')
  expect(facts.listeners).toContainEqual({ address: '*', port: 80 })
  expect(facts.listeners).toContainEqual({ address: addressOf('rs1'), port: 22 })
  expect(nameOf(lab, addressOf('rs1'))).toBe('rs1')
})
