import type { Duplex } from 'node:stream'
import type { ConsoleContract, Welcome } from '../../core/contract/console.ts'
import type { Handlers } from '../../core/contract/define.ts'
import type { Answer, ConnectStepId, Question } from '../../core/contract/session.ts'
import type { SshTarget } from '../../core/model/ssh.ts'

/**
 * What the console core needs from the world. Each shell brings its own store and secrets (electron-store and
 * safeStorage, or conf and files); clock and ssh are the same in both and are swapped in tests only.
 */
export interface ConsolePorts {
  readonly store: StorePort
  readonly secrets: SecretsPort
  readonly clock: ClockPort
  readonly ssh: SshPort
}

/** Named JSON documents that outlive a restart. The core validates what it reads; the port only keeps it. */
export interface StorePort {
  /** The document, or undefined where none was ever written. Rejects where it cannot be read as JSON. */
  read(name: StoreName): Promise<unknown>
  /** Replaces the document; resolves when it is on disk. */
  write(name: StoreName, document: unknown): Promise<void>
  /** Puts an unreadable document out of the way under another name, and returns that name or path for the log. */
  setAside(name: StoreName): Promise<string>
}
export const storeNames = ['preferences', 'directors', 'clientHosts', 'access', 'drafts', 'fixes'] as const
export type StoreName = (typeof storeNames)[number]

/** Passwords and passphrases that the operator asked to remember. Ids are opaque to the port. */
export interface SecretsPort {
  /** False where they live for this run only; `reason` says why, in one English sentence. */
  readonly keeps: boolean
  readonly reason: string | null
  get(id: string): Promise<string | null>
  set(id: string, secret: string): Promise<void>
  remove(id: string): Promise<void>
}

export interface ClockPort {
  /** Wall clock, ms since 1970. */
  nowMs(): number
  /** For durations: never goes back. */
  monotonicMs(): number
  /** Calls once after `delayMs`; the returned function calls it off. */
  after(delayMs: number, callback: () => void): () => void
  /** 0 to 1, for jitter and ids that need no secrecy. */
  random(): number
}

/** SSH as the core sees it. The implementation in `ssh/` is the only one that imports ssh2. */
export interface SshPort {
  /**
   * Logs in. Every host key on the way (jump host included) has been verified when this resolves. Rejects with an
   * AppError: SSH_UNREACHABLE, SSH_HOST_KEY_CHANGED, SSH_HOST_KEY_REJECTED, SSH_AUTH, SSH_PASSPHRASE, SSH_JUMP,
   * CANCELLED.
   */
  connect(target: SshTarget, dialog: SshDialog, signal: AbortSignal): Promise<SshConnection>
  /** Hosts of ~/.ssh/config that can be named, patterns left out; empty where there is no such file. */
  configuredHosts(): Promise<{ alias: string; target: SshTarget }[]>
}

/** How a login talks to whoever wanted it. */
export interface SshDialog {
  /** A step began, went on or ended; only `resolve`, `tcp`, `hostKey` and `auth` come from here. */
  step(id: ConnectStepId, state: 'running' | 'done', detail?: string, params?: Record<string, string | number>): void
  /** Something only the operator knows. Rejects where nobody can be asked or the login was called off. */
  ask(question: NewQuestion): Promise<Answer>
  /** One line for the log of this connection; never a secret. */
  readonly log: (line: string) => void
  /** A director in between, where the target is reached through a connection that exists already. */
  readonly through?: SshConnection
}
/** A question before it was given its id. */
export type NewQuestion = WithoutId<Question>
type WithoutId<Q> = Q extends { id: string } ? Omit<Q, 'id'> : never

export interface ExecOptions {
  /** Written to the command's standard input, which is then closed. Left out: closed at once. */
  readonly stdin?: string | Uint8Array
  /** Left out: 30 s. */
  readonly timeoutMs?: number
  /** Most bytes kept of each of stdout and stderr; more is an error for stdout and cut for stderr. Left out: 4 MiB. */
  readonly maxBytes?: number
  readonly signal?: AbortSignal
  /** Called for each complete line of stdout as it arrives. */
  readonly onLine?: (line: string) => void
}

export interface ExecResult {
  /** Exit status; null where a signal ended the command. */
  readonly code: number | null
  readonly signal: string | null
  readonly stdout: string
  readonly stderr: string
}

export interface UploadOptions {
  readonly mode: number
  readonly onProgress?: (sentBytes: number, totalBytes: number) => void
  readonly signal?: AbortSignal
}

/** One authenticated connection; any number of commands and streams run over it at once. */
export interface SshConnection {
  /** Where and as whom, after ~/.ssh/config was applied. */
  readonly target: SshTarget
  /** Runs `argv` as it is: each word is quoted for the remote POSIX shell. A non-zero exit is no error. */
  exec(argv: readonly string[], options?: ExecOptions): Promise<ExecResult>
  /** The command's stdin and stdout as a byte stream; its stderr goes to `onStderr`. */
  open(argv: readonly string[], onStderr: (text: string) => void): Promise<Duplex>
  /** Stream-local forwarding to a UNIX socket there. Rejects with REFUSED where sshd or the socket says no. */
  openUnixSocket(path: string): Promise<Duplex>
  /** Direct TCP from there. */
  openTcp(host: string, port: number): Promise<Duplex>
  /** SFTP; overwrites `remotePath`. */
  upload(localPath: string, remotePath: string, options: UploadOptions): Promise<void>
  /** Called once when the connection is gone, with the reason unless it was closed here. Returns a way to stop that. */
  onClose(listener: (error: Error | null) => void): () => void
  close(): void
}

/** Facts about this program and this run that the shell knows and the core does not. */
export interface ConsoleOptions {
  /** Version of the product, as in package.json; the agent that is installed must be the same. */
  readonly version: string
  /** The workstation's name, for the author of a change. */
  readonly workstation: string
  /** Folder with the agent's tars and their manifest.json. */
  readonly agentPackages: string
  readonly welcome: Welcome | null
  /** One line of the console's own log; already redacted. */
  readonly log: (line: string) => void
}

/** What a shell attaches its wires to. */
export interface Console {
  /** For `core/rpc`: one function for each entry of the contract. */
  readonly handlers: Handlers<ConsoleContract>
  /** Ends every session and timer; pending calls are rejected with CLOSED. */
  close(): Promise<void>
}
