import { mkdtemp, mkdir, rm, writeFile } from 'node:fs/promises'
import http from 'node:http'
import net from 'node:net'
import os from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import WebSocket from 'ws'
import { consoleContract } from '../../core/contract/console.ts'
import { createClient } from '../../core/rpc/client.ts'
import { maxFrameBytes } from '../../core/rpc/framing.ts'
import { type Headless, startHeadless } from '../../main/shell/loopback-server.ts'
import { systemClock } from '../../main/shell/system-clock.ts'
import { webSocketWire } from '../../main/shell/web-socket-wire.ts'
import { consoleHandlers } from '../fakes/console-handlers.ts'

let dir: string
let shell: Headless
let lines: string[]
const opened: { close(): unknown }[] = []
const newLinkCommand = "signalbox --print-link --data-dir '/tmp/a <b>'"

beforeEach(async () => {
  dir = await mkdtemp(path.join(os.tmpdir(), 'signalbox-shell-'))
  await mkdir(path.join(dir, 'page/assets'), { recursive: true })
  await writeFile(
    path.join(dir, 'page/index.html'),
    '<meta name="csp-nonce" content="__CSP_NONCE__"><p>the console</p>',
  )
  await writeFile(path.join(dir, 'page/assets/main-Abc_12-9.js'), 'page()')
  await writeFile(path.join(dir, 'secret.txt'), 'not for the page')
  lines = []
  shell = await start()
})
afterEach(async () => {
  for (const one of opened.splice(0)) await one.close()
  await rm(dir, { recursive: true, force: true })
})

async function start(): Promise<Headless> {
  const started = await startHeadless({
    console: { handlers: consoleHandlers({ 'ssh.hosts': () => [] }) },
    rendererDir: path.join(dir, 'page'),
    newLinkCommand,
    log: (line) => lines.push(line),
  })
  opened.push(started)
  return started
}

interface Answer {
  readonly status: number
  readonly headers: http.IncomingHttpHeaders
  readonly body: string
}

/** A request exactly as given: no client library tidies the path or adds headers. */
function request(pathname: string, headers: Record<string, string> = {}, method = 'GET', port = shell.port) {
  return new Promise<Answer>((resolve, reject) => {
    const sent = http.request(
      { host: '127.0.0.1', port, path: pathname, method, headers, agent: false },
      (response) => {
        let body = ''
        response.setEncoding('utf8')
        response.on('data', (chunk: string) => {
          body += chunk
        })
        response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body }))
      },
    )
    sent.on('error', reject)
    sent.end()
  })
}

async function signIn(to: Headless = shell): Promise<string> {
  const url = new URL(to.newLink().url)
  const answer = await request(url.pathname + url.search, {}, 'GET', to.port)
  return answer.headers['set-cookie']?.[0]?.split(';')[0] ?? ''
}

/** `open`, or the status that refused the upgrade. */
function upgrade(headers: Record<string, string>, pathname = '/rpc'): Promise<string> {
  return new Promise((resolve) => {
    const socket = new WebSocket(`ws://127.0.0.1:${shell.port}${pathname}`, { headers })
    socket.on('open', () => {
      socket.close()
      resolve('open')
    })
    socket.on('unexpected-response', (_request, response) => resolve(String(response.statusCode)))
    socket.on('error', (error) => resolve(error.message))
  })
}

function socketOf(cookie: string): Promise<WebSocket> {
  return new Promise((resolve, reject) => {
    const origin = `http://127.0.0.1:${shell.port}`
    const socket = new WebSocket(`ws://127.0.0.1:${shell.port}/rpc`, { headers: { cookie, origin } })
    opened.push({ close: () => socket.terminate() })
    socket.on('open', () => resolve(socket))
    socket.on('error', reject)
  })
}

test('a link opens the console once: the token becomes a cookie that scripts cannot read', async () => {
  const { url, token } = shell.newLink()
  const launch = new URL(url)
  expect(launch.searchParams.get('token')).toBe(token)
  const first = await request(launch.pathname + launch.search)
  expect(first.status).toBe(303)
  expect(first.headers.location).toBe('/')
  const [cookie = ''] = first.headers['set-cookie'] ?? []
  expect(cookie).toMatch(new RegExp(`^signalbox-${shell.instanceId}=[\\w-]{43}; HttpOnly; SameSite=Strict; Path=/$`))
  const page = await request('/', { cookie: cookie.split(';')[0] ?? '' })
  expect(page.status).toBe(200)
  expect(page.body).toContain('the console')
})

test('a used token gets a page that says how to print a new one, in the language of the browser', async () => {
  const launch = new URL(shell.newLink().url)
  await request(launch.pathname + launch.search)
  const again = await request(launch.pathname + launch.search, { 'accept-language': 'de, en;q=0.5' })
  expect(again.status).toBe(403)
  expect(again.headers['set-cookie']).toBeUndefined()
  expect(again.body).toContain('This link was used already')
  expect(again.body).toContain('signalbox --print-link --data-dir &#39;/tmp/a &lt;b&gt;&#39;')
  const chinese = await request(launch.pathname + launch.search, { 'accept-language': 'zh-TW,zh;q=0.9,en;q=0.1' })
  expect(chinese.body).toContain('此链接已被使用')
  expect(chinese.body).toContain('lang="zh-CN"')
})

test.each(['', '?token=', '?token=wrong', '?token[]=x', `?token=${'x'.repeat(5000)}`])(
  'a wrong token %j signs nobody in',
  async (query) => {
    shell.newLink()
    const answer = await request(`/launch${query}`)
    expect(answer.status).toBe(403)
    expect(answer.headers['set-cookie']).toBeUndefined()
  },
)

test('looking at a link with HEAD does not use it up', async () => {
  const launch = new URL(shell.newLink().url)
  expect((await request(launch.pathname + launch.search, {}, 'HEAD')).status).toBe(405)
  expect((await request(launch.pathname + launch.search)).status).toBe(303)
})

test('without the cookie there is no file, only a page with help', async () => {
  for (const pathname of ['/', '/index.html', '/assets/main-Abc_12-9.js', '/secret.txt']) {
    const answer = await request(pathname)
    expect(answer.status).toBe(401)
    expect(answer.body).toContain('--print-link')
    expect(answer.body).not.toContain('the console</p>')
  }
})

test('the cookie of another console on the same machine opens nothing', async () => {
  const other = await start()
  const cookie = await signIn(other)
  expect((await request('/', { cookie }, 'GET', other.port)).status).toBe(200)
  expect((await request('/', { cookie })).status).toBe(401)
  // Both are sent by a browser: cookies know no ports.
  const both = `${cookie}; ${await signIn()}`
  expect((await request('/', { cookie: both })).status).toBe(200)
  // The other's value under our name.
  const renamed = cookie.replace(other.instanceId, shell.instanceId)
  expect((await request('/', { cookie: renamed })).status).toBe(401)
})

test.each(['127.0.0.1:8080', 'localhost:1', '[::1]:65535', 'localhost'])(
  'a forwarded port may change the Host to %s',
  async (host) => {
    const cookie = await signIn()
    expect((await request('/', { host, cookie })).status).toBe(200)
    expect(await upgrade({ host, cookie, origin: `http://${host}` })).toBe('open')
  },
)

test.each([
  'evil.example',
  'evil.example:80',
  '127.0.0.1.evil.example',
  'localhost.evil.example:80',
  '127.0.0.1:80@evil.example',
  '127.0.0.2',
  '0.0.0.0',
  'LOCALHOST:x',
])('a Host of %j (DNS rebinding) is refused, even with the cookie', async (host) => {
  const cookie = await signIn()
  const answer = await request('/', { host, cookie })
  expect(answer.status).toBe(421)
  expect(answer.body).not.toContain('the console</p>')
  expect(await upgrade({ host, cookie, origin: `http://${host}` })).toBe('421')
})

test('a request that changes something needs our own Origin, and there is nothing to change', async () => {
  const cookie = await signIn()
  const host = `127.0.0.1:${shell.port}`
  for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS']) {
    expect((await request('/', { cookie }, method)).status).toBe(403)
    expect((await request('/', { cookie, origin: 'http://evil.example' }, method)).status).toBe(403)
    expect((await request('/', { cookie, origin: `http://${host}` }, method)).status).toBe(405)
  }
})

test('a WebSocket needs cookie, Host, Origin and path, each of them', async () => {
  const cookie = await signIn()
  const origin = `http://127.0.0.1:${shell.port}`
  expect(await upgrade({ cookie, origin })).toBe('open')
  expect(await upgrade({ origin })).toBe('401')
  expect(await upgrade({ cookie: 'signalbox=x', origin })).toBe('401')
  expect(await upgrade({ cookie })).toBe('403')
  expect(await upgrade({ cookie, origin: 'null' })).toBe('403')
  expect(await upgrade({ cookie, origin: 'http://evil.example' })).toBe('403')
  expect(await upgrade({ cookie, origin: `https://127.0.0.1:${shell.port}` })).toBe('403')
  // Another server of this machine: same site, other origin.
  expect(await upgrade({ cookie, origin: `http://127.0.0.1:${shell.port + 1}` })).toBe('403')
  expect(await upgrade({ cookie, origin: `http://localhost:${shell.port}` })).toBe('403')
  expect(await upgrade({ cookie, origin }, '/other')).toBe('404')
})

test.each([
  '/../secret.txt',
  '/assets/../../secret.txt',
  '/%2e%2e/secret.txt',
  '/..%2fsecret.txt',
  '/assets/..%5c..%5csecret.txt',
  '//secret.txt',
  '/secret.txt%00.js',
  'file:///etc/passwd',
  '/etc/passwd',
])('the path %s leads to no file outside of the page', async (pathname) => {
  const cookie = await signIn()
  const answer = await request(pathname, { cookie })
  expect(answer.status).toBe(404)
  expect(answer.body).not.toContain('not for the page')
})

test('every response carries the policy; the nonce is new each time and stands in the page', async () => {
  const cookie = await signIn()
  const nonces = new Set<string>()
  for (const [pathname, status] of [
    ['/', 200],
    ['/index.html', 200],
    ['/none', 404],
  ] as const) {
    const answer = await request(pathname, { cookie })
    expect(answer.status).toBe(status)
    const policy = String(answer.headers['content-security-policy'])
    expect(policy).toContain("default-src 'none'; script-src 'self'; style-src 'self' 'nonce-")
    expect(policy).toContain("frame-ancestors 'none'")
    expect(policy).not.toContain('unsafe')
    const nonce = /'nonce-([\w-]+)'/.exec(policy)?.[1] ?? ''
    expect(answer.body).toContain(nonce)
    expect(answer.body).not.toContain('__CSP_NONCE__')
    nonces.add(nonce)
    expect(answer.headers).toMatchObject({
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
      'cross-origin-opener-policy': 'same-origin',
      'cross-origin-resource-policy': 'same-origin',
      'cache-control': 'no-store',
    })
  }
  expect(nonces.size).toBe(3)
  const script = await request('/assets/main-Abc_12-9.js', { cookie })
  expect(script.headers['content-type']).toBe('text/javascript; charset=utf-8')
  expect(script.headers['cache-control']).toContain('immutable')
})

test('a browser that comes from elsewhere is sent on once, so that its strict cookie goes along', async () => {
  const answer = await request('/', { 'sec-fetch-site': 'cross-site' })
  expect(answer.status).toBe(200)
  expect(answer.body).toContain('http-equiv="refresh" content="0;url=/"')
  expect((await request('/', { 'sec-fetch-site': 'same-origin' })).status).toBe(401)
  expect((await request('/assets/main-Abc_12-9.js', { 'sec-fetch-site': 'cross-site' })).status).toBe(401)
})

test('two tabs are two peers of one console, and both calls are answered', async () => {
  const cookie = await signIn()
  const tabs = await Promise.all([socketOf(cookie), socketOf(cookie)])
  const clients = tabs.map((tab) => createClient(webSocketWire(tab), consoleContract, systemClock))
  expect(await Promise.all(clients.map((client) => client.call('ssh.hosts', {})))).toEqual([[], []])
  expect(shell.peers).toBe(2)
  tabs[0]?.close()
  await expect.poll(() => shell.peers).toBe(1)
  expect(await clients[1]?.call('ssh.hosts', {})).toEqual([])
})

test('a method named constructor does not exist over the socket either', async () => {
  const socket = await socketOf(await signIn())
  const answers: unknown[] = []
  socket.on('message', (data: Buffer) => answers.push(JSON.parse(data.toString())))
  for (const [id, name] of ['constructor', '__proto__', 'toString'].entries()) {
    socket.send(JSON.stringify({ t: 'req', id, m: name, i: {} }))
  }
  await expect.poll(() => answers.length).toBe(3)
  for (const answer of answers) expect(answer).toMatchObject({ t: 'err', e: { code: 'NO_METHOD' } })
})

test('a defect is logged without its secrets, and the page learns only that it happened', async () => {
  const socket = await socketOf(await signIn())
  const client = createClient(webSocketWire(socket), consoleContract, systemClock)
  const error = await client.call('app.info', {}).catch((e: unknown) => e)
  expect(error).toMatchObject({ code: 'INTERNAL', message: expect.not.stringContaining('hunter2') as string })
  await expect.poll(() => lines.some((line) => line.includes('app.info failed'))).toBe(true)
  expect(lines.join('\n')).not.toContain('hunter2')
})

test('a frame of 200 MB ends its connection by its header and nobody else’s', async () => {
  const cookie = await signIn()
  const neighbour = createClient(webSocketWire(await socketOf(cookie)), consoleContract, systemClock)
  const socket = net.connect(shell.port, '127.0.0.1')
  opened.push({ close: () => socket.destroy() })
  socket.on('error', () => {})
  socket.write(
    `GET /rpc HTTP/1.1\r\nHost: 127.0.0.1:${shell.port}\r\nOrigin: http://127.0.0.1:${shell.port}\r\nCookie: ${cookie}\r\n` +
      'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n',
  )
  let received = Buffer.alloc(0)
  socket.on('data', (chunk: Buffer) => {
    received = Buffer.concat([received, chunk])
  })
  await expect.poll(() => received.includes('\r\n\r\n')).toBe(true)
  const before = process.memoryUsage().arrayBuffers
  // FIN and text, masked, 64-bit length, mask; the payload never has to be sent.
  const header = Buffer.alloc(14)
  header.writeUInt16BE(0x81ff)
  header.writeBigUInt64BE(200n * 1024n * 1024n, 2)
  socket.write(header)
  await expect.poll(() => socket.closed || socket.readableEnded).toBe(true)
  // Close frame with code 1009, message too big.
  expect(received.subarray(-4)).toEqual(Buffer.from([0x88, 0x02, 1009 >> 8, 1009 & 255]))
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(maxFrameBytes)
  expect(await neighbour.call('ssh.hosts', {})).toEqual([])
})

test('text that is not JSON ends its connection', async () => {
  const socket = await socketOf(await signIn())
  const code = new Promise<number>((resolve) => socket.on('close', resolve))
  socket.send('{')
  expect(await code).toBe(1007)
})

test('it listens on loopback only', async () => {
  const addresses = Object.values(os.networkInterfaces()).flatMap((list) => list ?? [])
  const outside = addresses.filter(({ internal, family }) => !internal && family === 'IPv4')
  for (const { address } of outside) {
    const refused = await new Promise<string>((resolve) => {
      const socket = net.connect(shell.port, address)
      socket.on('connect', () => {
        socket.destroy()
        resolve('connected')
      })
      socket.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? ''))
    })
    expect(refused).toBe('ECONNREFUSED')
  }
  // 127.0.0.2 reaches a server that listens on 0.0.0.0 also where the machine has no other address.
  const other = await new Promise<string>((resolve) => {
    const socket = net.connect(shell.port, '127.0.0.2')
    socket.on('connect', () => resolve('connected'))
    socket.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? ''))
  })
  expect(other).toBe('ECONNREFUSED')
})

test('closing ends the tabs and frees the port', async () => {
  const socket = await socketOf(await signIn())
  const closed = new Promise<number>((resolve) => socket.on('close', resolve))
  await shell.close()
  expect(await closed).toBe(1001)
  await expect(request('/')).rejects.toThrow('ECONNREFUSED')
})
