import type { Duplex } from 'node:stream'
import ssh2, { type Client } from 'ssh2'
import { AppError } from '../../../core/contract/errors.ts'
import type { SshDialog } from '../ports.ts'
import { algorithmsFor } from './algorithms.ts'
import { type AnswersSoFar, type Authentication, authentication } from './auth.ts'
import { KeySkipped, type KeySources, credentialsFor } from './credentials.ts'
import { knownHostName, knownKeyTypes } from './known-hosts.ts'
import type { KnownHostsFiles } from './known-hosts-files.ts'
import type { ResolvedHop } from './ssh-config-file.ts'
import { type HostVerifier, hostVerifier } from './verify-host.ts'

/** What every login of this workstation shares. */
export interface LoginContext {
  readonly knownHosts: KnownHostsFiles
  readonly keys: KeySources
  readonly keepaliveMs: number
}

/** Without progress for this long, and nobody being asked, the server counts as gone. */
const stallMs = 20_000
/** A question may outlive the server's patience (LoginGraceTime); so often the login starts anew with the answers. */
const maxAttempts = 8

/**
 * Logs in to one hop.
 *
 * @param openTransport opens the byte stream to its sshd; called again when a login must start anew
 */
export async function login(
  hop: ResolvedHop,
  openTransport: () => Promise<Duplex>,
  context: LoginContext,
  dialog: SshDialog,
  signal: AbortSignal,
): Promise<Client> {
  const asked = trackQuestions(dialog)
  const lines = await context.knownHosts.read()
  const verifier = hostVerifier(hop.host, hop.port, lines, context.knownHosts, asked.dialog)
  const credentials = await credentialsFor(hop, context.keys, asked.dialog)
  const answers: AnswersSoFar = { password: null }
  const knownTypes = knownKeyTypes(lines, knownHostName(hop.host, hop.port))

  for (let attempt = 1; ; attempt++) {
    signal.throwIfAborted()
    const transport = await openTransport()
    const auth = authentication(hop, credentials, asked.dialog, answers)
    const hadQuestions = asked.count()
    try {
      return await attemptLogin({
        hop,
        transport,
        verifier,
        auth,
        knownTypes,
        asked,
        signal,
        keepaliveMs: context.keepaliveMs,
      })
    } catch (error) {
      await asked.settled()
      signal.throwIfAborted()
      const final = verifier.failure() ?? auth.fatal()
      if (final !== null) throw final
      const wasLostWhileAsking = error instanceof ConnectionLost && asked.count() > hadQuestions
      if (!wasLostWhileAsking || attempt >= maxAttempts) throw failureOf(error, hop, auth)
      dialog.log(`${hop.host} closed the connection while a question was open; logging in again.`)
    }
  }
}

/** The transport ended before the login was through. */
class ConnectionLost extends Error {}

interface Attempt {
  readonly hop: ResolvedHop
  readonly transport: Duplex
  readonly verifier: HostVerifier
  readonly auth: Authentication
  readonly knownTypes: readonly string[]
  readonly asked: TrackedDialog
  readonly signal: AbortSignal
  readonly keepaliveMs: number
}

function attemptLogin(attempt: Attempt): Promise<Client> {
  const { hop, transport, verifier, auth, knownTypes, asked, signal, keepaliveMs } = attempt
  const { dialog } = asked
  return new Promise((resolve, reject) => {
    const client = new ssh2.Client()
    let isOver = false
    const stall = stallTimer(() => end(new ConnectionStalled()), asked)
    const onAbort = () => end(signal.reason)
    const end = (outcome: unknown) => {
      if (isOver) return
      isOver = true
      stall.stop()
      signal.removeEventListener('abort', onAbort)
      if (outcome === client) return resolve(client)
      client.destroy()
      transport.destroy()
      reject(outcome)
    }
    signal.addEventListener('abort', onAbort)

    // ssh2 emits errors after the login too; without a listener they would end the program.
    client.on('error', (error) => {
      // Errors of one key (agent gone, passphrase not given) do not end the login: ssh2 goes on to the next method.
      if ('level' in error && error.level === 'agent' && !(error instanceof AppError)) {
        if (!(error instanceof KeySkipped)) dialog.log(`A key could not be used: ${error.message}.`)
        return
      }
      end(isLoss(error) ? new ConnectionLost(error.message, { cause: error }) : error)
    })
    client.on('close', () => end(new ConnectionLost('closed')))
    client.on('change password', () => {
      end(
        new AppError('SSH_AUTH', `The password of ${hop.user}@${hop.host} has expired and must be changed.`, {
          hint: `Log in once with: ssh -p ${hop.port} ${hop.user}@${hop.host}`,
        }),
      )
    })
    client.on('handshake', () => {
      stall.progress()
      const { detail, params } = verifier.outcome()
      verifier.keep().then(
        () => dialog.step('hostKey', 'done', detail, params),
        (error: unknown) => end(error),
      )
    })
    client.on('ready', () => {
      const { detail, params } = auth.lastTried()
      dialog.step('auth', 'done', detail, params)
      end(client)
    })

    dialog.step('hostKey', 'running', 'exchanging')
    try {
      client.connect({
        sock: transport,
        username: hop.user,
        algorithms: algorithmsFor(knownTypes),
        readyTimeout: 0,
        keepaliveInterval: keepaliveMs,
        keepaliveCountMax: 3,
        hostVerifier: (key: Buffer, verified: (isFine: boolean) => void) => {
          stall.progress()
          verifier.verify(key).then(verified, (error: unknown) => {
            end(error)
            verified(false)
          })
        },
        authHandler: (methodsLeft, partialSuccess, callback) => {
          stall.progress()
          dialog.step('auth', 'running', 'trying', { user: hop.user })
          auth.next(methodsLeft, partialSuccess, (method) => {
            if (isOver) return
            // The types leave out `false`, which is how "nothing left" is said.
            callback(method as never)
          })
        },
      })
    } catch (error) {
      end(error)
    }
  })
}

class ConnectionStalled extends Error {}

function isLoss(error: Error): boolean {
  const { level, code } = error as Error & { level?: string; code?: unknown }
  return level === 'client-socket' || level === 'protocol' || (level === undefined && typeof code === 'string')
}

function stallTimer(onStall: () => void, asked: TrackedDialog): { progress(): void; stop(): void } {
  let timer: NodeJS.Timeout
  const arm = () => {
    timer = setTimeout(() => (asked.isOpen() ? arm() : onStall()), stallMs)
  }
  arm()
  return {
    progress() {
      clearTimeout(timer)
      arm()
    },
    stop: () => clearTimeout(timer),
  }
}

interface TrackedDialog {
  readonly dialog: SshDialog
  isOpen(): boolean
  /** How many questions were ever asked. */
  count(): number
  /** Resolves when no question is open. */
  settled(): Promise<void>
}

function trackQuestions(dialog: SshDialog): TrackedDialog {
  const open = new Set<Promise<unknown>>()
  let count = 0
  return {
    dialog: {
      ...dialog,
      ask(question) {
        count++
        const answer = dialog.ask(question)
        open.add(answer)
        const closed = () => open.delete(answer)
        answer.then(closed, closed)
        return answer
      },
    },
    isOpen: () => open.size > 0,
    count: () => count,
    settled: async () => {
      await Promise.allSettled(open)
      // What the answer leads to (pinning a key, remembering a password) runs in the reactions of the same promise.
      await new Promise((resolve) => setImmediate(resolve))
    },
  }
}

function failureOf(error: unknown, hop: ResolvedHop, auth: Authentication): AppError {
  if (error instanceof AppError) return error
  const where = `${hop.host} port ${hop.port}`
  if (error instanceof ConnectionStalled) {
    return new AppError(
      'SSH_UNREACHABLE',
      `${where} accepted the connection and then said nothing for ${stallMs / 1000} s.`,
      {
        hint: 'Check that an SSH server listens on this port and is not overloaded.',
        retryable: true,
      },
    )
  }
  const { level, message } = error as Error & { level?: string }
  if (level === 'client-authentication') return auth.failure()
  if (/too many authentication failures/i.test(message)) {
    return new AppError('SSH_AUTH', `${where} ended the login: too many keys were tried.`, {
      hint: 'Give the key file in the profile, then no other key is offered.',
      details: { message },
    })
  }
  if (level === 'handshake') {
    return new AppError('SSH_UNREACHABLE', `${where} and this console share no acceptable algorithm: ${message}.`, {
      hint: 'SHA-1 signatures, CBC ciphers and DSA keys are not used. Update sshd there, or allow newer algorithms in its configuration.',
      details: { message },
    })
  }
  if (error instanceof ConnectionLost) {
    const cause = error.cause as (Error & { code?: string | number }) | undefined
    return new AppError('SSH_UNREACHABLE', `${where} closed the connection during the login.`, {
      hint: 'sshd may be limiting connections (MaxStartups), or a firewall or fail2ban may be closing them. Look into its log.',
      cause: error,
      details: { message: cause?.message ?? message, errno: String(cause?.code ?? '') },
      retryable: true,
    })
  }
  return new AppError('SSH_UNREACHABLE', `The login to ${where} failed: ${message}.`, { retryable: true, cause: error })
}
