import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { childPids, type ProcessIdentity, processIdentity, signalProcess } from './process-identity.ts'

/**
 * A process tree in namespaces of its own, led through lines on its standard streams. It dies with its owner in three
 * ways: the kernel kills `unshare` when the owner's thread ends (pdeathsig) and process 1 when `unshare` ends
 * (--kill-child), and process 1 ends when its standard input does.
 */
export class ProcessTree {
  readonly name: string
  readonly child: ChildProcessWithoutNullStreams
  /** Resolves when the root of the tree has ended. */
  readonly ended: Promise<void>
  #errors = ''
  #running = true
  readonly #lines: string[] = []
  #wake: () => void = () => undefined

  constructor(name: string, namespaces: readonly string[], argv: readonly string[]) {
    this.name = name
    this.child = spawn(
      'setpriv',
      ['--pdeathsig=KILL', '--', 'unshare', ...namespaces, '--fork', '--kill-child=KILL', '--', ...argv],
      { env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C' }, cwd: '/', stdio: 'pipe' },
    )
    this.child.stdin.on('error', () => undefined)
    this.child.stderr.on('data', (chunk: Buffer) => (this.#errors = (this.#errors + chunk.toString()).slice(-4000)))
    createInterface({ input: this.child.stdout }).on('line', (line) => {
      this.#lines.push(line)
      this.#wake()
    })
    this.ended = new Promise((resolve) => {
      const end = (): void => {
        this.#running = false
        this.#wake()
        resolve()
      }
      this.child.once('error', (error) => {
        this.#errors += error.message
        end()
      })
      // 'exit', not 'close': daemons inside may still hold the streams for an instant.
      this.child.once('exit', end)
    })
  }

  get running(): boolean {
    return this.#running
  }

  /** The root of the tree on the machine: its network namespace is the tree's. */
  get rootPid(): number {
    if (this.child.pid === undefined) throw new Error(`${this.name} was not started: ${this.#errors.trim()}`)
    return this.child.pid
  }

  get identity(): ProcessIdentity | undefined {
    return this.child.pid === undefined ? undefined : processIdentity(this.child.pid)
  }

  /** Resolves when the tree prints `expected`; rejects when it ends before, with what it wrote to stderr. */
  async expectLine(expected: string): Promise<void> {
    for (;;) {
      const line = this.#lines.shift()
      if (line === expected) return
      if (line !== undefined) throw new Error(`${this.name} printed "${line}" where "${expected}" was expected`)
      if (!this.#running)
        throw new Error(`${this.name} ended before "${expected}": ${this.#errors.trim() || '(no output)'}`)
      await new Promise<void>((resolve) => (this.#wake = resolve))
    }
  }

  send(line: string): void {
    this.child.stdin.write(`${line}\n`)
  }

  /** Kills the root, without waiting for the rest, which the kernel ends with it. */
  killNow(): void {
    if (this.#running) this.child.kill('SIGKILL')
  }

  /**
   * Ends the tree at once. Process 1 goes first: it ends only after all others in its pid namespace, so nothing of the
   * tree runs any more when this resolves. The kernel then removes its links and mounts.
   */
  async kill(): Promise<void> {
    if (this.#running) {
      const init = this.child.pid === undefined ? undefined : processIdentity(childPids(this.child.pid)[0] ?? 0)
      if (init === undefined) this.child.kill('SIGKILL')
      else signalProcess(init, 'SIGKILL')
    }
    // Process 1 waits for zombies whose parent is outside; a parent that does not reap must not keep the lab.
    const timer = setTimeout(() => this.child.kill('SIGKILL'), 5000)
    await this.ended.finally(() => clearTimeout(timer))
  }
}
