/** A running QEMU. */
import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, existsSync, openSync, readFileSync, rmSync } from 'node:fs'
import { setTimeout } from 'node:timers/promises'
import { type ProcessIdentity, processIdentity } from '../process-identity.ts'
import { failureMarker, type Machine, machineFiles, qemuCommand, readyMarker } from './qemu.ts'
import { Monitor } from './qmp.ts'

/** A cold boot takes 10 s on two idle cores, and both may be busy. */
const bootLimitMs = 240_000

export class RunningMachine {
  readonly #child: ChildProcess
  readonly #files: ReturnType<typeof machineFiles>
  readonly #errors: string
  readonly ended: Promise<void>
  #isRunning = true

  constructor(machine: Machine) {
    this.#files = machineFiles(machine.stateDir)
    this.#errors = `${machine.stateDir}/qemu.err`
    for (const file of Object.values(this.#files)) rmSync(file, { force: true })
    const errors = openSync(this.#errors, 'w')
    this.#child = spawn('setpriv', ['--pdeathsig=KILL', '--', ...qemuCommand(machine)], {
      env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C' },
      cwd: machine.imageDir,
      stdio: ['ignore', errors, errors],
    })
    closeSync(errors)
    this.ended = new Promise((resolve) => {
      const end = (): void => {
        this.#isRunning = false
        resolve()
      }
      this.#child.once('error', end)
      this.#child.once('exit', end)
    })
  }

  get identity(): ProcessIdentity | undefined {
    return this.#child.pid === undefined ? undefined : processIdentity(this.#child.pid)
  }

  get isRunning(): boolean {
    return this.#isRunning
  }

  /** What the guest has printed so far. */
  get console(): string {
    return existsSync(this.#files.console) ? readFileSync(this.#files.console, 'utf8') : ''
  }

  /** Opens the monitor as soon as QEMU offers it. */
  async monitor(): Promise<Monitor> {
    for (;;) {
      this.#expectRunning('its monitor was there')
      try {
        return await Monitor.open(this.#files.monitor)
      } catch (error) {
        if (!['ENOENT', 'ECONNREFUSED'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error
      }
      await setTimeout(10)
    }
  }

  /** Waits for the end of a cold boot. */
  async ready(): Promise<void> {
    const limit = performance.now() + bootLimitMs
    for (;;) {
      const printed = this.console
      if (printed.includes(failureMarker)) throw new Error(`The guest does not boot; ${this.#lastWords()}`)
      if (printed.includes(readyMarker)) return
      this.#expectRunning('the guest was ready')
      if (performance.now() > limit)
        throw new Error(`The guest is not ready after ${bootLimitMs} ms; ${this.#lastWords()}`)
      await setTimeout(50)
    }
  }

  /** Power off, as by pulling the plug. */
  async kill(): Promise<void> {
    this.killNow()
    await this.ended
  }

  killNow(): void {
    if (this.#isRunning) this.#child.kill('SIGKILL')
  }

  #expectRunning(what: string): void {
    if (!this.#isRunning) throw new Error(`QEMU ended before ${what}; ${this.#lastWords()}`)
  }

  #lastWords(): string {
    const errors = existsSync(this.#errors) ? readFileSync(this.#errors, 'utf8').trim() : ''
    return `qemu: ${errors || '(silent)'}; console: ${this.console.slice(-2000).trim() || '(silent)'}`
  }
}
