import { spawn } from 'node:child_process'
import http from 'node:http'
import net from 'node:net'
import { afterEach, expect, test } from 'vitest'
import type { AgentContract } from '../../core/contract/agent.ts'
import { AppError } from '../../core/contract/errors.ts'
import type { ProofRequest } from '../../core/model/proof.ts'
import type { Flow } from '../../core/model/telemetry.ts'
import type { Client } from '../../core/rpc/client.ts'
import type { HostShell } from '../../main/console/hosts.ts'
import { readLine } from '../../main/console/proof/from-host.ts'
import { proofHandler } from '../../main/console/proof/run.ts'
import { systemClock } from '../../main/shell/system-clock.ts'

const cleanUps: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0)) await cleanUp()
})

/** A dataplane in memory: knows the flows of a server in this process by their source port, as the kernel's record does. */
class Flows {
  readonly #flows = new Map<number, Flow>()
  /** Answers null this often for each port before it knows the flow. */
  late = 0
  readonly #asked = new Map<number, number>()

  add(socket: net.Socket): void {
    const clientPort = socket.remotePort ?? 0
    this.#flows.set(clientPort, {
      clientAddress: socket.remoteAddress ?? '',
      clientPort,
      vip: '127.0.0.1',
      port: socket.localPort ?? 0,
      realServer: { address: `192.0.2.${20 + (clientPort % 3)}`, port: 80 },
      state: 'established',
      packets: 3,
      bytes: 200,
      idleMs: 0,
    })
  }

  lookup(clientPort: number): Flow | null {
    const asked = (this.#asked.get(clientPort) ?? 0) + 1
    this.#asked.set(clientPort, asked)
    return asked > this.late ? (this.#flows.get(clientPort) ?? null) : null
  }
}

/** Runs what is to run on the client host in a shell of this machine. */
const localShell: HostShell = {
  host: 'client',
  user: 'op',
  canBeRoot: async () => false,
  run(command, { onLine } = {}) {
    if (!('script' in command)) throw new Error('a script was expected')
    const child = spawn('/bin/sh', ['-s', '--', ...(command.args ?? [])], { stdio: ['pipe', 'pipe', 'ignore'] })
    let rest = ''
    child.stdout.on('data', (data: Buffer) => {
      const lines = (rest + String(data)).split('\n')
      rest = lines.pop() ?? ''
      for (const line of lines) onLine?.(line)
    })
    child.stdin.end(command.script)
    return new Promise((resolve) => {
      child.on('close', (code) => resolve({ code, signal: null, stdout: '', stderr: '' }))
    })
  },
}

function handlerFor(flows: Flows) {
  const agent = {
    call: async (_name: string, { clientPort }: { clientPort: number }) => flows.lookup(clientPort),
  } as unknown as Client<AgentContract>
  const target = { host: '192.0.2.1', port: 22, user: 'root' }
  return proofHandler({
    clock: systemClock,
    director: () => ({ profile: { id: 'lb1', name: 'lb1', target, isProduction: false }, client: () => agent }),
    clientHost: async (id) => ({ id, name: id, target: id === 'self' ? target : { ...target, host: '192.0.2.99' } }),
    openTarget: async () => localShell,
  })
}

async function listen(server: net.Server | http.Server, flows: Flows): Promise<number> {
  server.on('connection', (socket: net.Socket) => flows.add(socket))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  cleanUps.push(() => server.close())
  return (server.address() as net.AddressInfo).port
}

async function prove(flows: Flows, port: number, from: 'workstation' | 'client' | 'self', requests = 25) {
  const seen: ProofRequest[] = []
  const handler = handlerFor(flows)
  const items = handler(
    {
      directorId: 'lb1',
      vip: '127.0.0.1',
      port,
      from: from === 'workstation' ? { kind: 'workstation' } : { kind: 'host', id: from },
      requests,
    },
    { signal: new AbortController().signal, peer: 'test' },
  )
  for await (const item of items) seen.push(item)
  return seen.sort((a, b) => a.index - b.index)
}

const names = ['192.0.2.20:80', '192.0.2.21:80', '192.0.2.22:80']
const httpServer = () => http.createServer((_request, response) => response.end('rs9 who says it is somebody else\n'))

test.each(['workstation', 'client'] as const)(
  'from the %s, every request is answered, and the flow record says by whom',
  async (from) => {
    const flows = new Flows()
    const seen = await prove(flows, await listen(httpServer(), flows), from, 45)
    expect(seen.map(({ index }) => index)).toEqual(Array.from({ length: 45 }, (_, i) => i))
    for (const request of seen) {
      expect(request).toMatchObject({ isOk: true, httpStatus: 200, error: null, clientAddress: '127.0.0.1' })
      expect(names[(request.clientPort ?? 0) % 3]).toBe(request.realServer)
      expect(request.durationMs).toBeGreaterThan(0)
    }
    expect(new Set(seen.map(({ clientPort }) => clientPort)).size).toBe(45)
  },
)

test.each(['workstation', 'client'] as const)(
  'from the %s, a service that is no HTTP is proved by TCP',
  async (from) => {
    const flows = new Flows()
    const banner = net.createServer((socket) => socket.on('error', () => {}).end('220 mail ready\r\n'))
    const seen = await prove(flows, await listen(banner, flows), from, 12)
    expect(seen).toHaveLength(12)
    for (const request of seen) expect(request).toMatchObject({ isOk: true, httpStatus: null, error: null })
  },
)

test.each(['workstation', 'client'] as const)('from the %s, a refused connection is a failed request', async (from) => {
  const closed = net.createServer()
  await new Promise<void>((resolve) => closed.listen(0, '127.0.0.1', resolve))
  const { port } = closed.address() as net.AddressInfo
  await new Promise((resolve) => closed.close(resolve))
  const seen = await prove(new Flows(), port, from, 3)
  for (const request of seen) {
    expect(request).toMatchObject({ isOk: false, error: 'ECONNREFUSED', realServer: null, httpStatus: null })
  }
  expect(seen).toHaveLength(3)
})

test('an HTTP server that falls silent fails its requests', async () => {
  const flows = new Flows()
  let answered = 0
  const server = http.createServer((_request, response) => {
    if (answered++ < 2) response.end('ok')
  })
  cleanUps.push(() => server.closeAllConnections())
  const seen = await prove(flows, await listen(server, flows), 'workstation', 4)
  expect(seen.filter(({ isOk }) => isOk)).toHaveLength(2)
  expect(seen.filter(({ isOk }) => !isOk).map(({ error }) => error)).toEqual(['ETIMEDOUT', 'ETIMEDOUT'])
})

test('a record that is late is asked for again; one that never comes leaves the request unattributed', async () => {
  const late = new Flows()
  late.late = 3
  const seen = await prove(late, await listen(httpServer(), late), 'workstation', 3)
  expect(seen.every(({ realServer }) => realServer !== null)).toBe(true)
  const never = new Flows()
  never.late = 1000
  const unknown = await prove(never, await listen(httpServer(), never), 'workstation', 3)
  for (const request of unknown) expect(request).toMatchObject({ isOk: true, realServer: null })
})

test('a director is not sent to test its own VIP', async () => {
  await expect(prove(new Flows(), 80, 'self')).rejects.toMatchObject({ code: 'REFUSED' })
})

test('a proof that is left ends its requests', async () => {
  const flows = new Flows()
  let connections = 0
  const server = httpServer().on('connection', () => connections++)
  const port = await listen(server, flows)
  const controller = new AbortController()
  const items = handlerFor(flows)(
    { directorId: 'lb1', vip: '127.0.0.1', port, from: { kind: 'workstation' }, requests: 1000 },
    { signal: controller.signal, peer: 'test' },
  )
  for await (const { index } of items) if (index === 5) break
  expect(connections).toBeLessThan(200)
})

test("a curl without errormsg still gives the error's name", () => {
  const line = '7  0 000 0.000000 0.000321 %{errormsg}'
  expect(readLine(line, 'unknown')?.attempt).toMatchObject({ isOk: false, error: 'ECONNREFUSED', clientPort: null })
  expect(readLine('28 10.0.0.3 4711 000 0.001 2.0 Operation timed out', 'http')?.attempt).toMatchObject({
    isOk: false,
    error: 'ETIMEDOUT',
    clientPort: 4711,
  })
  expect(readLine('curl: not a line', 'http')).toBe(null)
})

test('a host without curl is named', async () => {
  const flows = new Flows()
  const { PATH } = process.env
  // The shell's own directory of programs is all that is left: none.
  process.env['PATH'] = '/nonexistent'
  try {
    await expect(prove(flows, 80, 'client', 1)).rejects.toMatchObject({
      code: 'REFUSED',
      message: 'client has no curl, which the proof sends its requests with.',
    })
  } finally {
    process.env['PATH'] = PATH
  }
})

test('a director that is lost in between ends the proof with its error', async () => {
  const flows = new Flows()
  flows.lookup = () => {
    throw new AppError('CLOSED', 'The connection ended.')
  }
  await expect(prove(flows, await listen(httpServer(), flows), 'workstation', 20)).rejects.toMatchObject({
    code: 'CLOSED',
  })
})
