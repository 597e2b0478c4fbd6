import { connect } from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Lab, startLab } from '../lab/lab.ts'
import { readForwardedSocket, ssh, startGreeter } from './lab-ssh.ts'

let lab: Lab
beforeAll(async () => {
  lab = await startLab({ realServers: 2, director: { jump: true, ssh: { streamLocalForwarding: false } } })
})
afterAll(() => lab?.stop())

/** What a TCP connection from the machine comes to: `connected`, `timeout`, or the name of the error. */
const connects = (address: string, port: number): Promise<string> =>
  new Promise((resolve) => {
    const socket = connect({ host: address, port, timeout: 1000 })
    const end = (result: string): void => {
      socket.destroy()
      resolve(result)
    }
    socket.once('connect', () => end('connected'))
    socket.once('error', (error: NodeJS.ErrnoException) => end(error.code ?? error.message))
    socket.once('timeout', () => end('timeout'))
  })

test('a director behind a jump host has no management address and is reached through the client', async () => {
  expect(lab.host('director').addresses.management).toBeUndefined()
  expect(await connects(lab.host('director').addresses.data, 22)).toBe('ENETUNREACH')
  expect(await ssh(lab, 'director', 'hostname')).toMatchObject({ code: 0, stdout: 'director\n' })
})

test('an sshd without stream-local forwarding refuses it', async () => {
  await startGreeter(lab, 'director', '/run/greeter.sock')
  expect(await readForwardedSocket(lab, 'director', '/run/greeter.sock')).toBe('')
})

test('a killed HTTP server refuses connections and answers again after its start', async () => {
  const request = () => lab.clientRequests({ address: lab.host('rs1').addresses.data, count: 2 })
  await lab.killServer('rs1')
  expect((await request()).failures.map((failure) => failure.code)).toEqual(['ECONNREFUSED', 'ECONNREFUSED'])
  await lab.startServer('rs1')
  expect(await request()).toMatchObject({ perServer: { rs1: 2 } })
})

test('a paused host accepts connections and does not answer until it is resumed', async () => {
  const request = () =>
    lab.clientRequests({
      address: lab.host('rs1').addresses.data,
      count: 1,
      connectTimeoutMs: 500,
      responseTimeoutMs: 500,
    })
  await lab.pauseHost('rs1')
  expect((await request()).failures.map((failure) => failure.code)).toEqual(['RESPONSE_TIMEOUT'])
  await lab.resumeHost('rs1')
  expect(await request()).toMatchObject({ answered: 1 })
})

test('a cut network loses packets of that network alone and keeps the carrier', async () => {
  const { data, management = '' } = lab.host('rs2').addresses
  const request = () => lab.clientRequests({ address: data, count: 1 })
  await lab.cutNetwork('rs2', 'data')
  expect((await request()).failures).toHaveLength(1)
  expect(await connects(management, 22)).toBe('connected')
  expect((await lab.exec('rs2', ['cat', '/sys/class/net/eth0/carrier'])).stdout).toBe('1\n')
  await lab.restoreNetwork('rs2', 'data')
  await expect.poll(async () => (await request()).answered, { timeout: 10_000 }).toBe(1)
  await lab.cutNetwork('rs2', 'management')
  expect(await connects(management, 22)).toBe('timeout')
  expect(await request()).toMatchObject({ answered: 1 })
  await lab.restoreNetwork('rs2', 'management')
  await expect.poll(() => connects(management, 22), { timeout: 10_000 }).toBe('connected')
})

test('a host with another key is refused by who knows the first', async () => {
  expect(await ssh(lab, 'rs1', 'hostname')).toMatchObject({ code: 0, stdout: 'rs1\n' })
  const first = lab.host('rs1').fingerprint
  const second = await lab.rekeyHost('rs1')
  expect(second).toMatch(/^SHA256:[A-Za-z0-9+/]{43}$/)
  expect(second).not.toBe(first)
  expect(lab.host('rs1').fingerprint).toBe(second)
  const refused = await ssh(lab, 'rs1', 'hostname')
  expect(refused.code).toBe(255)
  expect(refused.stderr).toContain('REMOTE HOST IDENTIFICATION HAS CHANGED')
  expect(refused.stderr).toContain(second)
})

test('the steady client counts failures, then answers, and says when', async () => {
  const client = lab.steadyClient()
  await expect.poll(async () => (await client.counters()).failed, { timeout: 10_000 }).toBeGreaterThan(2)
  const failing = await client.counters()
  expect(failing.answered).toBe(0)
  expect(Object.keys(failing.failuresByCode)).toEqual(['CONNECT_TIMEOUT'])
  // A second holder of the VIP stands in for a service that goes live.
  await lab.exec('rs2', ['ip', 'addr', 'add', `${lab.vip}/32`, 'dev', 'eth0'], { mustSucceed: true })
  await expect.poll(async () => (await client.counters()).perServer['rs2'] ?? 0, { timeout: 15_000 }).toBeGreaterThan(5)
  const { lastAnswerAtMs = 0, lastFailureAtMs = 0, recentFailures } = await client.counters()
  expect(lastAnswerAtMs).toBeGreaterThan(lastFailureAtMs)
  expect(recentFailures.at(-1)?.atMs).toBe(lastFailureAtMs)
  await client.stop()
  await expect(client.counters()).rejects.toThrow('has ended')
  await lab.exec('rs2', ['ip', 'addr', 'del', `${lab.vip}/32`, 'dev', 'eth0'], { mustSucceed: true })
})

test('held flows stay on one server and report when they break', async () => {
  const flows = await lab.holdFlows({ address: lab.host('rs2').addresses.data, count: 5, intervalMs: 20 })
  await expect.poll(async () => (await flows.state()).every((flow) => flow.answers > 3), { timeout: 5000 }).toBe(true)
  for (const flow of await flows.state()) expect(flow).toMatchObject({ servers: ['rs2'], brokenBy: null })
  expect(new Set((await flows.state()).map((flow) => flow.sourcePort)).size).toBe(5)
  await lab.killServer('rs2')
  await expect
    .poll(async () => (await flows.state()).map((flow) => flow.brokenBy), { timeout: 5000 })
    .toEqual(Array(5).fill(expect.stringMatching(/ECONNRESET|CLOSED|EPIPE/)))
  await flows.close()
  await lab.startServer('rs2')
})
