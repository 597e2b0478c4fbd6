import type { AgentContract } from '../../core/contract/agent.ts'
import { connectDetails, removeDetails } from '../../core/contract/connect-details.ts'
import { AppError, toWireError } from '../../core/contract/errors.ts'
import type { Answer, ConnectStep, ConnectStepId, Session } from '../../core/contract/session.ts'
import { fill } from '../../core/model/issue.ts'
import type { DirectorProfile } from '../../core/model/ssh.ts'
import type { Client } from '../../core/rpc/client.ts'
import { type ConnectionLog, connectionLog } from './connection-log.ts'
import { type EstablishContext, type Established, establish } from './establish.ts'
import { removeAgent } from './install/remove.ts'
import { installRoot } from './install/paths.ts'
import type { ConsoleOptions, ConsolePorts, NewQuestion, SshConnection } from './ports.ts'
import { Questions } from './questions.ts'
import { rememberedSecrets } from './remembered-secrets.ts'
import { type SessionEvent, disconnected, nextSession } from './session-state.ts'

const firstRetryMs = 1000
const longestRetryMs = 30_000

/** One run from connect to disconnect. */
interface Run {
  readonly abort: AbortController
  established: Established | null
  /** Set while a reconnect waits: tries at once. */
  retryNow: (() => void) | null
  /** True while the agent is being removed: the end of the link is no loss. */
  isRemoving: boolean
  readonly keptVersions: Set<string>
  done: Promise<void>
}

/** The connection to one director: connects, keeps it up, answers for it. All that is I/O happens in what it calls. */
export class DirectorSession {
  readonly #profile: () => DirectorProfile
  readonly #ports: ConsolePorts
  readonly #options: ConsoleOptions
  readonly #onChange: () => void
  readonly #questions: Questions
  readonly #secrets: ReturnType<typeof rememberedSecrets>
  readonly #endListeners = new Set<() => void>()
  readonly log: ConnectionLog
  #session: Session = disconnected
  #run: Run | null = null

  constructor(profile: () => DirectorProfile, ports: ConsolePorts, options: ConsoleOptions, onChange: () => void) {
    this.#profile = profile
    this.#ports = ports
    this.#options = options
    this.#onChange = onChange
    this.log = connectionLog(ports.clock)
    this.#secrets = rememberedSecrets(
      ports.secrets,
      (secret) => this.log.hide(secret),
      (line) => this.log.add(line),
    )
    this.#questions = new Questions(
      (question) => this.#dispatch({ type: 'question', question }),
      (questionId) => this.#dispatch({ type: 'answered', questionId }),
    )
  }

  get session(): Session {
    return this.#session
  }

  /** Starts, or tries at once where a reconnect waits. Does nothing where a connection stands or is being made. */
  connect(): void {
    if (this.#run !== null) {
      this.#run.retryNow?.()
      return
    }
    const run: Run = {
      abort: new AbortController(),
      established: null,
      retryNow: null,
      isRemoving: false,
      keptVersions: new Set(),
      done: Promise.resolve(),
    }
    this.#run = run
    this.#dispatch({ type: 'connect' })
    run.done = this.#keepConnected(run)
  }

  /** At any time. */
  async disconnect(): Promise<void> {
    const run = this.#run
    if (run !== null) {
      run.abort.abort(new AppError('CANCELLED', 'The connection was closed by the operator.'))
      this.#end(run)
      await run.done
    }
    this.#secrets.forgetSession()
    if (this.#session.phase !== 'disconnected') this.#dispatch({ type: 'disconnected' })
  }

  answer(questionId: string, answer: Answer): void {
    this.#questions.answer(questionId, answer)
  }

  /** Asks the operator on this session, e.g. about a real server's host key. */
  ask(question: NewQuestion, signal: AbortSignal): Promise<Answer> {
    return this.#secrets.answer(question, () => this.#questions.ask(question, signal))
  }

  /** The agent; throws OFFLINE. */
  client(): Client<AgentContract> {
    return this.#live().link.client
  }

  /** The SSH connection; throws OFFLINE. */
  connection(): SshConnection {
    return this.#live().connection
  }

  /** The director's address that SSH came in by, where it is known. Throws OFFLINE. */
  sshAddress(): string | null {
    return this.#live().report.sshAddress
  }

  /** Aborted when the present connection ends. Throws OFFLINE. */
  onEnd(listener: () => void): () => void {
    this.#live()
    this.#endListeners.add(listener)
    return () => this.#endListeners.delete(listener)
  }

  /** Takes the agent off the director and ends the session. */
  async removeAgent(keepTraffic: boolean): Promise<string[]> {
    const { connection, report, link } = this.#live()
    const run = this.#run as Run
    run.isRemoving = true
    this.#dispatch({ type: 'removing' })
    const step = (detail: keyof typeof removeDetails, params: ConnectStep['params'] = {}) =>
      this.#step('install', 'running', detail, params)
    try {
      step(keepTraffic ? 'retiringKeep' : 'retiring')
      await link.client.call('agent.retire', { keepTraffic })
      link.wire.close('the agent is being removed')
      const removed = await removeAgent(
        connection,
        report,
        keepTraffic,
        () => step('tearingDown'),
        () => step('deleting', { path: installRoot }),
      )
      for (const line of removed) this.log.add(`removed ${line}`)
      await this.disconnect()
      return removed
    } catch (error) {
      this.log.add(describeError(error))
      // Disconnected in between: that is the state then.
      if (this.#run !== run) throw error
      this.#end(run)
      this.#dispatch({ type: 'failed', error: toWireError(error) })
      throw error
    }
  }

  #live(): Established {
    const { phase } = this.#session
    const established = this.#run?.established ?? null
    if (established === null || (phase !== 'ready' && phase !== 'removing')) {
      throw new AppError('OFFLINE', `${this.#profile().name} is not connected.`, {
        retryable: phase === 'reconnecting',
      })
    }
    return established
  }

  async #keepConnected(run: Run): Promise<void> {
    const { signal } = run.abort
    try {
      let established = await this.#establish(run, null, null)
      for (;;) {
        const reason = await this.#untilLost(run, established)
        if (signal.aborted || run.isRemoving) return
        this.log.add(`lost: ${reason.message}`)
        established = await this.#reconnect(run, established, reason)
      }
    } catch (error) {
      if (signal.aborted) return
      this.log.add(describeError(error))
      this.#end(run)
      this.#dispatch({ type: 'failed', error: toWireError(error) })
    }
  }

  async #establish(run: Run, reuse: SshConnection | null, reconnectAttempt: number | null): Promise<Established> {
    const { signal } = run.abort
    const step = (...args: Parameters<EstablishContext['step']>) => {
      if (!signal.aborted) this.#step(...args)
    }
    const established = await establish(
      this.#profile().target,
      reuse,
      {
        ssh: this.#ports.ssh,
        clock: this.#ports.clock,
        options: this.#options,
        keptVersions: run.keptVersions,
        reconnectAttempt,
        step,
        dialog: {
          step,
          ask: (question) => this.ask(question, signal),
          log: (line) => this.log.add(line),
        },
      },
      signal,
    )
    if (signal.aborted) {
      established.connection.close()
      throw signal.reason
    }
    const { link } = established
    run.established = established
    this.#dispatch({
      type: 'ready',
      hello: link.hello,
      transport: link.transport,
      clockSkewMs: link.clockSkewMs,
      roundTripMs: link.roundTripMs,
    })
    return established
  }

  /** Resolves to why, when the link or the SSH connection under it ends. */
  #untilLost(run: Run, { connection, link }: Established): Promise<AppError> {
    return new Promise((resolve) => {
      const { signal } = run.abort
      const lost = (why: string) => {
        stop()
        resolve(new AppError('CLOSED', why, { retryable: true }))
      }
      const onAbort = () => lost('closed')
      const stopWire = link.wire.onClose((why) => lost(`The agent's connection ended: ${why}`))
      const stopSsh = connection.onClose((error) => lost(`The SSH connection ended: ${error?.message ?? 'closed'}.`))
      const stop = () => {
        stopWire()
        stopSsh()
        signal.removeEventListener('abort', onAbort)
      }
      signal.addEventListener('abort', onAbort)
      if (signal.aborted) onAbort()
    })
  }

  async #reconnect(run: Run, { connection }: Established, reason: AppError): Promise<Established> {
    const { clock } = this.#ports
    const { signal } = run.abort
    run.established = null
    this.#tellEnd()
    let sshIsGone = false
    const stop = connection.onClose(() => (sshIsGone = true))
    this.#dispatch({ type: 'lost', error: toWireError(reason), atMs: clock.nowMs() })
    let kept: SshConnection | null = null
    try {
      let error = reason
      for (let attempt = 1; ; attempt++) {
        const retryInMs = Math.round(retryDelayMs(attempt, clock.random()))
        this.#dispatch({ type: 'waiting', attempt, retryInMs, error: toWireError(error) })
        await this.#pause(run, retryInMs)
        signal.throwIfAborted()
        this.#dispatch({ type: 'retrying', attempt })
        try {
          const established = await this.#establish(run, sshIsGone ? null : connection, attempt)
          kept = established.connection
          return established
        } catch (caught) {
          signal.throwIfAborted()
          this.log.add(describeError(caught))
          if (!isRetryable(caught)) throw caught
          error = caught
          // A connection that no command gets through is not worth a second try.
          if (!sshIsGone && (caught.code === 'TIMEOUT' || caught.code === 'CLOSED')) connection.close()
        }
      }
    } finally {
      stop()
      if (kept !== connection) connection.close()
    }
  }

  #pause(run: Run, ms: number): Promise<void> {
    return new Promise((resolve) => {
      const { signal } = run.abort
      const go = () => {
        callOff()
        signal.removeEventListener('abort', go)
        run.retryNow = null
        resolve()
      }
      const callOff = this.#ports.clock.after(ms, go)
      run.retryNow = go
      signal.addEventListener('abort', go)
      if (signal.aborted) go()
    })
  }

  /** Closes what a run holds; nothing of it is used afterwards. */
  #end(run: Run): void {
    if (this.#run === run) this.#run = null
    const { established } = run
    run.established = null
    this.#tellEnd()
    established?.link.wire.close('disconnected')
    established?.connection.close()
    run.abort.abort(new AppError('CLOSED', 'The session ended.'))
  }

  #tellEnd(): void {
    const listeners = [...this.#endListeners]
    this.#endListeners.clear()
    for (const listener of listeners) listener()
  }

  #step(
    id: ConnectStepId,
    state: ConnectStep['state'],
    detail?: string,
    params: ConnectStep['params'] = {},
    progress: number | null = null,
  ): void {
    // Progress would push everything else out of the log.
    if (detail !== undefined && (progress === null || progress === 0)) {
      this.log.add(`${id} ${state}: ${sentenceOf(id, detail, params)}`)
    }
    this.#dispatch({ type: 'step', id, state, ...(detail === undefined ? {} : { detail, params }), progress })
  }

  #dispatch(event: SessionEvent): void {
    const next = nextSession(this.#session, event)
    if (next === this.#session) return
    this.#session = next
    this.#onChange()
  }
}

function sentenceOf(id: ConnectStepId, detail: string, params: ConnectStep['params']): string {
  const words: Readonly<Record<string, string>> = { ...removeDetails, ...connectDetails[id] }
  return fill(words[detail] ?? detail, params)
}

function describeError(error: unknown): string {
  if (error instanceof AppError) return `${error.code}: ${error.message}`
  return `INTERNAL: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`
}

/** 1, 2, 4 … 30 s, a fifth more or less, so that many consoles do not come back at the same instant. */
export function retryDelayMs(attempt: number, random: number): number {
  const base = Math.min(longestRetryMs, firstRetryMs * 2 ** Math.min(attempt - 1, 10))
  return Math.min(longestRetryMs, base * (0.8 + 0.4 * random))
}

function isRetryable(error: unknown): error is AppError {
  return error instanceof AppError && (error.retryable || error.code === 'TIMEOUT' || error.code === 'CLOSED')
}
