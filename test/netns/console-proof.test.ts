import { afterAll, beforeAll, expect, test } from 'vitest'
import type { z } from 'zod'
import type { ClusterSpec } from '../../core/model/cluster-spec.ts'
import { type ProofRequest, summarizeProof } from '../../core/model/proof.ts'
import { type Lab, startLab } from '../lab/lab.ts'
import { directorId, type LabConsole, openLabConsole, targetOf } from './console-in-lab.ts'

let lab: Lab
let console: LabConsole

beforeAll(async () => {
  lab = await startLab({ realServers: 3 })
  console = await openLabConsole(lab)
  await Promise.all(lab.realServers.map((name) => lab.prepareForDr(name)))
  await console.connectReady()
  const host = { id: 'client', name: 'client', target: targetOf(lab, 'client') }
  await console.client.call('clientHosts.save', { host })
})
afterAll(async () => {
  await console.close()
  await lab.stop()
})

const addressOf = (name: string) => lab.host(name).addresses.data

function spec(): z.input<typeof ClusterSpec> {
  const realServers = lab.realServers.map((name) => ({ address: addressOf(name), port: 80 }))
  return { apiVersion: 'signalbox/v1', name: 'lab', services: [{ name: 'web', vip: lab.vip, port: 80, realServers }] }
}

async function prove(from: 'workstation' | 'client', requests: number): Promise<ProofRequest[]> {
  const seen: ProofRequest[] = []
  const run = console.client.stream('proof.run', {
    directorId,
    vip: lab.vip,
    port: 80,
    from: from === 'workstation' ? { kind: 'workstation' } : { kind: 'host', id: from },
    requests,
  })
  const watching = (async () => {
    for await (const request of run) seen.push(request)
  })()
  if (from === 'client') {
    const { question } = await console.until("the client host's key", (session) => session.question !== null)
    expect(question).toMatchObject({ kind: 'hostKey', fingerprint: lab.host('client').fingerprint })
    await console.answer(question, { kind: 'accept' })
  }
  await watching
  return seen
}

test('a service from the plan to requests whose answers the flow record names', async () => {
  const plan = await console.client.call('director.cluster.plan', { directorId, input: { spec: spec() } })
  expect(plan.steps.map(({ step }) => step.kind)).toContain('vip.raise')
  const result = await console.client.call('director.cluster.apply', {
    directorId,
    input: {
      spec: spec(),
      baseRevision: 0,
      confirmWithinSec: 120,
      author: { user: 'whoever', via: 'cli', from: 'wherever' },
      message: 'first light',
    },
  })
  expect(result).toMatchObject({ revision: 1, outcome: 'unconfirmed', failure: null, drift: [] })

  const fromClient = await prove('client', 120)
  const shares = Object.fromEntries(lab.realServers.map((name) => [`${addressOf(name)}:80`, 1 / 3]))
  const summary = summarizeProof(fromClient, shares)
  expect(summary).toMatchObject({ requests: 120, failed: 0, unattributed: 0, clientAddresses: [addressOf('client')] })
  expect(Object.values(summary.perRealServer).every((count) => count > 10)).toBe(true)
  expect(fromClient.every(({ httpStatus }) => httpStatus === 200)).toBe(true)

  const fromHere = summarizeProof(await prove('workstation', 60), shares)
  expect(fromHere).toMatchObject({ requests: 60, failed: 0, unattributed: 0 })

  await console.client.call('director.cluster.confirm', { directorId, input: { revision: 1 } })
  const [newest] = await console.client.call('director.cluster.history', { directorId, input: {} })
  expect(newest).toMatchObject({
    revision: 1,
    outcome: 'confirmed',
    author: { user: 'root', via: 'console', from: 'desk' },
  })
})

test('removing the agent with the traffic kept leaves the service answering', async () => {
  await console.client.call('directors.removeAgent', { directorId, keepTraffic: true })
  const { failed, perServer } = await lab.clientRequests({ address: lab.vip, count: 60, concurrency: 4 })
  expect(failed).toBe(0)
  expect(Object.keys(perServer)).toHaveLength(3)
})

test('connecting again adopts what goes on, and removing without keeping takes it down', async () => {
  const session = await console.connectReady()
  expect(session.hello?.hostname).toBe('director')
  const states = console.client.stream('director.director.watch', { directorId, input: {} })
  const first = await states.next()
  await states.return?.()
  expect(first).toMatchObject({ value: { revision: 1, drift: [] } })
  await console.client.call('directors.removeAgent', { directorId, keepTraffic: false })
  const { stdout } = await lab.exec('director', ['ip', '-brief', 'addr'], { mustSucceed: true })
  expect(stdout).not.toContain(lab.vip)
})
