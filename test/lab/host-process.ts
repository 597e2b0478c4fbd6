import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout } from 'node:timers/promises'
import { childPids, processIdentity, signalProcess } from './process-identity.ts'

/** What a command in a lab host left behind. `code` is 128 + signal number where a signal ended it, as in a shell. */
export interface ExecResult {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

export interface ExecOptions {
  /** Written to the standard input, which is then closed. */
  readonly stdin?: string | Uint8Array
  /** Added to the clean environment of the host. Nothing of the owner's environment is passed on. */
  readonly env?: Readonly<Record<string, string>>
  readonly cwd?: string
  /** The command is killed and the call rejects after this time. Default 60,000. */
  readonly timeoutMs?: number
  /** Reject when the exit code is not 0. */
  readonly mustSucceed?: boolean
}

/** Environment of commands in a lab host: a root login there, without the operator's agent socket, proxies or locale. */
export const hostEnvironment: Readonly<Record<string, string>> = {
  PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
  HOME: '/root',
  USER: 'root',
  LOGNAME: 'root',
  SHELL: '/bin/bash',
  LANG: 'C.UTF-8',
  TERM: 'dumb',
}

/**
 * Command line that enters the namespaces of process `initPid` and runs `argv` there. Two processes stand before it:
 * nsenter on the machine, which must live to reap (process 1 of the host cannot end before), and an `unshare` without
 * namespaces inside, which passes on the exit status but not a stop: nsenter would stop itself with its child.
 */
export const enterCommand = (initPid: number, argv: readonly string[], cwd = '/root'): string[] => [
  'nsenter',
  `--target=${initPid}`,
  '--mount',
  '--uts',
  '--ipc',
  '--net',
  '--pid',
  '--',
  'unshare',
  '--fork',
  '--kill-child=KILL',
  '--',
  'env',
  `--chdir=${cwd}`,
  ...argv,
]

/**
 * Script that stops all processes of a host but process 1, those that stand before an entered command (their parent is
 * outside: 0), and itself.
 */
export const pauseScript = `
for dir in /proc/[0-9]*; do
  parent=0
  while read -r key value; do
    if [ "$key" = PPid: ]; then parent=$value; break; fi
  done 2>/dev/null <"$dir/status" || true
  if [ "$parent" != 0 ] && [ "\${dir#/proc/}" != "$$" ]; then kill -STOP "\${dir#/proc/}" 2>/dev/null || true; fi
done`

const signalNumbers: Readonly<Partial<Record<NodeJS.Signals, number>>> = {
  SIGHUP: 1,
  SIGINT: 2,
  SIGKILL: 9,
  SIGTERM: 15,
}

/** A command running in a lab host, entered from the owner. It ends with the host and with the owner. */
export class HostProcess {
  readonly argv: readonly string[]
  /** The entering process on the machine; its standard streams are the command's. */
  readonly child: ChildProcessWithoutNullStreams
  /** Resolves when the command has ended. */
  readonly ended: Promise<number>
  #running = true

  constructor(initPid: number, argv: readonly string[], options: Pick<ExecOptions, 'env' | 'cwd'> = {}) {
    this.argv = argv
    const [command = '', ...args] = enterCommand(initPid, argv, options.cwd)
    this.child = spawn(command, args, { env: { ...hostEnvironment, ...options.env }, stdio: 'pipe', cwd: '/' })
    // The command may end without reading what is sent to it.
    this.child.stdin.on('error', () => undefined)
    this.ended = new Promise((resolve, reject) => {
      this.child.once('error', reject)
      this.child.once('close', (code, signal) => {
        this.#running = false
        resolve(code ?? 128 + ((signal && signalNumbers[signal]) || 0))
      })
    })
    this.ended.catch(() => undefined)
  }

  get running(): boolean {
    return this.#running
  }

  /** Pid of the command itself as the machine sees it; undefined before it has started and after it has ended. */
  get pid(): number | undefined {
    const standIn = this.child.pid === undefined ? undefined : childPids(this.child.pid)[0]
    return standIn === undefined ? undefined : childPids(standIn)[0]
  }

  /** Signals the command itself, as soon as it has started, and waits for its end. */
  async kill(signal: NodeJS.Signals = 'SIGTERM'): Promise<number> {
    while (this.#running && this.pid === undefined) await setTimeout(5)
    const identity = this.pid === undefined ? undefined : processIdentity(this.pid)
    if (identity !== undefined) signalProcess(identity, signal)
    return this.ended
  }

  /** Resolves with the first line of standard output; rejects when the command ends without one. */
  async firstLine(): Promise<string> {
    let seen = ''
    let errors = ''
    this.child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()))
    while (!seen.includes('\n')) {
      const next = await Promise.race([once(this.child.stdout, 'data'), this.ended])
      if (typeof next === 'number') {
        throw new Error(
          `${this.argv.join(' ')} ended with ${next} before its first line: ${errors.trim() || '(no output)'}`,
        )
      }
      seen += (next[0] as Buffer).toString()
    }
    return seen.slice(0, seen.indexOf('\n'))
  }
}

/** Runs a command in the host whose process 1 is `initPid` and collects its output. */
export const execInHost = async (
  initPid: number,
  hostName: string,
  argv: readonly string[],
  options: ExecOptions = {},
): Promise<ExecResult> => {
  const running = new HostProcess(initPid, argv, options)
  const output: Buffer[] = []
  const errors: Buffer[] = []
  running.child.stdout.on('data', (chunk: Buffer) => output.push(chunk))
  running.child.stderr.on('data', (chunk: Buffer) => errors.push(chunk))
  running.child.stdin.end(options.stdin ?? '')
  const timeoutMs = options.timeoutMs ?? 60_000
  let timedOut = false
  const timer = globalThis.setTimeout(() => {
    timedOut = true
    void running.kill('SIGKILL')
    // A daemon that the command left behind may hold the streams, and they would never close.
    running.child.stdout.destroy()
    running.child.stderr.destroy()
  }, timeoutMs)
  const code = await running.ended.finally(() => clearTimeout(timer))
  const result = { code, stdout: Buffer.concat(output).toString(), stderr: Buffer.concat(errors).toString() }
  const where = `${argv.join(' ')} on ${hostName}`
  if (timedOut) throw new Error(`${where} did not end within ${timeoutMs} ms; stderr: ${result.stderr.trim()}`)
  if (options.mustSucceed === true && code !== 0) {
    throw new Error(`${where} ended with ${code}; stderr: ${result.stderr.trim()}; stdout: ${result.stdout.trim()}`)
  }
  return result
}
