import { once } from 'node:events'
import type { Guest } from '../../lab/guest/guest.ts'

/**
 * One shell on a host, kept open: a command costs what it costs by itself, without a login and a namespace's entrance.
 * What it cannot tell apart is output and errors: both are in the text.
 */
export class Shell {
  readonly #child: ReturnType<Guest['spawn']>
  #printed = ''
  #wake: () => void = () => undefined

  constructor(guest: Guest, host: string) {
    this.#child = guest.spawn(['sh', '-c', 'exec sh 2>&1'], { host })
    this.#child.stdout.on('data', (chunk: Buffer) => {
      this.#printed += chunk.toString()
      this.#wake()
    })
    this.#child.on('close', () => this.#wake())
  }

  /** Runs a script and returns what it printed. Rejects with that where its last command fails. */
  async run(script: string): Promise<string> {
    this.#printed = ''
    this.#child.stdin.write(`${script}\necho "-- $?"\n`)
    for (;;) {
      const end = /(?:^|\n)-- (\d+)\n$/.exec(this.#printed)
      if (end !== null) {
        const text = this.#printed.slice(0, end.index === 0 ? 0 : end.index + 1)
        if (end[1] === '0') return text
        throw new Error(`${script}\nended with ${end[1]}: ${text}`)
      }
      if (this.#child.exitCode !== null) throw new Error(`the shell ended: ${this.#printed}`)
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
  }

  async end(): Promise<void> {
    const ended = once(this.#child, 'close')
    this.#child.stdin.end()
    await ended
  }
}
