import { connect, type Socket } from 'node:net'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { setTimeout } from 'node:timers/promises'
import { z } from 'zod'

const Message = z.union([
  z.object({ return: z.unknown() }),
  z.object({ error: z.object({ class: z.string(), desc: z.string() }) }),
  z.object({ event: z.string() }),
  z.object({ QMP: z.unknown() }),
])
const Status = z.object({ status: z.string() })
const Migration = z.object({ status: z.string().optional(), 'error-desc': z.string().optional() })

/** QEMU's monitor: one command at a time, each with its answer (qemu's docs/interop/qmp-spec). */
export class Monitor {
  readonly #socket: Socket
  readonly #answers: ((answer: z.infer<typeof Message> | undefined) => void)[] = []

  private constructor(socket: Socket) {
    this.#socket = socket
    createInterface({ input: socket }).on('line', (line) => {
      const message = Message.parse(JSON.parse(line))
      if ('return' in message || 'error' in message) this.#answers.shift()?.(message)
    })
    socket.on('error', () => undefined)
    socket.on('close', () => {
      for (const answer of this.#answers.splice(0)) answer(undefined)
    })
  }

  /** Rejects with ENOENT or ECONNREFUSED while QEMU has not made its socket. */
  static async open(path: string): Promise<Monitor> {
    const socket = connect(path)
    await once(socket, 'connect')
    const monitor = new Monitor(socket)
    await monitor.#command('qmp_capabilities')
    return monitor
  }

  async #command(name: string, parameters: Readonly<Record<string, unknown>> = {}): Promise<unknown> {
    const answer = await new Promise<z.infer<typeof Message> | undefined>((resolve) => {
      if (this.#socket.destroyed) return resolve(undefined)
      this.#answers.push(resolve)
      this.#socket.write(`${JSON.stringify({ execute: name, arguments: parameters })}\n`)
    })
    if (answer === undefined) throw new Error(`QEMU ended before it answered ${name}`)
    if ('error' in answer) throw new Error(`QEMU refused ${name}: ${answer.error.desc}`)
    return 'return' in answer ? answer.return : undefined
  }

  /** Waits until the snapshot is read, then lets the guest go on. */
  async resume(): Promise<void> {
    while (Status.parse(await this.#command('query-status')).status === 'inmigrate') await setTimeout(10)
    await this.#command('cont')
  }

  /** Writes the memory and the devices to a file beside the image's; the guest stands still from here on. */
  async saveAs(name: string): Promise<void> {
    await this.#command('stop')
    await this.#command('migrate-set-parameters', { 'max-bandwidth': 2 ** 33 })
    await this.#command('migrate', { uri: `exec:cat > ${name}` })
    for (;;) {
      const { status, 'error-desc': reason } = Migration.parse(await this.#command('query-migrate'))
      if (status === 'completed') return
      if (status === 'failed' || status === 'cancelled') throw new Error(`The snapshot was not written: ${reason}`)
      await setTimeout(20)
    }
  }

  /** The port of the machine that leads to the guest's sshd. */
  async forwardedPort(): Promise<number> {
    const shown = z.string().parse(await this.#command('human-monitor-command', { 'command-line': 'info usernet' }))
    const [, port] = /^\s*TCP\[HOST_FORWARD\]\s+\d+\s+127\.0\.0\.1\s+(\d+)\s/m.exec(shown) ?? []
    if (port === undefined) throw new Error(`QEMU forwards no port to the guest: ${shown}`)
    return Number(port)
  }

  close(): void {
    this.#socket.destroy()
  }
}
