import type { RealServerAccess } from '../../core/model/ssh.ts'
import type { ExecOptions, ExecResult } from './ports.ts'

/** What to run: words that are quoted one by one, or a POSIX sh script of ours with its arguments ($1, $2, …). */
export type HostCommand =
  | readonly string[]
  | {
      /** Sent over standard input to `sh -s`; never put input into its text, pass it in `args`. */
      readonly script: string
      readonly args?: readonly string[]
    }

export interface HostRunOptions extends Omit<ExecOptions, 'stdin'> {
  /** Standard input of a command given as words; a script has none. */
  readonly stdin?: string
  /** As root: directly where the login is root, else by `sudo -n`; REFUSED where neither works. */
  readonly asRoot?: boolean
}

/** A shell on a host that a director's checks concern: the director itself or one of its real servers. */
export interface HostShell {
  /** `director` or the real server's address, as asked for. */
  readonly host: string
  /** Who is logged in, e.g. `root`. */
  readonly user: string
  /** True where the login is root or `sudo -n` works there; asked once per connection. */
  canBeRoot(): Promise<boolean>
  /** A non-zero exit is a result, not an error. Rejects with AppError: TIMEOUT, TOO_LARGE, CLOSED, REFUSED, CANCELLED. */
  run(command: HostCommand, options?: HostRunOptions): Promise<ExecResult>
}

/** SSH access to the hosts around a director; connections are pooled and closed when idle or when the director goes. */
export interface Hosts {
  /**
   * Opens, or takes from the pool. `access` is how a real server is reached; left out: as stored for that address, else
   * `direct`. Null where it is `none`: the host's checks read "not checked". The director must be connected (OFFLINE).
   * An unknown host key becomes a question on the director's session and this waits for its answer; other failures are
   * the AppErrors of SSH.
   */
  openHost(
    directorId: string,
    host: string,
    options?: { readonly access?: RealServerAccess; readonly signal?: AbortSignal },
  ): Promise<HostShell | null>
}
