import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Question } from '../../core/contract/session.ts'
import { type Lab, startLab } from '../lab/lab.ts'
import { directorId, type LabConsole, openLabConsole, targetOf } from './console-in-lab.ts'

let lab: Lab
let console: LabConsole
const asked: Question[] = []

beforeAll(async () => {
  lab = await startLab({ realServers: 2, director: { jump: true } })
  const { jump: _none, ...jump } = targetOf(lab, 'client')
  console = await openLabConsole(lab, { ...targetOf(lab, 'director'), jump })
})
afterAll(async () => {
  await console.close()
  await lab.stop()
})

test('a director behind a jump host is reached, and both keys are asked for by name', async () => {
  const session = await console.connectReady((question) => {
    asked.push(question)
    return { kind: 'accept' }
  })
  expect(session.hello?.hostname).toBe('director')
  expect(asked.filter(({ kind }) => kind === 'hostKey')).toMatchObject([
    { host: targetOf(lab, 'client').host, fingerprint: lab.host('client').fingerprint },
    { host: lab.host('director').addresses.data, fingerprint: lab.host('director').fingerprint },
  ])
})

test("a real server's key is asked for on the director's session, which stays ready; then its facts are read", async () => {
  const [rs1] = lab.realServers
  const address = lab.host(rs1 ?? '').addresses.data
  await console.client.call('access.set', { directorId, address, access: { kind: 'throughDirector' } })
  const reading = console.client.call('facts.read', { directorId, host: address })
  const { question, phase } = await console.until('the question', (session) => session.question !== null)
  expect(phase).toBe('ready')
  expect(question).toMatchObject({ kind: 'hostKey', host: address, fingerprint: lab.host(rs1 ?? '').fingerprint })
  await console.answer(question, { kind: 'accept' })
  expect((await reading).hostname).toBe(rs1)
  // Pooled and pinned: nothing is asked the second time.
  expect((await console.client.call('facts.read', { directorId, host: address })).hostname).toBe(rs1)
})

test('a rejected key of a real server ends its reading alone', async () => {
  const [, rs2] = lab.realServers
  const address = lab.host(rs2 ?? '').addresses.data
  await console.client.call('access.set', { directorId, address, access: { kind: 'throughDirector' } })
  const reading = console.client.call('facts.read', { directorId, host: address })
  const outcome = expect(reading).rejects.toMatchObject({ code: 'SSH_HOST_KEY_REJECTED' })
  const { question } = await console.until('the question', (session) => session.question !== null)
  await console.answer(question, { kind: 'reject' })
  await outcome
  expect((await console.client.call('director.agent.hello', { directorId, input: {} })).hostname).toBe('director')
})
