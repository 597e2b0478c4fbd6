import { expect, test } from 'vitest'
import { consoleContract, type ConsoleContract } from '../../core/contract/console.ts'
import { emptySpec } from '../../core/model/cluster-spec.ts'
import { type Draft, ServiceForm } from '../../core/model/draft.ts'
import { type Client, createClient } from '../../core/rpc/client.ts'
import { memoryPair } from '../../core/rpc/memory.ts'
import { serve } from '../../core/rpc/server.ts'
import { createConsole } from '../../main/console/console.ts'
import { systemClock } from '../../main/shell/system-clock.ts'
import { FakeDirector } from '../fakes/fake-director.ts'
import { ManualClock } from '../fakes/manual-clock.ts'
import { MemorySecrets, MemoryStore } from '../fakes/memory-store.ts'

async function open(store: MemoryStore, log: string[] = []): Promise<Client<ConsoleContract>> {
  const core = await createConsole(
    { store, secrets: new MemorySecrets(), clock: new ManualClock(), ssh: new FakeDirector() },
    { version: '1.0.0', workstation: 'desk', agentPackages: '/nowhere', welcome: null, log: (line) => log.push(line) },
  )
  const [near, far] = memoryPair()
  serve(far, consoleContract, core.handlers, { peer: 'test', access: 'change' })
  return createClient(near, consoleContract, systemClock)
}

const draft = (id: string, directorId = 'lb1'): Draft => ({
  id,
  directorId,
  step: 'addresses',
  form: ServiceForm.parse({
    name: 'web',
    port: '8o',
    placement: 'sameNetwork',
    needsClientAddress: true,
    portsDiffer: false,
    hasWindows: false,
    forwarding: 'dr',
    dataplane: 'ebpf',
    scheduler: 'mh',
    announce: 'arp',
    interface: '',
    vip: '192.0.2.',
    allowOwnAddress: false,
    check: { type: 'tcp', intervalMs: '1000', timeoutMs: '800', rise: '2', fall: '2' },
    realServers: [],
    confirmWithinSec: '60',
    message: '',
  }),
  accepted: [],
  appliedRevision: null,
  updatedAtMs: 1,
})
const lb1 = {
  id: 'lb1',
  name: 'lb1',
  target: { host: '192.0.2.1', port: 22, user: 'root' },
  isProduction: true,
}

test('changing one preference leaves the others', async () => {
  const store = new MemoryStore()
  const client = await open(store)
  await client.call('preferences.set', { theme: 'dark', dismissed: ['welcome'] })
  expect(await client.call('preferences.set', { language: 'zh-CN' })).toEqual({
    theme: 'dark',
    language: 'zh-CN',
    times: 'local',
    dismissed: ['welcome'],
  })
  expect((await (await open(store)).call('app.info', {})).preferences.theme).toBe('dark')
})

test('what was saved is there after a restart, half-typed fields as they were', async () => {
  const store = new MemoryStore()
  const first = await open(store)
  await first.call('directors.save', { profile: lb1 })
  await first.call('drafts.save', { draft: draft('one') })
  await first.call('drafts.save', { draft: { ...draft('one'), step: 'hosts' } })
  await first.call('access.set', { directorId: 'lb1', address: '192.0.2.20', access: { kind: 'none' } })
  await first.call('clientHosts.save', { host: { id: 'c1', name: 'client', target: lb1.target } })

  const again = await open(store)
  expect(await again.call('drafts.list', { directorId: 'lb1' })).toEqual([{ ...draft('one'), step: 'hosts' }])
  expect(await again.call('access.list', { directorId: 'lb1' })).toEqual({ '192.0.2.20': { kind: 'none' } })
  expect(await again.call('clientHosts.list', {})).toHaveLength(1)
  const { value } = (await again.stream('directors.watch', {}).next()) as { value: { profile: { name: string } }[] }
  expect(value.map(({ profile }) => profile.name)).toEqual(['lb1'])
})

test("forgetting a director forgets its drafts and its real servers' access, not those of others", async () => {
  const client = await open(new MemoryStore())
  await client.call('directors.save', { profile: lb1 })
  await client.call('drafts.save', { draft: draft('one') })
  await client.call('drafts.save', { draft: draft('two', 'lb2') })
  await client.call('access.set', { directorId: 'lb1', address: '192.0.2.20', access: { kind: 'none' } })
  await client.call('directors.forget', { directorId: 'lb1' })
  expect(await client.call('drafts.list', { directorId: 'lb1' })).toEqual([])
  expect(await client.call('drafts.list', { directorId: 'lb2' })).toHaveLength(1)
  expect(await client.call('access.list', { directorId: 'lb1' })).toEqual({})
})

test.each([
  ['not JSON', '{ "profiles": ['],
  ['another shape', '{ "profiles": [{ "id": "../../etc" }] }'],
])('a store document that is %s is moved aside with a line in the log, and the console starts', async (_what, text) => {
  const store = new MemoryStore()
  store.texts.set('directors', text)
  const log: string[] = []
  const client = await open(store, log)
  await client.call('directors.save', { profile: lb1 })
  expect(store.texts.get('directors.unreadable')).toBe(text)
  expect(log.join()).toContain('directors.unreadable')
  expect(JSON.parse(store.texts.get('directors') ?? '')).toMatchObject({ profiles: [{ id: 'lb1' }] })
})

test('a document is exported and read back; mistakes carry their line', async () => {
  const client = await open(new MemoryStore())
  const spec = emptySpec('edge fra/1')
  const { text, fileName } = await client.call('share.export', { spec, format: 'yaml' })
  expect(fileName).toBe('edge-fra-1.yaml')
  expect(await client.call('share.parse', { text })).toEqual({ spec, issues: [] })
  const bad = await client.call('share.parse', {
    text: 'apiVersion: signalbox/v1\nname: x\nservices:\n  - vip: nope\n',
  })
  expect(bad.spec).toBe(null)
  expect(bad.issues.find(({ path }) => path.join('.') === 'services.0.vip')).toMatchObject({ line: 4, found: '"nope"' })
})

test('a method named like a property of every object does not exist', async () => {
  const client = await open(new MemoryStore())
  for (const name of ['constructor', '__proto__', 'director.constructor', 'toString']) {
    await expect(client.call(name as 'app.info', {})).rejects.toMatchObject({ code: 'NO_METHOD' })
  }
})
