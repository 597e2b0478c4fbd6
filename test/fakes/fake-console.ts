import { randomUUID } from 'node:crypto'
import { type AgentContract, agentContract, type AgentHello } from '../../core/contract/agent.ts'
import type { AppInfo, CheckRequest, ConsoleContract, Preferences } from '../../core/contract/console.ts'
import type { CallContext, Handlers } from '../../core/contract/define.ts'
import { AppError, type WireError } from '../../core/contract/errors.ts'
import {
  type Answer,
  type ConnectStepId,
  type DirectorEntry,
  type Question,
  type Session,
  connectStepIds,
} from '../../core/contract/session.ts'
import type { AppliedFix, Finding } from '../../core/diagnosis/finding.ts'
import { unreadHost } from '../../core/diagnosis/judge.ts'
import { parseClusterText } from '../../core/formats/yaml/parse.ts'
import { writeClusterJson, writeClusterYaml } from '../../core/formats/yaml/write.ts'
import type { Draft } from '../../core/model/draft.ts'
import type { ClientHost, DirectorProfile, RealServerAccess } from '../../core/model/ssh.ts'
import { type Client, createClient } from '../../core/rpc/client.ts'
import { memoryPair } from '../../core/rpc/memory.ts'
import { serve } from '../../core/rpc/server.ts'
import { openClusters } from '../../main/console/clusters/clusters.ts'
import { requestCompletion } from '../../main/console/complete-request.ts'
import type { DirectorLookup } from '../../main/console/directors.ts'
import { systemClock } from '../../main/shell/system-clock.ts'
import type { FakeAgentHost } from './fake-agent-host.ts'
import { parametersOf } from '../../main/console/checks/inspection.ts'
import { LatestValue } from '../../agent/latest-value.ts'

/** What meets the operator when a director is connected. */
export interface Meeting {
  readonly hostKey?: 'known' | 'unknown' | 'changed'
  readonly agent?: 'current' | 'missing' | 'old'
  /** Fails at this step. */
  readonly failAt?: { readonly step: ConnectStepId; readonly error: WireError }
  /** Stands still at this step, as a host does that drops packets. */
  readonly hangAt?: ConnectStepId
  /** How long each step takes. */
  readonly stepMs?: number
}

interface Director {
  profile: DirectorProfile
  session: Session
  readonly host: FakeAgentHost | null
  readonly meeting: Meeting
  answer: ((answer: Answer) => void) | null
  attempt: number
}

export interface ConsoleSetup {
  readonly directors: readonly {
    readonly profile: DirectorProfile
    readonly host: FakeAgentHost | null
    readonly meeting?: Meeting
    readonly isConnected?: boolean
  }[]
  readonly preferences?: Partial<Preferences>
  readonly welcome?: AppInfo['welcome']
  readonly sshHosts?: readonly { readonly alias: string; readonly host: string; readonly user: string }[]
  readonly clientHosts?: readonly ClientHost[]
  readonly fixes?: readonly AppliedFix[]
  readonly drafts?: readonly Draft[]
  /** Hosts whose checks find something missing until it is fixed; the others are in order. */
  readonly unprepared?: readonly string[]
  /** Hosts that cannot be read at all. */
  readonly unreadable?: readonly string[]
  /** Hosts that only the director has a way to. */
  readonly behindDirector?: readonly string[]
}

const fingerprint = 'SHA256:9Q2mS6rVt0iH3xqXnG8bQv2yL1kYwJ5dZ4cPaTeUfRo'
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

const noSession: Session = {
  phase: 'disconnected',
  steps: connectStepIds.map((id) => ({ id, state: 'pending', detail: null, params: {}, progress: null })),
  question: null,
  error: null,
  attempt: 0,
  retryInMs: null,
  transport: null,
  hello: null,
  clockSkewMs: null,
  roundTripMs: null,
  lostAtMs: null,
}

/**
 * The console's contract with state and without SSH: directors are real agents on fake kernels, connections go through
 * their steps and ask what they are set up to ask. For the page alone; the real core has tests of its own.
 */
export class FakeConsole {
  readonly handlers: Handlers<ConsoleContract>
  readonly #setup: ConsoleSetup
  readonly #directors: Director[]
  readonly #entries = new LatestValue<DirectorEntry[]>()
  #preferences: Preferences
  #clientHosts: ClientHost[]
  #fixes: AppliedFix[]
  #drafts: Draft[]
  readonly #access = new Map<string, Record<string, RealServerAccess>>()
  readonly #fixed = new Set<string>()

  constructor(setup: ConsoleSetup) {
    this.#setup = setup
    this.#preferences = { theme: 'system', language: 'system', times: 'local', dismissed: [], ...setup.preferences }
    this.#clientHosts = [...(setup.clientHosts ?? [])]
    this.#fixes = [...(setup.fixes ?? [])]
    this.#drafts = [...(setup.drafts ?? [])]
    this.#directors = setup.directors.map(({ profile, host, meeting = {} }) => ({
      profile,
      session: noSession,
      host,
      meeting,
      answer: null,
      attempt: 0,
    }))
    this.handlers = this.#makeHandlers()
    this.#push()
  }

  /** Brings up those directors that are to be connected from the start. */
  async start(): Promise<void> {
    for (const [i, { isConnected = false }] of this.#setup.directors.entries()) {
      const director = this.#directors[i]
      if (isConnected && director !== undefined) await this.#walk(director, { ...director.meeting, stepMs: 0 }, true)
    }
  }

  /** The network is gone: streams end, the session tries again and again. */
  lose(directorId: string): void {
    const director = this.#director(directorId)
    director.attempt++
    this.#set(director, {
      phase: 'reconnecting',
      attempt: 3,
      retryInMs: 8000,
      lostAtMs: Date.now(),
      error: { code: 'CLOSED', message: 'The host does not answer.' },
    })
  }

  #push(): void {
    this.#entries.set(this.#directors.map(({ profile, session }) => ({ profile, session })))
  }

  #set(director: Director, change: Partial<Session>): void {
    director.session = { ...director.session, ...change }
    this.#push()
  }

  #step(director: Director, id: ConnectStepId, change: Partial<Session['steps'][number]>): void {
    this.#set(director, {
      steps: director.session.steps.map((step) => (step.id === id ? { ...step, ...change } : step)),
    })
  }

  async #ask(director: Director, question: Question): Promise<Answer> {
    this.#set(director, { phase: 'question', question })
    const answer = await new Promise<Answer>((resolve) => {
      director.answer = resolve
    })
    director.answer = null
    this.#set(director, { phase: 'connecting', question: null })
    return answer
  }

  #fail(director: Director, step: ConnectStepId, error: WireError): void {
    this.#step(director, step, { state: 'failed' })
    this.#set(director, { phase: 'failed', error })
  }

  async #walk(director: Director, meeting: Meeting, isQuiet = false): Promise<void> {
    const { profile, host } = director
    const { stepMs = 250 } = meeting
    const { target } = profile
    const attempt = ++director.attempt
    const details: Record<ConnectStepId, [string, Record<string, string | number>]> = {
      resolve: ['address', { address: target.host, host: target.host }],
      tcp: ['connected', { address: target.host, port: target.port, ms: 1 }],
      hostKey: ['known', { keyType: 'ssh-ed25519', fingerprint }],
      auth: ['keyFile', { user: target.user, keyFile: target.keyFile ?? '~/.ssh/id_ed25519' }],
      facts: ['read', { system: 'Debian GNU/Linux 12', kernel: '6.18.1', libc: 'glibc 2.36' }],
      agent: ['current', { version: '0.1.0' }],
      install: ['notNeeded', {}],
      handshake: ['streamLocal', { version: '0.1.0', ms: 2 }],
    }
    director.session = noSession
    this.#set(director, { phase: 'connecting' })
    for (const id of connectStepIds) {
      this.#step(director, id, { state: 'running' })
      if (stepMs > 0) await pause(stepMs)
      if (director.attempt !== attempt) return
      if (meeting.hangAt === id) return
      if (meeting.failAt?.step === id) return this.#fail(director, id, meeting.failAt.error)
      if (id === 'hostKey' && !isQuiet) {
        if (meeting.hostKey === 'changed') {
          return this.#fail(director, id, {
            code: 'SSH_HOST_KEY_CHANGED',
            message: `The key of ${target.host} is not the one that is pinned.`,
            details: { pinned: fingerprint, shown: 'SHA256:kU3vW0z6Yb1tDqE9oLr5sHnJ7cXaPf2mGi8QyTeBwRs' },
          })
        }
        if (meeting.hostKey === 'unknown') {
          const answer = await this.#ask(director, {
            kind: 'hostKey',
            id: randomUUID(),
            host: target.host,
            port: target.port,
            keyType: 'ssh-ed25519',
            fingerprint,
          })
          if (answer.kind !== 'accept') {
            return this.#fail(director, id, {
              code: 'SSH_HOST_KEY_REJECTED',
              message: `The key of ${target.host} was not accepted.`,
            })
          }
        }
      }
      if (id === 'install' && !isQuiet && meeting.agent !== undefined && meeting.agent !== 'current') {
        const answer = await this.#ask(director, {
          kind: 'install',
          id: randomUUID(),
          reason: meeting.agent,
          installedVersion: meeting.agent === 'old' ? '0.0.9' : null,
          version: '0.1.0',
          bytes: 34_200_000,
          actions: [
            '/opt/signalbox/0.1.0: the agent with its own Node',
            '/etc/systemd/system/signalbox.service: the service, started now and at boot',
            'groups signalbox and signalbox-view',
          ],
          asUser: 'root',
          withSudo: target.user !== 'root',
        })
        if (answer.kind !== 'accept') {
          return this.#fail(director, id, { code: 'AGENT_MISSING', message: 'The agent was not installed, as asked.' })
        }
        for (let sent = 0; sent <= 34; sent += 3) {
          this.#step(director, id, { detail: 'uploading', params: { sent, total: 34 }, progress: sent / 34 })
          await pause(stepMs / 2)
        }
        this.#step(director, id, {
          state: 'done',
          detail: 'installed',
          params: { version: '0.1.0', path: '/opt/signalbox' },
          progress: null,
        })
        continue
      }
      const isAbsent = id === 'agent' && !isQuiet && meeting.agent !== undefined && meeting.agent !== 'current'
      const [detail, params] = isAbsent
        ? [meeting.agent ?? 'missing', { installed: '0.0.9', version: '0.1.0' }]
        : details[id]
      this.#step(director, id, { state: id === 'install' ? 'skipped' : 'done', detail, params })
    }
    if (host === null) throw new TypeError(`${profile.id} is to be connected and has no agent.`)
    const context: CallContext = { signal: new AbortController().signal, peer: 'page' }
    const hello = (await host.handlers['agent.hello']({}, context)) as AgentHello
    this.#set(director, {
      phase: 'ready',
      hello: { ...hello, kernel: '6.18.1', architecture: 'x64' },
      transport: 'stream-local',
      clockSkewMs: host.clock.nowMs() - Date.now(),
      roundTripMs: 1.8,
    })
  }

  #director(directorId: string): Director {
    const found = this.#directors.find(({ profile }) => profile.id === directorId)
    if (found === undefined) throw new AppError('NOT_FOUND', `There is no director ${directorId}.`)
    return found
  }

  #hostOf(directorId: string): FakeAgentHost {
    const { session, host, profile } = this.#director(directorId)
    if (session.phase !== 'ready' || host === null) throw new AppError('OFFLINE', `${profile.name} is not connected.`)
    return host
  }

  /** The rows that the rules of the real core have for such a service; what they judge is as the setup says. */
  #findings(host: string, request: CheckRequest): Finding[] {
    const isBare = this.#setup.unprepared?.includes(host) === true && !this.#fixed.has(host)
    return unreadHost(parametersOf(request), host, 'notChecked', 'no SSH access').map((row): Finding => {
      if (row.cause !== 'notChecked') return row
      const { rule } = row
      const isMissing = isBare && (rule === 'DR5' || rule === 'DR6')
      return {
        ...row,
        status: isMissing ? 'missing' : 'ok',
        cause: isMissing ? 'missing' : 'ok',
        found: isMissing ? 'all=0 eth0=0, effective 0' : 'all=1 eth0=0, effective 1',
        expected: '1 or 2',
        params: { ...row.params, interface: 'eth0', address: host, port: 80 },
        fix: isMissing
          ? {
              id: `${rule}@${host}`,
              rule,
              host,
              commands: ['sysctl -w net.ipv4.conf.all.arp_ignore=1'],
              undo: ['sysctl -w net.ipv4.conf.all.arp_ignore=0'],
              files: [],
              survivesReboot: true,
              requires: [],
            }
          : null,
      }
    })
  }

  async *#check(request: CheckRequest) {
    for (const host of request.hosts ?? ['director', ...request.realServers.map(({ address }) => address)]) {
      yield { host, state: 'running' as const, findings: [], error: null, takenAtMs: null }
      await pause(120)
      const access = request.realServers.find(({ address }) => address === host)?.access.kind
      const isOutOfReach = this.#setup.behindDirector?.includes(host) === true && access !== 'throughDirector'
      const isUnreadable = isOutOfReach || this.#setup.unreadable?.includes(host) === true
      yield {
        host,
        state: isUnreadable ? ('failed' as const) : ('done' as const),
        findings: isUnreadable ? [] : this.#findings(host, request),
        error: isUnreadable
          ? ({ code: 'SSH_UNREACHABLE', message: `${host} port 22 does not answer.`, retryable: true } as const)
          : null,
        takenAtMs: Date.now(),
      }
    }
  }

  #makeHandlers(): Handlers<ConsoleContract> {
    const setup = this.#setup
    const lookup: DirectorLookup = {
      get: (directorId) => ({
        profile: this.#director(directorId).profile,
        session: { client: () => this.#clientOf(directorId), sshAddress: () => null },
      }),
    }
    const own: Partial<Handlers<ConsoleContract>> = {
      'app.info': () => ({
        version: '0.1.0',
        platform: 'linux',
        capabilities: { keepsSecrets: false, keepsSecretsReason: 'The browser shell keeps no secrets.' },
        preferences: this.#preferences,
        welcome: setup.welcome ?? null,
      }),
      'preferences.set': (change) => {
        this.#preferences = { ...this.#preferences, ...change }
        return this.#preferences
      },
      'directors.watch': (_input, { signal }) => this.#entries.watch(signal),
      'directors.save': ({ profile }) => {
        const known = this.#directors.find((one) => one.profile.id === profile.id)
        if (known === undefined) {
          this.#directors.push({
            profile,
            session: noSession,
            host: null,
            meeting: { failAt: unreachable },
            answer: null,
            attempt: 0,
          })
        } else known.profile = profile
        this.#push()
        return {}
      },
      'directors.forget': ({ directorId }) => {
        this.#directors.splice(this.#directors.indexOf(this.#director(directorId)), 1)
        this.#push()
        return {}
      },
      'directors.connect': ({ directorId }) => {
        const director = this.#director(directorId)
        void this.#walk(director, director.meeting)
        return {}
      },
      'directors.disconnect': ({ directorId }) => {
        const director = this.#director(directorId)
        director.attempt++
        director.session = noSession
        this.#push()
        return {}
      },
      'directors.answer': ({ directorId, answer }) => {
        this.#director(directorId).answer?.(answer)
        return {}
      },
      'directors.removeAgent': async ({ directorId }) => {
        const director = this.#director(directorId)
        this.#set(director, { phase: 'removing' })
        await pause(400)
        director.session = noSession
        this.#push()
        return { removed: ['/opt/signalbox'] }
      },
      'directors.log': ({ directorId }) => ({ text: `log of ${directorId}\n` }),
      'ssh.hosts': () =>
        (setup.sshHosts ?? []).map(({ alias, host, user }) => ({ alias, target: { host, port: 22, user } })),
      'clientHosts.list': () => this.#clientHosts,
      'clientHosts.save': ({ host }) => {
        this.#clientHosts = [...this.#clientHosts.filter(({ id }) => id !== host.id), host]
        return {}
      },
      'clientHosts.forget': ({ id }) => {
        this.#clientHosts = this.#clientHosts.filter((host) => host.id !== id)
        return {}
      },
      'access.list': ({ directorId }) => this.#access.get(directorId) ?? {},
      'access.set': ({ directorId, address, access }) => {
        this.#access.set(directorId, { ...this.#access.get(directorId), [address]: access })
        return {}
      },
      'checks.run': (request) => this.#check(request),
      'checks.fix': ({ request, fixIds }) => {
        const hosts = [...new Set(fixIds.map((id) => id.slice(id.indexOf('@') + 1)))]
        for (const host of hosts) this.#fixed.add(host)
        return this.#check({ ...request, hosts })
      },
      'fixes.list': () => this.#fixes,
      'fixes.undo': ({ ids }) => {
        this.#fixes = this.#fixes.map((fix) => (ids.includes(fix.id) ? { ...fix, undoneAtMs: Date.now() } : fix))
        return { undone: ids, failed: [] }
      },
      'proof.run': ({ directorId, vip, port, requests }) =>
        this.#prove(this.#hostOf(directorId), `tcp/${vip}:${port}`, requests),
      'drafts.list': ({ directorId }) => this.#drafts.filter((draft) => draft.directorId === directorId),
      'drafts.save': ({ draft }) => {
        this.#drafts = [...this.#drafts.filter(({ id }) => id !== draft.id), draft]
        return {}
      },
      'drafts.remove': ({ id }) => {
        this.#drafts = this.#drafts.filter((draft) => draft.id !== id)
        return {}
      },
      'share.export': ({ spec, format }) => ({
        text: format === 'yaml' ? writeClusterYaml(spec) : writeClusterJson(spec),
        fileName: `${spec.name}.${format}`,
      }),
      'share.parse': ({ text }) => {
        const parsed = parseClusterText(text)
        return parsed.ok ? { spec: parsed.value, issues: [] } : { spec: null, issues: parsed.issues }
      },
      'facts.read': () => {
        throw new AppError('REFUSED', 'This console reads no facts.')
      },
    }
    const clusters = openClusters(lookup, requestCompletion(lookup, 'desk'), systemClock)
    const agentMethods = this.#directors.find(({ host }) => host !== null)?.host?.handlers ?? {}
    const forwarded = Object.fromEntries(
      Object.keys(agentMethods).map((name) => [
        `director.${name}`,
        ({ directorId, input }: { directorId: string; input: unknown }, context: CallContext) => {
          const host = this.#hostOf(directorId)
          const handler = host.handlers[name as keyof typeof host.handlers] as (i: unknown, c: CallContext) => unknown
          return name.endsWith('.watch')
            ? this.#whileReady(directorId, handler(input, context) as AsyncIterable<unknown>)
            : handler(input, context)
        },
      ]),
    )
    return { ...forwarded, ...clusters.handlers, ...own } as Handlers<ConsoleContract>
  }

  /** A wire to the agent of a director that is connected; throws OFFLINE. */
  #clientOf(directorId: string): Client<AgentContract> {
    const host = this.#hostOf(directorId)
    const [near, far] = memoryPair()
    serve(far, agentContract, host.handlers, { peer: 'page', access: 'change' })
    return createClient(near, agentContract, systemClock)
  }

  async *#whileReady(directorId: string, items: AsyncIterable<unknown>): AsyncIterable<unknown> {
    for await (const item of items) {
      this.#hostOf(directorId)
      yield item
    }
  }

  async *#prove(host: FakeAgentHost, service: string, requests: number) {
    const shares = [...host.kernel.shares(service)]
    for (let index = 0; index < requests; index++) {
      await pause(6)
      // A low-discrepancy walk: shares come out as the ring's.
      let at = (index * 0.618_034) % 1
      const realServer = shares.find(([, share]) => (at -= share) < 0)?.[0] ?? null
      yield {
        index,
        isOk: realServer !== null,
        durationMs: 2 + (index % 5),
        httpStatus: realServer === null ? null : 200,
        error: realServer === null ? 'ETIMEDOUT' : null,
        clientPort: 40_000 + index,
        realServer,
        clientAddress: realServer === null ? null : '192.0.2.200',
      }
    }
  }
}

const unreachable: NonNullable<Meeting['failAt']> = {
  step: 'tcp',
  error: {
    code: 'SSH_UNREACHABLE',
    message: 'No route to the host: EHOSTUNREACH.',
    hint: 'Check the address and whether the host is up, then try again.',
    details: { errno: 'EHOSTUNREACH' },
    retryable: true,
  },
}
