import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { hashInputs } from '../../../scripts/build/step.mjs'
import { completePackages, platformOf } from '../../../scripts/complete-lockfile.mjs'
import { decide, missingNeeds } from '../../../scripts/setup/debian-packages.mjs'
import { withLock } from '../../../scripts/setup/lock.mjs'
import { lockfileHash, reasonToInstall } from '../../../scripts/setup/npm-packages.mjs'
import { exitCodeOf, run } from '../../../scripts/setup/run.mjs'

let dir: string
beforeEach(() => {
  dir = fs.mkdtempSync(path.join(os.tmpdir(), 'signalbox-setup-'))
})
afterEach(() => fs.rmSync(dir, { recursive: true, force: true }))
const write = (name: string, text: string) => {
  fs.mkdirSync(path.dirname(path.join(dir, name)), { recursive: true })
  fs.writeFileSync(path.join(dir, name), text)
}

const noClang = missingNeeds('demo', (probe) => !('program' in probe && probe.program === 'clang'))
const debianRoot = { isDebian: true, isRoot: true, hasTerminal: false, isAgreed: false }

test('a package is missing when one of its files is', () => {
  expect(noClang.map((need) => need.name)).toEqual(['clang'])
  expect(missingNeeds('demo', () => true)).toEqual([])
})

test('the demo needs no Chromium, the tests do', () => {
  const names = (purpose: 'demo' | 'guest' | 'test') => missingNeeds(purpose, () => false).map((need) => need.name)
  expect(names('demo')).not.toContain('chromium')
  expect(names('test')).toContain('chromium')
})

test('the demo on a guest needs what the demo needs, and QEMU on top', () => {
  const names = (purpose: 'demo' | 'guest' | 'test') => missingNeeds(purpose, () => false).map((need) => need.name)
  expect(names('guest')).toEqual(expect.arrayContaining(names('demo')))
  expect(names('demo')).not.toContain('qemu-system-x86')
  for (const purpose of ['guest', 'test'] as const) expect(names(purpose)).toContain('qemu-system-x86')
})

test('nothing is installed when nothing is missing', () => {
  expect(decide([], { ...debianRoot, isAgreed: true })).toEqual({ act: 'nothing' })
})

test('a terminal is asked, agreement is not asked again, and without either it is refused with the command', () => {
  expect(decide(noClang, { ...debianRoot, hasTerminal: true })).toEqual({ act: 'ask' })
  expect(decide(noClang, { ...debianRoot, hasTerminal: true, isAgreed: true })).toEqual({ act: 'install' })
  expect(decide(noClang, debianRoot)).toMatchObject({
    act: 'refuse',
    because: expect.stringContaining('--yes') as string,
  })
})

test('without root or apt-get it is refused in one sentence that names the packages, agreed or not', () => {
  for (const machine of [{ isRoot: false }, { isDebian: false }]) {
    const decision = decide(noClang, { ...debianRoot, isAgreed: true, hasTerminal: true, ...machine })
    expect(decision).toMatchObject({ act: 'refuse', because: expect.stringContaining('clang') as string })
  }
})

test('npm packages are installed when they are missing and when the lockfile changed', () => {
  write('package-lock.json', '{}')
  expect(reasonToInstall(dir)).toContain('missing')
  write('node_modules/.package-lock.json', '{}')
  expect(reasonToInstall(dir)).toContain('not made')
  write('node_modules/.signalbox-lock-hash', lockfileHash(dir))
  expect(reasonToInstall(dir)).toBeUndefined()
  write('package-lock.json', '{"changed":true}')
  expect(reasonToInstall(dir)).toContain('changed')
})

test('a build step sees changed, added and renamed inputs', () => {
  const hash = () => hashInputs(['src'], 'compiler 1', dir)
  write('src/a.c', 'int a;')
  const first = hash()
  expect(hash()).toBe(first)
  write('src/a.c', 'int b;')
  const changed = hash()
  fs.renameSync(path.join(dir, 'src/a.c'), path.join(dir, 'src/b.c'))
  const renamed = hash()
  write('src/lb.h', '')
  expect(new Set([first, changed, renamed, hash(), hashInputs(['src'], 'compiler 2', dir)]).size).toBe(5)
})

test('work under one lock never overlaps', async () => {
  let inside = 0
  let most = 0
  const work = () =>
    withLock(
      'build',
      async () => {
        inside += 1
        most = Math.max(most, inside)
        await new Promise((resolve) => setImmediate(resolve))
        inside -= 1
      },
      dir,
    )
  await Promise.all([work(), work(), work()])
  expect(most).toBe(1)
  expect(fs.readdirSync(dir)).toEqual([])
})

test('the lock of a dead process is taken over', async () => {
  // Larger than any pid of Linux (PID_MAX_LIMIT is 2^22).
  write('build.lock', '999999999')
  expect(await withLock('build', () => Promise.resolve('done'), dir)).toBe('done')
})

test('a program ends with its exit code, or with 128 and the number of its signal', async () => {
  expect(await run(process.execPath, ['-e', 'process.exit(7)'], { diesWithUs: true })).toBe(7)
  expect(await run(process.execPath, ['-e', 'process.kill(process.pid, "SIGTERM"); setInterval(() => {}, 1000)'])).toBe(
    143,
  )
  expect(exitCodeOf(null, 'SIGINT')).toBe(130)
})

test('what a program leaves running in its own group ends with it', async () => {
  const pidFile = path.join(dir, 'pid')
  const program = `
    const child = require('node:child_process').spawn('sleep', ['300'], { stdio: 'ignore' })
    require('node:fs').writeFileSync(${JSON.stringify(pidFile)}, String(child.pid))
    process.exit(0)`
  expect(await run(process.execPath, ['-e', program], { ownGroup: true })).toBe(0)
  const pid = Number(fs.readFileSync(pidFile, 'utf8'))
  const state = () => {
    try {
      return /^State:\s*(\S)/m.exec(fs.readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
    } catch {
      return undefined
    }
  }
  await expect.poll(state, { timeout: 5000 }).toSatisfy((value: unknown) => value === undefined || value === 'Z')
})

test('the lockfile gets the platform packages that the registry left out, each for its platform only', () => {
  const { packages, added, unpinned } = completePackages({
    '': {},
    'node_modules/tool': {
      version: '1.0.0',
      dev: true,
      optionalDependencies: { '@tool/linux-x64-musl': '1.0.0', '@tool/darwin-arm64': '1.0.0', '@tool/loose': '^1' },
    },
    'node_modules/@tool/darwin-arm64': { version: '1.0.0', os: ['darwin'] },
  })
  expect(added).toEqual(['@tool/linux-x64-musl@1.0.0'])
  expect(unpinned).toEqual(['@tool/loose@^1 of node_modules/tool'])
  expect(packages['node_modules/@tool/linux-x64-musl']).toEqual({
    version: '1.0.0',
    os: ['linux'],
    cpu: ['x64'],
    libc: ['musl'],
    optional: true,
    dev: true,
  })
  expect(platformOf('@tool/wasm')).toEqual({ os: ['none'] })
})
