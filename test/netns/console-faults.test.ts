import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { type Lab, startLab } from '../lab/lab.ts'
import { directorId, type LabConsole, openLabConsole, targetOf } from './console-in-lab.ts'

let lab: Lab
let opened: LabConsole | undefined

beforeAll(async () => {
  lab = await startLab({ realServers: 1, director: { ssh: { port: 2222, streamLocalForwarding: false } } })
})
afterAll(() => lab.stop())
afterEach(() => opened?.close())

async function open(): Promise<LabConsole> {
  opened = await openLabConsole(lab)
  return opened
}

test('where sshd forbids stream-local forwarding, the agent is reached by the exec bridge', async () => {
  const console = await open()
  const session = await console.connectReady()
  expect(session.transport).toBe('exec')
  expect(session.steps.at(-1)).toMatchObject({ id: 'handshake', detail: 'streamLocalForbidden' })
  const history = await console.client.call('director.cluster.history', { directorId, input: {} })
  expect(history).toEqual([])
})

test('a cut network is noticed, told, and the director comes back by itself when it heals', async () => {
  const console = await open()
  const before = await console.connectReady()
  await lab.cutNetwork('director', 'management')
  try {
    const lost = await console.until('the loss', ({ phase }) => phase === 'reconnecting')
    expect(lost.hello).toEqual(before.hello)
    expect(lost.lostAtMs).not.toBe(null)
    await expect(console.client.call('director.agent.hello', { directorId, input: {} })).rejects.toMatchObject({
      code: 'OFFLINE',
    })
  } finally {
    await lab.restoreNetwork('director', 'management')
  }
  const back = await console.until('the return', ({ phase }) => phase === 'ready')
  expect(back.hello?.bootId).toBe(before.hello?.bootId)
})

test('an agent that dies is found again when its supervisor has started it', async () => {
  const console = await open()
  const before = await console.connectReady()
  const script = `kill -KILL "$(pgrep -f '[s]ignalbox.mjs agent$')"`
  await lab.exec('director', ['sh', '-c', script], { mustSucceed: true })
  await console.until('the loss', ({ phase }) => phase === 'reconnecting')
  const back = await console.until('the return', ({ phase }) => phase === 'ready')
  expect(back.hello?.startedAtMs).toBeGreaterThan(before.hello?.startedAtMs ?? 0)
})

test('another host key stops the console, with both fingerprints and without a question', async () => {
  const console = await open()
  await console.connectReady()
  const { fingerprint } = lab.host('director')
  await console.client.call('directors.disconnect', { directorId })
  const changed = await lab.rekeyHost('director')
  await console.client.call('directors.connect', { directorId })
  const { error, question } = await console.until('the stop', ({ phase }) => phase === 'failed')
  expect(question).toBe(null)
  expect(error).toMatchObject({
    code: 'SSH_HOST_KEY_CHANGED',
    details: { presented: `ssh-ed25519 ${changed}`, pinned: `ssh-ed25519 ${fingerprint}` },
  })
  // The hint's command is the way that is left, for somebody who knows that the change is right.
  expect(error?.hint).toContain(`-R '[${targetOf(lab, 'director').host}]:2222'`)
})
