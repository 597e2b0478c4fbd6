import type { AnyAuthMethod, AuthenticationType, KeyboardInteractiveCallback, Prompt } from 'ssh2'
import type { DetailOf } from '../../../core/contract/connect-details.ts'
import { AppError } from '../../../core/contract/errors.ts'
import type { SshDialog } from '../ports.ts'
import type { Credential } from './credentials.ts'
import type { ResolvedHop } from './ssh-config-file.ts'

/** One login's way through the methods: keys, then keyboard-interactive, then password. */
export interface Authentication {
  /** For ssh2: the next thing to try, or `false` when nothing is left. */
  next(
    methodsLeft: AuthenticationType[] | null,
    partialSuccess: boolean | null,
    callback: (method: AnyAuthMethod | false) => void,
  ): void
  /** What was tried last; after success, what worked. */
  lastTried(): { detail: DetailOf<'auth'>; params: Record<string, string> }
  /** Why nothing worked. */
  failure(): AppError
  /** A failure that ends the login whatever is left to try, e.g. a question that was called off. */
  fatal(): AppError | null
}

/** What the operator said in earlier attempts of the same login: the server may close while a question is open. */
export interface AnswersSoFar {
  password: string | null
}

interface Candidate {
  readonly method: 'publickey' | 'keyboard-interactive' | 'password'
  readonly label: string
  readonly detail: DetailOf<'auth'>
  readonly params: Record<string, string>
  readonly credential: Credential | null
  /** How often it may be tried. */
  tries: number
}

const typedTries = 3

/** @param askedBefore kept by the caller over the attempts of one login */
export function authentication(
  hop: ResolvedHop,
  credentials: readonly Credential[],
  dialog: SshDialog,
  askedBefore: AnswersSoFar,
): Authentication {
  const typed = { params: { user: hop.user }, credential: null, tries: typedTries }
  const candidates: Candidate[] = [
    ...credentials.map(
      (credential): Candidate => ({
        method: 'publickey',
        label: credential.detail === 'agent' ? `SSH agent: ${credential.label}` : credential.label,
        detail: credential.detail,
        params: { user: hop.user, keyFile: credential.label },
        credential,
        tries: 1,
      }),
    ),
    { ...typed, method: 'keyboard-interactive', label: 'keyboard-interactive', detail: 'keyboard' },
    { ...typed, method: 'password', label: 'password', detail: 'password' },
  ]

  const tried: string[] = []
  let current: Candidate | null = null
  /** The accepted key after which the server was asked again what is left. */
  let askedAgainAfter: Candidate | null = null
  let offered: readonly string[] = []
  let fatal: AppError | null = null
  let passwordsTried = 0

  const askPassword = async (): Promise<string | null> => {
    if (passwordsTried >= typedTries) return null
    if (passwordsTried === 0 && askedBefore.password !== null) {
      passwordsTried++
      return askedBefore.password
    }
    const answer = await dialog.ask({
      kind: 'password',
      user: hop.user,
      host: hop.host,
      wasWrong: passwordsTried++ > 0,
    })
    askedBefore.password = answer.kind === 'secrets' ? (answer.secrets[0] ?? '') : null
    return askedBefore.password
  }

  const answerPrompts = async (instructions: string, prompts: readonly Prompt[]): Promise<string[] | null> => {
    if (prompts.length === 0) return []
    const [only] = prompts
    if (prompts.length === 1 && only?.echo !== true && /password/i.test(only?.prompt ?? '')) {
      const password = await askPassword()
      return password === null ? null : [password]
    }
    const answer = await dialog.ask({
      kind: 'keyboard',
      host: hop.host,
      instructions,
      prompts: prompts.map(({ prompt, echo }) => ({ prompt, echo: echo ?? false })),
    })
    return answer.kind === 'secrets' ? answer.secrets : null
  }

  const giveUp = (error: unknown): void => {
    fatal ??= error instanceof AppError ? error : new AppError('CANCELLED', 'The login was called off.')
  }

  const start = async (candidate: Candidate): Promise<AnyAuthMethod | null> => {
    if (candidate.credential !== null) {
      return { type: 'agent', username: hop.user, agent: candidate.credential.agent }
    }
    if (candidate.method === 'password') {
      const password = await askPassword()
      return password === null ? null : { type: 'password', username: hop.user, password }
    }
    return {
      type: 'keyboard-interactive',
      username: hop.user,
      prompt: (_name: string, instructions: string, _language: string, prompts: Prompt[], finish) => {
        answerPrompts(instructions, prompts).then((answers) => {
          if (answers === null) candidate.tries = 0
          finish(answers ?? [])
        }, stop(finish))
      },
    }
  }
  /** The server waits for an answer that will not come: an empty one makes it refuse, and `next` then ends the login. */
  const stop = (finish: KeyboardInteractiveCallback) => (error: unknown) => {
    giveUp(error)
    finish([])
  }

  const choose = async (): Promise<AnyAuthMethod | false> => {
    for (;;) {
      const candidate = candidates.find(({ method, tries }) => tries > 0 && offered.includes(method))
      if (candidate === undefined || fatal !== null) return false
      candidate.tries--
      const method = await start(candidate)
      if (method === null) {
        candidate.tries = 0
        continue
      }
      current = candidate
      tried.push(candidate.label)
      return method
    }
  }

  return {
    next(methodsLeft, _partialSuccess, callback) {
      // "none" first, to learn what the server offers. And again after a key that was accepted without ending the login
      // (a second factor follows): ssh2 does not pass on what is left to do in that case.
      const accepted = current?.credential?.wasAccepted() === true ? current : null
      if (fatal !== null) return callback(false)
      if (methodsLeft === null || (accepted !== null && accepted !== askedAgainAfter)) {
        askedAgainAfter = accepted
        return callback({ type: 'none', username: hop.user })
      }
      offered = methodsLeft
      choose().then(callback, (error: unknown) => {
        giveUp(error)
        callback(false)
      })
    },
    lastTried: () =>
      current === null
        ? { detail: 'none', params: { user: hop.user } }
        : { detail: current.detail, params: current.params },
    failure: () =>
      fatal ??
      new AppError('SSH_AUTH', `${hop.user}@${hop.host} was not let in: ${describe(tried)}.`, {
        hint: hintFor(offered, credentials.length),
        details: { offered: offered.join(', '), tried: tried.join(', ') },
      }),
    fatal: () => fatal,
  }
}

function describe(tried: readonly string[]): string {
  return tried.length === 0 ? 'there was nothing to try' : `the server refused ${[...new Set(tried)].join(', ')}`
}

function hintFor(offered: readonly string[], keys: number): string {
  const accepts = offered.length === 0 ? '' : `The server accepts ${offered.join(', ')}. `
  return keys === 0
    ? `${accepts}No key was found in the SSH agent or in ~/.ssh; give a key file in the profile.`
    : `${accepts}Check the user, and that the public key stands in ~/.ssh/authorized_keys there.`
}
