import { execFileSync } from 'node:child_process'
import { expect, test } from 'vitest'
import { isOlder, judgeFitness } from '../../main/console/install/fitness.ts'
import { hostReportScript, parseHostReport } from '../../main/console/install/host-report.ts'
import { compareVersions } from '../../main/console/install/versions.ts'

const fit = `system=Linux
architecture=x86_64
kernel=6.1.0-13-amd64
distribution=Debian GNU/Linux 12 (bookworm)
glibc=glibc 2.36
ldd=
btf=yes
bpffs=mounted
free=4000000
mount=/
options=rw,relatime
homefree=4000000
uid=0
user=root
missing=
ssh=198.51.100.7 51000 ::ffff:192.0.2.1 22
`
const judge = (more: string, bytes = 34_000_000) => {
  const report = parseHostReport(fit + more)
  if (report === null) throw new Error('no report')
  return judgeFitness(report, bytes).map(({ reason, params }) => `${reason} ${JSON.stringify(params)}`)
}

test('a Debian 12 host is fit, and its own address is the one that SSH came in by', () => {
  expect(judge('')).toEqual([])
  expect(parseHostReport(fit)?.sshAddress).toBe('192.0.2.1')
})

test.each([
  ['system=FreeBSD\n', ['system {"found":"FreeBSD"}']],
  ['architecture=aarch64\n', ['architecture {"found":"aarch64"}']],
  ['glibc=\nldd=musl libc (x86_64) Version 1.2.4\n', ['musl {"needed":"2.28"}']],
  ['glibc=\nldd=ldd (GNU libc) 2.17\n', ['glibc {"found":"2.17","needed":"2.28"}']],
  ['btf=no\n', ['btf {}']],
  ['bpffs=absent\n', ['bpffs {}']],
  ['bpffs=offered\n', []],
  ['mount=/opt\noptions=rw,noexec\n', ['noexec {"path":"/opt/signalbox","mount":"/opt"}']],
  ['options=ro\n', ['readonly {"path":"/opt/signalbox","mount":"/"}']],
  ['free=100000\n', ['space {"path":"/opt/signalbox","found":100,"needed":153}']],
  ['missing= gzip sha256sum\n', ['tools {"found":"gzip, sha256sum"}']],
  ['uid=1000\nuser=op\nsudo=OK\n', []],
  [
    'uid=1000\nuser=op\nsudo=sudo: a password is required\n',
    ['root {"user":"op","found":"sudo: a password is required"}'],
  ],
])('%j is named', (lines, unfit) => {
  expect(judge(lines)).toEqual(unfit)
})

test('an older kernel is named with what it lacks', () => {
  expect(judge('kernel=5.10.0-28-amd64\n')[0]).toContain('5.12')
  expect(judge('kernel=6.0.0\n')).toHaveLength(1)
  expect(judge('kernel=6.18.5+\n')).toEqual([])
})

test('an answer that is not the report is not taken for one', () => {
  expect(parseHostReport('')).toBe(null)
  expect(parseHostReport('Welcome!\nThis account is not available.\n')).toBe(null)
})

test('a greeting of the login shell does not spoil the report', () => {
  expect(parseHostReport(`Welcome = to lb1\n${fit}`)?.system).toBe('Linux')
})

test.each(['dash', 'bash'])('the script runs in %s', (shell) => {
  const argv = ['-s', '--', '/opt/nowhere', '/opt/nowhere/current', '/run/no.sock', '/run/v.sock']
  const text = execFileSync(shell, argv, {
    input: hostReportScript,
    encoding: 'utf8',
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const report = parseHostReport(text)
  expect(report).toMatchObject({
    system: 'Linux',
    architecture: 'x86_64',
    libc: { kind: 'glibc' },
    missingTools: [],
    agent: { installedVersion: null, hasSocket: false, mayOpenSocket: false },
  })
  expect(report?.target.freeKb).toBeGreaterThan(0)
  expect(report?.target.options.length).toBeGreaterThan(0)
})

test('versions are compared by number, pre-releases before their release', () => {
  expect(compareVersions('0.10.0', '0.9.3')).toBeGreaterThan(0)
  expect(compareVersions('1.2.0', '1.2.0')).toBe(0)
  expect(compareVersions('1.2.0-rc.1', '1.2.0')).toBeLessThan(0)
  expect(isOlder('6.1', '6.1')).toBe(false)
})
