import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { consoleContract, type ConsoleContract } from '../../core/contract/console.ts'
import { type Client, createClient } from '../../core/rpc/client.ts'
import { memoryPair } from '../../core/rpc/memory.ts'
import { serve } from '../../core/rpc/server.ts'
import { createConsole } from '../../main/console/console.ts'
import { FakeClusterAgent } from './fake-cluster-agent.ts'
import { FakeDirector } from './fake-director.ts'
import { FakeNetwork } from './fake-network.ts'
import { ManualClock } from './manual-clock.ts'
import { MemorySecrets, MemoryStore } from './memory-store.ts'

export const clusterIds = ['lb1', 'lb2', 'lb3'] as const
type ForEach<T> = Readonly<Record<(typeof clusterIds)[number], T>>

export interface ClusterConsole {
  readonly agents: ForEach<FakeClusterAgent>
  readonly hosts: ForEach<FakeDirector>
  readonly client: Client<ConsoleContract>
  /** Another page of the same console. */
  page(): Client<ConsoleContract>
  /** Lets time pass until something is there. */
  withTime<T>(wanted: Promise<T>): Promise<T>
  close(): Promise<void>
}

/** The real console core, connected to three directors of one cluster in memory; the first one is active. */
export async function openClusterConsole(): Promise<ClusterConsole> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'console-clusters-'))
  await writeFile(path.join(folder, 'agent-linux-x64.tar.gz'), 'agent with node')
  const clock = new ManualClock()
  const agents = {
    lb1: new FakeClusterAgent('active'),
    lb2: new FakeClusterAgent('standby'),
    lb3: new FakeClusterAgent('standby'),
  }
  const host = (agent: FakeClusterAgent): FakeDirector => {
    const director = new FakeDirector()
    director.nowMs = () => clock.nowMs()
    director.installed = '1.2.0'
    director.running = '1.2.0'
    director.agentHandlers = agent.handlers
    return director
  }
  const hosts = { lb1: host(agents.lb1), lb2: host(agents.lb2), lb3: host(agents.lb3) }
  const core = await createConsole(
    {
      store: new MemoryStore(),
      secrets: new MemorySecrets(),
      clock,
      ssh: new FakeNetwork(new Map(clusterIds.map((id) => [`${id}.example`, hosts[id]]))),
    },
    { version: '1.2.0', workstation: 'desk', agentPackages: folder, welcome: null, log: () => {} },
  )
  const page = (): Client<ConsoleContract> => {
    const [near, far] = memoryPair()
    serve(far, consoleContract, core.handlers, { peer: 'test', access: 'change' })
    return createClient(near, consoleContract, clock)
  }
  const client = page()
  for (const id of clusterIds) {
    const target = { host: `${id}.example`, port: 22, user: 'root' }
    await client.call('directors.save', { profile: { id, name: id, target, isProduction: false, cluster: 'edge' } })
    await client.call('directors.connect', { directorId: id })
  }
  for await (const entries of client.stream('directors.watch', {})) {
    if (entries.every(({ session }) => session.phase === 'ready')) break
  }
  return {
    agents,
    hosts,
    client,
    page,
    async withTime(wanted) {
      let isOver = false
      const over = () => {
        isOver = true
      }
      wanted.then(over, over)
      while (!isOver) {
        for (let turn = 0; turn < 20; turn++) await setImmediate()
        if (!isOver) clock.advance(500)
      }
      return wanted
    },
    async close() {
      await core.close()
      await rm(folder, { recursive: true })
    },
  }
}

/** The messages of those that have an error, by director. */
export const errorsOf = (rows: readonly { directorId: string; error: { message: string } | null }[]) =>
  Object.fromEntries(
    rows.filter(({ error }) => error !== null).map(({ directorId, error }) => [directorId, error?.message]),
  )
