import { type ChildProcess, type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const environment = { PATH: process.env['PATH'] }

/** A word of a POSIX shell: sshd joins the words of a command and gives them to the account's shell. */
export const quote = (word: string): string =>
  /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`

/**
 * OpenSSH's way into a guest. One connection carries all commands: under emulation each login costs half a second.
 * Nothing of the operator's account is read or written.
 */
export class SshConnection {
  readonly configFile: string
  readonly #control: string
  #master: ChildProcess | undefined

  constructor(stateDir: string, keyFile: string, hostKeyFile: string, port: number) {
    this.configFile = join(stateDir, 'ssh_config')
    this.#control = join(stateDir, 'ssh')
    const knownHosts = join(stateDir, 'known_hosts')
    const [type, blob] = readFileSync(`${hostKeyFile}.pub`, 'utf8').split(' ')
    writeFileSync(knownHosts, `[127.0.0.1]:${port} ${type} ${blob}\n`, { mode: 0o600 })
    const lines = [
      'Host guest',
      '  HostName 127.0.0.1',
      `  Port ${port}`,
      '  User root',
      `  IdentityFile ${keyFile}`,
      '  IdentitiesOnly yes',
      '  IdentityAgent none',
      `  UserKnownHostsFile ${knownHosts}`,
      '  GlobalKnownHostsFile none',
      '  UpdateHostKeys no',
      '  StrictHostKeyChecking yes',
      '  BatchMode yes',
      '  LogLevel ERROR',
    ]
    writeFileSync(this.configFile, `${lines.join('\n')}\n`, { mode: 0o600 })
  }

  /** Logs in; commands may be started when this has resolved. */
  async open(): Promise<void> {
    rmSync(this.#control, { force: true })
    const argv = ['-F', this.configFile, '-M', '-N', '-S', this.#control]
    // A local command runs when the login is through, and the socket for further commands is there before.
    argv.push('-o', 'PermitLocalCommand=yes', '-o', 'LocalCommand=echo in', 'guest')
    const master = spawn('setpriv', ['--pdeathsig=KILL', '--', 'ssh', ...argv], {
      env: environment,
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    this.#master = master
    let errors = ''
    master.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()))
    const ended = once(master, 'close').then(() => {
      throw new Error(`ssh into the guest ended: ${errors.trim() || '(silent)'}`)
    })
    ended.catch(() => undefined)
    await Promise.race([once(master.stdout, 'data'), ended])
  }

  /** Starts a command in the guest; no word is changed by a shell. */
  start(argv: readonly string[]): ChildProcessWithoutNullStreams {
    const child = spawn('ssh', ['-F', this.configFile, '-S', this.#control, 'guest', argv.map(quote).join(' ')], {
      env: environment,
      stdio: 'pipe',
    })
    child.stdin.on('error', () => undefined)
    return child
  }

  closeNow(): void {
    this.#master?.kill('SIGKILL')
  }

  async close(): Promise<void> {
    const master = this.#master
    this.#master = undefined
    if (master === undefined || master.exitCode !== null || master.signalCode !== null) return
    const ended = once(master, 'close')
    master.kill('SIGKILL')
    await ended
  }
}
