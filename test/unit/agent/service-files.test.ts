import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { sshEnds } from '../../../agent/cli/caller.ts'
import { groupId } from '../../../agent/groups.ts'
import { supervisorScript } from '../../../agent/systemd/supervisor.ts'
import { quoteForUnit, unitText } from '../../../agent/systemd/unit.ts'

test('the unit starts the installed program and gives it what it needs, and no mount namespace', () => {
  const unit = unitText({ command: ['/opt/signalbox/current/signalbox'] })
  expect(unit).toContain('\nExecStart=/opt/signalbox/current/signalbox agent\n')
  expect(unit).toMatch(/^CapabilityBoundingSet=CAP_NET_ADMIN CAP_NET_RAW CAP_BPF CAP_PERFMON CAP_CHOWN$/m)
  expect(unit).toMatch(/^SystemCallFilter=@system-service bpf perf_event_open$/m)
  expect(unit).toMatch(/^RestrictAddressFamilies=.*AF_NETLINK AF_PACKET$/m)
  // Each of these makes a mount namespace (systemd.exec(5)) or forbids what V8 does.
  expect(unit).not.toMatch(
    /^(Private|Protect|ReadWrite|ReadOnly|Inaccessible|TemporaryFileSystem|MemoryDenyWriteExecute)/m,
  )
})

test('words of a unit keep their meaning', () => {
  expect(quoteForUnit('/opt/a b')).toBe('"/opt/a b"')
  expect(quoteForUnit('50%$x')).toBe('50%%$$x')
  expect(quoteForUnit('say "x"')).toBe('"say \\"x\\""')
})

test('the supervisor starts a crashed agent again and ends with it in peace', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'signalbox-supervisor-'))
  const log = join(dir, 'starts')
  // Crashes once, then runs until SIGTERM, which it takes as its end.
  const agent = join(dir, 'agent program')
  writeFileSync(
    agent,
    `#!/bin/sh
echo "$1 $$" >>'${log}'
[ "$(wc -l <'${log}')" -eq 1 ] && exit 9
trap 'echo end >>"${log}"; exit 0' TERM
echo ready >>'${log}'
while :; do sleep 0.05; done
`,
    { mode: 0o755 },
  )
  const child = spawn('/bin/sh', ['-c', supervisorScript([agent]), 'signalbox-supervisor'], { stdio: 'ignore' })
  try {
    const starts = () => {
      try {
        return readFileSync(log, 'utf8').trim().split('\n')
      } catch {
        return []
      }
    }
    await expect.poll(() => starts().length, { timeout: 10_000 }).toBe(3)
    const ended = new Promise((resolve) => child.once('exit', resolve))
    child.kill('SIGTERM')
    expect(await ended).toBe(0)
    expect(starts().map((line) => line.split(' ')[0])).toEqual(['agent', 'agent', 'ready', 'end'])
  } finally {
    child.kill('SIGKILL')
    rmSync(dir, { recursive: true, force: true })
  }
})

test('the ends of an SSH session are read as sshd writes them', () => {
  expect(sshEnds('198.18.0.1 50000 198.18.0.2 22')).toEqual({ client: '198.18.0.1', server: '198.18.0.2' })
  expect(sshEnds('::ffff:198.18.0.1 5 ::ffff:198.18.0.2 22')).toEqual({ client: '198.18.0.1', server: '198.18.0.2' })
  expect(sshEnds('2001:db8::1 5 2001:db8::2 22')?.server).toBe('2001:db8::2')
  for (const bad of [undefined, '', 'x', '1 2 3']) expect(sshEnds(bad)).toBeNull()
})

test('a group is found by its name, as a whole', () => {
  const dir = mkdtempSync(join(tmpdir(), 'signalbox-groups-'))
  const file = join(dir, 'group')
  writeFileSync(file, 'root:x:0:\nsignalbox-view:x:991:ann\nsignalbox:x:990:\nbroken\nodd:x:many:\n')
  expect([groupId('signalbox', file), groupId('signalbox-view', file)]).toEqual([990, 991])
  expect([groupId('signal', file), groupId('broken', file), groupId('odd', file)]).toEqual([null, null, null])
  rmSync(dir, { recursive: true })
})
