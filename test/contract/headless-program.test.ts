import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { confStore } from '../../main/shell/conf-store.ts'
import { openLogFile } from '../../main/shell/log-file.ts'

const entry = path.resolve(import.meta.dirname, '../../main/headless.ts')
let dir: string
const children: ChildProcess[] = []

beforeEach(async () => {
  dir = await mkdtemp(path.join(os.tmpdir(), 'signalbox-program-'))
})
afterEach(async () => {
  for (const child of children.splice(0))
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL')
  await rm(dir, { recursive: true, force: true })
})

function run(...args: string[]) {
  const child = spawn(process.execPath, [entry, '--data-dir', path.join(dir, 'data'), ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, HOME: dir, NODE_NO_WARNINGS: '1' },
  })
  children.push(child)
  let stderr = ''
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk.toString()
  })
  const ended = new Promise<{ code: number | null; signal: string | null; stderr: string }>((resolve) => {
    child.on('close', (code, signal) => resolve({ code, signal, stderr }))
  })
  return { child, ended, lines: createInterface(child.stdout) }
}

test.each(['SIGTERM', 'SIGINT', 'SIGHUP'] as const)(
  '%s ends it cleanly, once, with nothing left behind',
  async (signal) => {
    const { child, ended, lines } = run('--no-open', '--json')
    const first = await Promise.race([once(lines, 'line'), ended])
    if (!Array.isArray(first)) throw new Error(first.stderr)
    expect(JSON.parse(first[0] as string)).toMatchObject({ event: 'ready', pid: child.pid })
    child.kill(signal)
    expect(await ended).toEqual({ code: 0, signal: null, stderr: '' })
    expect(await readdir(path.join(dir, 'data'))).not.toContain('control.sock')
  },
)

test.each([
  [['--port', '70000'], 'found "70000", expected a whole number from 0 to 65535'],
  [['--prot', '1'], "unknown option '--prot'"],
])('%j is refused with what was found and expected', async (args, message) => {
  const { ended } = run(...args)
  const { code, stderr } = await ended
  expect(code).not.toBe(0)
  expect(stderr).toContain(message)
})

test('documents outlive the store, are their owner’s alone, and an unreadable one is set aside', async () => {
  const store = confStore(dir)
  expect(await store.read('directors')).toBeUndefined()
  await store.write('directors', [{ id: 'a' }])
  expect(await confStore(dir).read('directors')).toEqual([{ id: 'a' }])
  const file = path.join(dir, 'directors.json')
  expect((await stat(file)).mode & 0o777).toBe(0o600)
  await writeFile(file, '{"document": [')
  const broken = confStore(dir)
  await expect(broken.read('directors')).rejects.toThrow(/JSON/)
  const aside = await broken.setAside('directors')
  expect(await readFile(aside, 'utf8')).toBe('{"document": [')
  expect(await broken.read('directors')).toBeUndefined()
  await broken.write('directors', [])
  expect(await confStore(dir).read('directors')).toEqual([])
})

test('the log is its owner’s alone, hides secrets and starts anew before it grows too large', async () => {
  const file = path.join(dir, 'console.log')
  const log = openLogFile(file)
  log('launched with token=abc')
  const text = await readFile(file, 'utf8')
  expect(text).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+Z launched with token=\[redacted\]\n$/)
  expect((await stat(file)).mode & 0o777).toBe(0o600)
  for (let i = 0; i < 30; i++) log('x'.repeat(100_000))
  expect((await stat(file)).size).toBeLessThan(2 * 1024 * 1024)
  expect(await readFile(`${file}.1`, 'utf8')).toContain('launched with')
})
