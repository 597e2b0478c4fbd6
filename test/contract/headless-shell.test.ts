import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { link, mkdir, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises'
import net from 'node:net'
import os from 'node:os'
import path from 'node:path'
import { PassThrough } from 'node:stream'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { newLinkCommand, parseBrowserArguments } from '../../main/shell/browser-command.ts'
import { type BrowserShellParts, runBrowserShell } from '../../main/shell/browser-shell.ts'
import { askInstance, claimDataDir } from '../../main/shell/instance-socket.ts'
import { consoleHandlers } from '../fakes/console-handlers.ts'

let dir: string
const ends: (() => Promise<unknown>)[] = []

beforeEach(async () => {
  dir = await mkdtemp(path.join(os.tmpdir(), 'signalbox-instance-'))
  await mkdir(path.join(dir, 'page'))
  await writeFile(path.join(dir, 'page/index.html'), '<p>the console</p>')
})
afterEach(async () => {
  for (const end of ends.splice(0)) await end()
  await rm(dir, { recursive: true, force: true })
})

const dataDir = () => path.join(dir, 'data')
const answerOf = (pid: number) => () => ({ shell: 'browser', pid, url: `http://127.0.0.1/${pid}` }) as const

async function claimed(pid: number) {
  const claim = await claimDataDir(dataDir(), answerOf(pid))
  if (claim.kind === 'claimed') ends.push(() => claim.socket.close())
  return claim
}

/** The shell with a terminal that remembers what it was told. */
function shellParts(more: Partial<BrowserShellParts> = {}) {
  const printed: string[] = []
  const core = { closed: 0 }
  const stdin = Object.assign(new PassThrough(), { isTTY: true })
  const parts: BrowserShellParts = {
    version: '1.2.3',
    rendererDir: path.join(dir, 'page'),
    program: ['/opt/node', '/opt/it is here/headless.mjs'],
    log: () => {},
    createConsole: () => ({ handlers: consoleHandlers({}), close: async () => void core.closed++ }),
    stdin,
    print: (line) => printed.push(line),
    ...more,
  }
  return { parts, printed, core, stdin }
}
const argsOf = (...argv: string[]) =>
  parseBrowserArguments(['--no-open', '--data-dir', dataDir(), ...argv], '1.2.3', {})

async function startShell(...argv: string[]) {
  const made = shellParts()
  const shell = await runBrowserShell(argsOf(...argv), made.parts)
  const stop = shell.stop
  if (stop !== null) ends.push(stop)
  return { ...made, shell }
}
const statusOf = async (url: string) => (await fetch(url, { redirect: 'manual' })).status

test('one console at a time has a data directory, and the next one learns which', async () => {
  expect((await claimed(1)).kind).toBe('claimed')
  expect(await claimed(2)).toEqual({ kind: 'running', answer: { shell: 'browser', pid: 1, url: 'http://127.0.0.1/1' } })
})

test('of ten that start at once, one gets it', async () => {
  const claims = await Promise.all(Array.from({ length: 10 }, (_, pid) => claimed(pid)))
  expect(claims.filter(({ kind }) => kind === 'claimed')).toHaveLength(1)
  expect(await readdir(dataDir())).toEqual(['control.sock'])
})

test('the data directory and the control socket are their owner’s alone', async () => {
  await claimed(1)
  expect((await stat(dataDir())).mode & 0o777).toBe(0o700)
  expect((await stat(path.join(dataDir(), 'control.sock'))).mode & 0o777).toBe(0o600)
})

test('the socket of a console that was killed is taken over', async () => {
  await mkdir(dataDir())
  const file = path.join(dataDir(), 'dying.sock')
  const script = `require('node:net').createServer().listen(${JSON.stringify(file)}, () => console.log('up'))`
  const child = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] })
  await once(child.stdout, 'data')
  await link(file, path.join(dataDir(), 'control.sock'))
  child.kill('SIGKILL')
  await once(child, 'exit')
  expect((await claimed(3)).kind).toBe('claimed')
  expect(await askInstance(dataDir(), 'status')).toMatchObject({ pid: 3 })
})

test('what is no console in that place is an error, not an endless wait', async () => {
  await mkdir(dataDir())
  const server = net.createServer((socket) => socket.resume().end('not JSON'))
  server.listen(path.join(dataDir(), 'control.sock'))
  ends.push(() => new Promise((resolve) => server.close(resolve)))
  await once(server, 'listening')
  await expect(claimed(4)).rejects.toThrow('gave an answer that cannot be read')
})

test('a data directory with too long a path is named with what was found and expected', async () => {
  const long = path.join(dir, 'x'.repeat(120))
  await expect(claimDataDir(long, answerOf(1))).rejects.toThrow(
    /data directory: found a path of \d+ bytes .*expected at most/,
  )
})

test('requests that are none are not answered', async () => {
  await claimed(1)
  const socket = net.connect(path.join(dataDir(), 'control.sock'))
  let received = ''
  socket.on('data', (chunk) => {
    received += String(chunk)
  })
  socket.write('x'.repeat(1000))
  await once(socket, 'close')
  expect(received).toBe('')
})

test('the shell prints a link that works once, where it listens and how to stop it', async () => {
  const { printed } = await startShell()
  const text = printed.join('\n')
  const url = /http:\/\/127\.0\.0\.1:\d+\/launch\?token=[\w-]+/.exec(text)?.[0] ?? ''
  expect(await statusOf(url)).toBe(303)
  expect(await statusOf(url)).toBe(403)
  expect(text).toContain(`Its data are in ${dataDir()}`)
  expect(text).toContain(`'/opt/it is here/headless.mjs' --print-link --data-dir ${dataDir()}`)
})

test('for a script it prints one line of JSON', async () => {
  const { printed } = await startShell('--json')
  expect(printed).toHaveLength(1)
  const event = JSON.parse(printed[0] ?? '') as { url: string; token: string; port: number }
  expect(event).toMatchObject({ event: 'ready', pid: process.pid, dataDir: dataDir() })
  expect(event.url).toBe(`http://127.0.0.1:${event.port}/launch?token=${event.token}`)
})

test('Enter in its terminal prints another link, and so does --print-link elsewhere', async () => {
  const { printed, stdin } = await startShell()
  const before = printed.length
  stdin.write('\n')
  await expect.poll(() => printed.length).toBe(before + 1)
  expect(await statusOf(printed.at(-1) ?? '')).toBe(303)
  const other = await startShell('--print-link')
  expect(other.shell).toEqual({ exitCode: 0, stop: null })
  expect(await statusOf(other.printed[0] ?? '')).toBe(303)
})

test('--print-link where no console runs says so and fails', async () => {
  const { shell, printed } = await startShell('--print-link')
  expect(shell).toEqual({ exitCode: 1, stop: null })
  expect(printed).toEqual([`No console runs with the data directory ${dataDir()}.`])
})

test('a second start with the same data offers the running console', async () => {
  await startShell()
  const second = await startShell()
  expect(second.shell).toEqual({ exitCode: 0, stop: null })
  const url = /http\S+/.exec(second.printed[0] ?? '')?.[0] ?? ''
  expect(second.printed[0]).toContain('runs already')
  expect(await statusOf(url)).toBe(303)
})

test('a start that fails gives the data directory back', async () => {
  const { parts, core } = shellParts({ rendererDir: path.join(dir, 'not built') })
  await expect(runBrowserShell(argsOf(), parts)).rejects.toThrow('build the page first')
  expect(core.closed).toBe(1)
  expect((await claimed(9)).kind).toBe('claimed')
})

test('a port that is taken is an error that names it', async () => {
  const server = net.createServer().listen(0, '127.0.0.1')
  ends.push(() => new Promise((resolve) => server.close(resolve)))
  await once(server, 'listening')
  const { port } = server.address() as net.AddressInfo
  await expect(startShell('--port', String(port))).rejects.toThrow(
    `EADDRINUSE: address already in use 127.0.0.1:${port}`,
  )
})

test('stopping closes the core and leaves no socket behind', async () => {
  const { shell, core } = await startShell()
  await shell.stop?.()
  ends.length = 0
  expect(core.closed).toBe(1)
  expect(await readdir(dataDir())).toEqual([])
})

test('the command for a new link leaves the data directory out where it is the usual one', () => {
  const env = { XDG_CONFIG_HOME: '/home/op/.config' }
  const { dataDir: usual } = parseBrowserArguments([], '1', env)
  expect(usual).toBe('/home/op/.config/signalbox')
  expect(newLinkCommand(usual, ['node', 'x.mjs'], env)).toBe('node x.mjs --print-link')
  expect(newLinkCommand('/a b', ['node', 'x.mjs'], env)).toBe("node x.mjs --print-link --data-dir '/a b'")
})
