import { execFileSync, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtemp, mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import net from 'node:net'
import os from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Answer } from '../../core/contract/session.ts'
import type { SshTarget } from '../../core/model/ssh.ts'
import type { NewQuestion, SshConnection, SshDialog } from '../../main/console/ports.ts'
import { createSshPort } from '../../main/console/ssh/port.ts'
import { type SshServer, type SshServerOptions, newKey, startSshServer } from '../fakes/ssh-server.ts'

let home: string
let servers: SshServer[]
let connections: SshConnection[]
beforeEach(async () => {
  home = await mkdtemp(path.join(os.tmpdir(), 'console-ssh-'))
  await mkdir(path.join(home, '.ssh'))
  servers = []
  connections = []
})
afterEach(async () => {
  for (const connection of connections) connection.close()
  for (const server of servers) await server.close()
  await rm(home, { recursive: true })
})

async function server(options: SshServerOptions = { password: 'pw' }): Promise<SshServer> {
  const started = await startSshServer(options)
  servers.push(started)
  return started
}

const dataDir = () => path.join(home, 'data')
const port = (agentSocket: string | null = null) =>
  createSshPort({ home, dataDir: dataDir(), agentSocket, knownHosts: [path.join(home, '.ssh', 'known_hosts')] })
const at = (s: SshServer, more: Partial<SshTarget> = {}): SshTarget => ({
  host: '127.0.0.1',
  port: s.port,
  user: 'op',
  ...more,
})
const accept: Answer = { kind: 'accept' }
const secrets = (...given: string[]): Answer => ({ kind: 'secrets', secrets: given, remember: false })

/** An operator who answers as told and remembers what was asked and shown. */
function operator(answer: (question: NewQuestion) => Answer | Promise<Answer>) {
  const asked: NewQuestion[] = []
  const steps: string[] = []
  const log: string[] = []
  const dialog: SshDialog = {
    step: (id, state, detail) => steps.push(`${id} ${state}${detail === undefined ? '' : ` ${detail}`}`),
    async ask(question) {
      asked.push(question)
      return answer(question)
    },
    log: (line) => log.push(line),
  }
  return { dialog, asked, steps, log }
}
const willing = (...given: string[]) => operator((q) => (q.kind === 'hostKey' ? accept : secrets(...given)))

async function connect(target: SshTarget, who: { dialog: SshDialog }, agentSocket: string | null = null) {
  const connection = await port(agentSocket).connect(target, who.dialog, new AbortController().signal)
  connections.push(connection)
  return connection
}

test('an unknown key is shown with its fingerprint, pinned when accepted, and not asked for again', async () => {
  const s = await server()
  const first = willing('pw')
  await connect(at(s), first)
  expect(first.asked[0]).toEqual({
    kind: 'hostKey',
    host: '127.0.0.1',
    port: s.port,
    keyType: 'ssh-ed25519',
    fingerprint: s.fingerprint,
  })
  expect(await readFile(path.join(dataDir(), 'known_hosts'), 'utf8')).toBe(s.knownHost)
  expect(first.steps).toContain('hostKey done pinned')

  const second = willing('pw')
  await connect(at(s), second)
  expect(second.asked.map(({ kind }) => kind)).toEqual(['password'])
  expect(second.steps).toContain('hostKey done known')
})

test('a rejected key ends the login and is not pinned', async () => {
  const s = await server()
  await expect(
    connect(
      at(s),
      operator(() => ({ kind: 'reject' })),
    ),
  ).rejects.toMatchObject({ code: 'SSH_HOST_KEY_REJECTED' })
  await expect(readFile(path.join(dataDir(), 'known_hosts'))).rejects.toThrow('ENOENT')
  expect(s.logins).toEqual([])
})

test('a changed key stops the login without a question, and the error has both fingerprints', async () => {
  const old = await server()
  await connect(at(old), willing('pw'))
  await old.close()
  servers.pop()
  const impostor = await server({ password: 'pw', port: old.port })
  const who = willing('pw')
  await expect(connect(at(impostor), who)).rejects.toMatchObject({
    code: 'SSH_HOST_KEY_CHANGED',
    details: { presented: `ssh-ed25519 ${impostor.fingerprint}`, pinned: `ssh-ed25519 ${old.fingerprint}` },
  })
  expect(who.asked).toEqual([])
  expect(impostor.logins).toEqual([])
})

test("a key in the operator's known_hosts is known; a revoked one is refused", async () => {
  const s = await server()
  const file = path.join(home, '.ssh', 'known_hosts')
  await writeFile(file, s.knownHost)
  const who = willing('pw')
  await connect(at(s), who)
  expect(who.asked.map(({ kind }) => kind)).toEqual(['password'])
  await writeFile(file, `@revoked * ${s.knownHost.split(' ').slice(1).join(' ')}`)
  await expect(connect(at(s), willing('pw'))).rejects.toMatchObject({
    code: 'SSH_HOST_KEY_CHANGED',
    details: { pinned: '@revoked' },
  })
})

test('a certificate authority is named and never taken for a pinned key', async () => {
  const s = await server()
  await writeFile(
    path.join(home, '.ssh', 'known_hosts'),
    `@cert-authority * ${s.knownHost.split(' ').slice(1).join(' ')}`,
  )
  const who = operator(() => ({ kind: 'reject' }))
  await expect(connect(at(s), who)).rejects.toMatchObject({ code: 'SSH_HOST_KEY_REJECTED' })
  expect(who.steps).toContain('hostKey running certAuthority')
})

test('a key file of the profile logs in without a question', async () => {
  const key = newKey()
  const s = await server({ authorizedKeys: [key.public] })
  await writeFile(path.join(home, 'mine'), key.private, { mode: 0o600 })
  const who = willing()
  await connect(at(s, { keyFile: path.join(home, 'mine') }), who)
  expect(s.logins).toEqual(['publickey'])
  expect(who.asked.map(({ kind }) => kind)).toEqual(['hostKey'])
  expect(who.steps.at(-1)).toBe('auth done keyFile')
})

test('a locked key asks for its passphrase only when the server wants this key, and three wrong ones end it', async () => {
  const wanted = newKey('secret')
  const other = newKey('unrelated')
  await writeFile(path.join(home, '.ssh', 'id_ed25519'), other.private)
  await writeFile(path.join(home, '.ssh', 'id_rsa'), wanted.private)
  const s = await server({ authorizedKeys: [wanted.public] })
  const tries = ['no', 'secret']
  const who = operator((q) => (q.kind === 'hostKey' ? accept : secrets(tries.shift() ?? '')))
  await connect(at(s), who)
  const file = path.join(home, '.ssh', 'id_rsa')
  expect(who.asked.slice(1)).toEqual([
    { kind: 'passphrase', keyFile: file, wasWrong: false },
    { kind: 'passphrase', keyFile: file, wasWrong: true },
  ])
  await expect(connect(at(s), willing('wrong'))).rejects.toMatchObject({ code: 'SSH_PASSPHRASE' })
})

test('keys of the SSH agent come first, and a key that the profile names is taken from it without its passphrase', async () => {
  const locked = newKey('secret')
  const other = newKey()
  const socket = path.join(home, 'agent.sock')
  const agent = spawn('ssh-agent', ['-D', '-a', socket], { stdio: 'ignore' })
  try {
    await expect.poll(() => existsSync(socket)).toBe(true)
    const env = { ...process.env, SSH_AUTH_SOCK: socket }
    for (const [name, key] of [
      ['other', other.private],
      ['mine', newKey().private],
    ] as const) {
      await writeFile(path.join(home, name), key, { mode: 0o600 })
      execFileSync('ssh-add', ['-q', path.join(home, name)], { env, stdio: 'ignore' })
    }
    const s = await server({ authorizedKeys: [other.public, locked.public] })
    const byAgent = willing()
    await connect(at(s), byAgent, socket)
    expect(byAgent.steps.at(-1)).toBe('auth done agent')

    const named = willing()
    await connect(at(s, { keyFile: path.join(home, 'other') }), named, socket)
    expect(named.steps.at(-1)).toBe('auth done agent')
    expect(named.asked).toEqual([])

    // A key that is not in the agent is not replaced by one that is.
    await writeFile(path.join(home, 'locked'), locked.private, { mode: 0o600 })
    const file = willing('secret')
    await connect(at(s, { keyFile: path.join(home, 'locked') }), file, socket)
    expect(file.asked.map(({ kind }) => kind)).toEqual(['passphrase'])
    expect(file.steps.at(-1)).toBe('auth done keyFile')
  } finally {
    agent.kill()
  }
})

test('an SSH agent that is gone is no obstacle', async () => {
  const s = await server()
  const who = willing('pw')
  await connect(at(s), who, path.join(home, 'no-agent.sock'))
  expect(who.log.join()).toContain('The SSH agent did not answer')
})

test('a missing key file is named', async () => {
  const s = await server()
  await expect(connect(at(s, { keyFile: '/nonexistent/key' }), willing('pw'))).rejects.toMatchObject({
    code: 'SSH_AUTH',
    message: 'The key file /nonexistent/key does not exist.',
  })
})

test('a wrong password is asked for again, three times at most', async () => {
  const s = await server()
  const tries = ['bad', 'pw']
  const who = operator((q) => (q.kind === 'hostKey' ? accept : secrets(tries.shift() ?? '')))
  await connect(at(s), who)
  expect(who.asked.slice(1)).toEqual([
    { kind: 'password', user: 'op', host: '127.0.0.1', wasWrong: false },
    { kind: 'password', user: 'op', host: '127.0.0.1', wasWrong: true },
  ])
  const stubborn = willing('bad')
  await expect(connect(at(s), stubborn)).rejects.toMatchObject({ code: 'SSH_AUTH' })
  expect(stubborn.asked).toHaveLength(3)
})

test('keyboard-interactive passes all prompts on in their order', async () => {
  const s = await server({
    prompts: [
      { prompt: 'Password: ', echo: false, answer: 'pw' },
      { prompt: 'Code: ', echo: true, answer: '123456' },
    ],
  })
  const who = willing('pw', '123456')
  await connect(at(s), who)
  expect(who.asked[1]).toEqual({
    kind: 'keyboard',
    host: '127.0.0.1',
    instructions: 'Give both.',
    prompts: [
      { prompt: 'Password: ', echo: false },
      { prompt: 'Code: ', echo: true },
    ],
  })
})

test('a second factor after the key is asked for', async () => {
  const key = newKey()
  await writeFile(path.join(home, '.ssh', 'id_ed25519'), key.private)
  const s = await server({
    authorizedKeys: [key.public],
    prompts: [{ prompt: 'Code: ', echo: true, answer: '123456' }],
    allOf: ['publickey', 'keyboard-interactive'],
  })
  await connect(at(s), willing('123456'))
  expect(s.logins).toEqual(['publickey+keyboard-interactive'])
})

test('a server that closes while a question is open is logged in to again with the answer', async () => {
  const s = await server({ password: 'pw', graceMs: 300 })
  const who = operator(async (q) => {
    if (q.kind !== 'hostKey') return secrets('pw')
    // Longer than the server waits: it has closed the connection by now.
    await new Promise((resolve) => setTimeout(resolve, 600))
    return accept
  })
  await connect(at(s), who)
  expect(who.asked.map(({ kind }) => kind)).toEqual(['hostKey', 'password'])
})

test('a jump host is logged in to and verified as well', async () => {
  const jump = await server({ password: 'pw' })
  const s = await server({ password: 'pw' })
  const who = willing('pw')
  const connection = await connect(at(s, { jump: at(jump) }), who)
  expect(who.asked.map((q) => (q.kind === 'hostKey' ? q.port : q.kind))).toEqual([
    jump.port,
    'password',
    s.port,
    'password',
  ])
  expect((await connection.exec(['echo', 'through'])).stdout).toBe('through\n')

  const rejecting = operator((q) => (q.kind === 'hostKey' ? { kind: 'reject' } : secrets('pw')))
  await rm(path.join(dataDir(), 'known_hosts'))
  await expect(connect(at(s, { jump: at(jump) }), rejecting)).rejects.toMatchObject({ code: 'SSH_HOST_KEY_REJECTED' })
})

test('a jump host that cannot reach the target says so', async () => {
  const jump = await server({ password: 'pw' })
  const target: SshTarget = { host: '127.0.0.1', port: 1, user: 'op', jump: at(jump) }
  await expect(connect(target, willing('pw'))).rejects.toMatchObject({ code: 'SSH_JUMP' })
  await expect(
    connect({ ...target, jump: { host: '127.0.0.1', port: 1, user: 'op' } }, willing('pw')),
  ).rejects.toMatchObject({ code: 'SSH_JUMP', details: { cause: 'SSH_UNREACHABLE', errno: 'ECONNREFUSED' } })
})

test('an alias of ~/.ssh/config is followed, includes and all', async () => {
  const key = newKey()
  const s = await server({ authorizedKeys: [key.public] })
  await mkdir(path.join(home, '.ssh', 'conf.d'))
  await writeFile(path.join(home, '.ssh', 'config'), 'Include conf.d/*\nHost *\n  User someone\n')
  await writeFile(
    path.join(home, '.ssh', 'conf.d', 'lab'),
    `Host lb1 *.example !no\n  HostName 127.0.0.1\n  Port ${s.port}\n  IdentityFile ~/lab_key\n`,
  )
  await writeFile(path.join(home, 'lab_key'), key.private)
  expect(await port().configuredHosts()).toEqual([
    { alias: 'lb1', target: { host: 'lb1', user: 'someone', port: s.port, keyFile: path.join(home, 'lab_key') } },
  ])
  const who = willing()
  const connection = await connect({ host: 'lb1', port: 22, user: 'op' }, who)
  expect(who.steps).toContain('resolve done aliasResolved')
  expect(connection.target).toEqual({ host: '127.0.0.1', port: s.port, user: 'op' })
})

test('an IPv6 host is reached', async () => {
  const s = await server({ password: 'pw', listenOn: '::1' })
  const who = willing('pw')
  await connect({ ...at(s), host: '::1' }, who)
  expect(who.asked[0]).toMatchObject({ kind: 'hostKey', host: '::1' })
  expect(await readFile(path.join(dataDir(), 'known_hosts'), 'utf8')).toBe(s.knownHost)
})

test('a closed port and an unknown name are told apart', async () => {
  const refused = connect({ host: '127.0.0.1', port: 1, user: 'op' }, willing())
  await expect(refused).rejects.toMatchObject({ code: 'SSH_UNREACHABLE', details: { errno: 'ECONNREFUSED' } })
  const unknown = connect({ host: 'no-such-host.invalid', port: 22, user: 'op' }, willing())
  await expect(unknown).rejects.toMatchObject({ code: 'SSH_UNREACHABLE', details: { host: 'no-such-host.invalid' } })
})

test('a port that speaks no SSH is named as such, and calling off ends a hanging login', async () => {
  const silent = net.createServer((socket) => socket.on('error', () => {}))
  const http = net.createServer((socket) => socket.on('error', () => {}).end('HTTP/1.1 400 Bad Request\r\n\r\n'))
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve))
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve))
  const portOf = (s: net.Server) => (s.address() as net.AddressInfo).port
  try {
    const target = { host: '127.0.0.1', port: portOf(http), user: 'op' }
    await expect(connect(target, willing())).rejects.toMatchObject({ code: 'SSH_UNREACHABLE' })
    const controller = new AbortController()
    const hanging = port().connect({ ...target, port: portOf(silent) }, willing().dialog, controller.signal)
    setTimeout(() => controller.abort(), 50)
    await expect(hanging).rejects.toMatchObject({ code: 'CANCELLED' })
  } finally {
    silent.close()
    http.close()
  }
})

test('words reach the command unchanged, with input, exit status and both outputs', async () => {
  const connection = await connect(at(await server()), willing('pw'))
  const hostile = ['$(id)', "it's", '`x`', 'a b', '', '*', '\\', '\n', '-n', 'ü']
  const printed = await connection.exec(['printf', '[%s]', ...hostile])
  expect(printed).toEqual({ code: 0, signal: null, stdout: hostile.map((w) => `[${w}]`).join(''), stderr: '' })
  const failed = await connection.exec(['sh', '-c', 'cat; echo oops >&2; exit 3'], { stdin: 'from here' })
  expect(failed).toEqual({ code: 3, signal: null, stdout: 'from here', stderr: 'oops\n' })
})

test('output over the limit, and a command that does not end, are errors', async () => {
  const connection = await connect(at(await server()), willing('pw'))
  await expect(connection.exec(['yes'], { maxBytes: 1000 })).rejects.toMatchObject({ code: 'TOO_LARGE' })
  await expect(connection.exec(['sleep', '60'], { timeoutMs: 100 })).rejects.toMatchObject({ code: 'TIMEOUT' })
  const lines: string[] = []
  await connection.exec(['printf', 'a\\nb\\nc'], { onLine: (line) => lines.push(line) })
  expect(lines).toEqual(['a', 'b', 'c'])
})

test('a UNIX socket is reached; a forbidden or missing one is refused', async () => {
  const echo = net.createServer((socket) => socket.pipe(socket))
  const file = path.join(home, 'socket')
  await new Promise<void>((resolve) => echo.listen(file, resolve))
  try {
    const connection = await connect(at(await server()), willing('pw'))
    const stream = await connection.openUnixSocket(file)
    const answer = new Promise((resolve) => stream.once('data', (data) => resolve(String(data))))
    stream.write('hello')
    expect(await answer).toBe('hello')
    stream.destroy()
    await expect(connection.openUnixSocket('/nonexistent')).rejects.toMatchObject({ code: 'REFUSED' })
    const closed = await connect(at(await server({ password: 'pw', allowStreamLocal: false })), willing('pw'))
    await expect(closed.openUnixSocket(file)).rejects.toMatchObject({ code: 'REFUSED' })
  } finally {
    echo.close()
  }
})

test('a cut connection is reported once and ends what runs on it', async () => {
  const s = await server()
  const connection = await connect(at(s), willing('pw'))
  const closed = new Promise((resolve) => connection.onClose(resolve))
  const running = connection.exec(['sleep', '60'])
  const outcome = expect(running).rejects.toMatchObject({ code: 'CLOSED' })
  s.cut()
  expect(await closed).toBeInstanceOf(Error)
  await outcome
  await expect(connection.exec(['true'])).rejects.toMatchObject({ code: 'CLOSED' })
})
