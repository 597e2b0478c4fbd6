import { mkdtemp, mkdir, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { consoleContract, type ConsoleContract } from '../../core/contract/console.ts'
import type { Answer, DirectorEntry, Question, Session } from '../../core/contract/session.ts'
import type { SshTarget } from '../../core/model/ssh.ts'
import { type Client, createClient } from '../../core/rpc/client.ts'
import { memoryPair } from '../../core/rpc/memory.ts'
import { serve } from '../../core/rpc/server.ts'
import { createConsole } from '../../main/console/console.ts'
import { createSshPort } from '../../main/console/ssh/port.ts'
import { findInstallation } from '../../main/shell/installation.ts'
import { systemClock } from '../../main/shell/system-clock.ts'
import { MemorySecrets, MemoryStore } from '../fakes/memory-store.ts'
import type { Lab } from '../lab/lab.ts'

export const directorId = 'director'
const { version, agentPackages } = findInstallation(import.meta.dirname)

/** A console core over real SSH, with the lab's director in its list. */
export interface LabConsole {
  readonly client: Client<ConsoleContract>
  readonly sessions: Session[]
  /** Waits for a session that fits; every one that was seen is kept in `sessions`. */
  until(what: string, fits: (session: Session) => boolean): Promise<Session>
  /** Connects and answers every question with `answer`; resolves when ready, rejects when it failed. */
  connectReady(answer?: (question: Question) => Answer): Promise<Session>
  answer(question: Question | null, answer: Answer): Promise<void>
  log(): Promise<string>
  close(): Promise<void>
}

export const targetOf = (lab: Lab, name: string, user = 'root'): SshTarget => {
  const { addresses, sshPort } = lab.host(name)
  return { host: addresses.management ?? addresses.data, port: sshPort, user, keyFile: lab.keyFile }
}

export async function openLabConsole(lab: Lab, target: SshTarget = targetOf(lab, 'director')): Promise<LabConsole> {
  const home = await mkdtemp(path.join(os.tmpdir(), 'console-in-lab-'))
  const dataDir = path.join(home, 'data')
  await mkdir(dataDir)
  const core = await createConsole(
    {
      store: new MemoryStore(),
      secrets: new MemorySecrets(),
      clock: systemClock,
      ssh: createSshPort({ home, dataDir, agentSocket: null, knownHosts: [], keepaliveMs: 500 }),
    },
    { version, workstation: 'desk', agentPackages, welcome: null, log: () => {} },
  )
  const [near, far] = memoryPair()
  serve(far, consoleContract, core.handlers, {
    peer: 'test',
    access: 'change',
    onDefect: (method, error) => console.error(`defect in ${method}:`, error),
  })
  const client = createClient(near, consoleContract, systemClock)
  await client.call('directors.save', { profile: { id: directorId, name: 'director', target, isProduction: false } })
  const stream = client.stream('directors.watch', {})
  const sessions: Session[] = []

  const next = async (): Promise<Session> => {
    const item: IteratorResult<DirectorEntry[]> = await stream.next()
    const session =
      item.done === true ? undefined : item.value.find(({ profile }) => profile.id === directorId)?.session
    if (session === undefined) throw new Error('the stream of sessions ended')
    sessions.push(session)
    return session
  }
  const log = async () => (await client.call('directors.log', { directorId })).text
  const until = async (what: string, fits: (session: Session) => boolean): Promise<Session> => {
    for (;;) {
      const session = await next()
      if (fits(session)) return session
      if (session.phase === 'failed') {
        throw new Error(`waited for ${what}, but: ${JSON.stringify(session.error, null, 2)}\n${await log()}`)
      }
    }
  }
  const answer = async (question: Question | null, given: Answer) => {
    await client.call('directors.answer', { directorId, questionId: question?.id ?? '', answer: given })
  }
  return {
    client,
    sessions,
    until,
    answer,
    log,
    async connectReady(reply = () => ({ kind: 'accept' })) {
      await client.call('directors.connect', { directorId })
      // Sessions of an earlier connection may still be on their way.
      await until('a new connection', ({ phase }) => phase === 'connecting')
      let answered = ''
      return until('ready', (session) => {
        if (session.question !== null && session.question.id !== answered) {
          answered = session.question.id
          void answer(session.question, reply(session.question))
        }
        return session.phase === 'ready'
      })
    },
    async close() {
      await core.close()
      await rm(home, { recursive: true, force: true })
    },
  }
}
