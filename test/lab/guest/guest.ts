/**
 * A guest: a machine of its own with a kernel that has IPVS, restored from the memory of one that has booted. It ends
 * with `stop()`, and with this process, however that ends.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { basename, dirname, join } from 'node:path'
import { text } from 'node:stream/consumers'
import type { ExecResult } from '../host-process.ts'
import { readFingerprint } from '../ssh-server.ts'
import { tearDownAtExit } from '../teardown.ts'
import { makeKeptDisk } from './disks.ts'
import { makeStateDir, removeGuestDir, sweepGuests, writeGuestRecord } from './guest-state.ts'
import { guestImage } from './image.ts'
import { RunningMachine } from './machine.ts'
import type { Image } from './places.ts'
import type { Machine } from './qemu.ts'
import { SshConnection } from './ssh-connection.ts'

export interface GuestOptions {
  /**
   * Keep what the guest writes over a power cycle. Such a guest starts cold, in about 10 s, with nothing loaded but what
   * its /etc/modules-load.d says. Default false: restored in about 3 s with everything loaded, and gone when it ends.
   */
  readonly keepsDisk?: boolean
  /**
   * `unloaded`: the module can be loaded, and is not; `absent`: this kernel has none. Default `loaded`, or `unloaded`
   * in a guest that starts cold.
   */
  readonly ipvs?: 'loaded' | 'unloaded' | 'absent'
  /** Further words of the kernel's command line, such as `ipv6.disable=1`. Such a guest starts cold. */
  readonly kernelWords?: readonly string[]
}

export interface GuestExecOptions {
  /** A host of the topology inside the guest. Default: the guest itself, its first network namespace. */
  readonly host?: string
  readonly stdin?: string | Uint8Array
  /** The call rejects after this time. Default 60,000; everything takes ten times as long under emulation. */
  readonly timeoutMs?: number
}

/** Words that run a command in a host of the topology. Its files are the guest's: only the network is its own. */
export const onHost = (host: string | undefined, argv: readonly string[]): string[] =>
  host === undefined ? [...argv] : ['nsenter', `--net=/run/netns/${host}`, '--', ...argv]

const unloadIpvs = `for module in $(lsmod | grep -o '^ip_vs_[a-z_]*'); do rmmod "$module"; done; rmmod xt_ipvs ip_vs`
const loadIpvs = 'modprobe -a $(grep ^ip_vs /usr/local/lib/lab/modules)'
const hideIpvs = 'rm -r /lib/modules/*/kernel/net/netfilter/ipvs; depmod'

export class Guest {
  readonly stateDir: string
  /** Private key of the guest's root account. */
  readonly keyFile: string
  /** `SHA256:…` of the host key. */
  readonly fingerprint: string
  readonly #image: Image
  readonly #keptDisk: string | undefined
  readonly #kernelWords: readonly string[]
  readonly #forget: () => void
  #machine: RunningMachine | undefined
  #ssh: SshConnection | undefined
  #port = 0
  #stopping: Promise<void> | undefined

  private constructor(stateDir: string, image: Image, fingerprint: string, options: GuestOptions) {
    this.stateDir = stateDir
    this.keyFile = image.clientKey
    this.fingerprint = fingerprint
    this.#image = image
    this.#kernelWords = options.kernelWords ?? []
    this.#keptDisk = options.keepsDisk === true ? join(stateDir, 'disk.ext4') : undefined
    this.#forget = tearDownAtExit({
      now: () => {
        this.#machine?.killNow()
        this.#ssh?.closeNow()
        removeGuestDir(stateDir)
      },
      stop: () => this.stop(),
    })
  }

  /** See `startGuest`. */
  static async start(options: GuestOptions): Promise<Guest> {
    sweepGuests()
    const image = await guestImage()
    const guest = new Guest(makeStateDir(), image, await readFingerprint(`${image.hostKey}.pub`), options)
    try {
      if (guest.#keptDisk !== undefined) await makeKeptDisk(guest.#keptDisk)
      await guest.#powerOn()
      await guest.#arrangeIpvs(options)
      return guest
    } catch (error) {
      await guest.stop()
      throw error
    }
  }

  /** A guest that starts cold cannot continue a snapshot: that has another disk or another kernel command line. */
  get #isCold(): boolean {
    return this.#keptDisk !== undefined || this.#kernelWords.length > 0
  }

  async #arrangeIpvs({ ipvs = this.#isCold ? 'unloaded' : 'loaded' }: GuestOptions): Promise<void> {
    if (this.#isCold && ipvs === 'loaded') await this.run(loadIpvs)
    if (!this.#isCold && ipvs !== 'loaded') await this.run(unloadIpvs)
    if (ipvs === 'absent') await this.run(hideIpvs)
  }

  async #powerOn(): Promise<void> {
    const machine: Machine = {
      imageDir: this.#image.dir,
      stateDir: this.stateDir,
      kernelWords: this.#kernelWords,
      ...(this.#isCold ? {} : { restore: true }),
      ...(this.#keptDisk === undefined ? {} : { keptDisk: this.#keptDisk }),
    }
    this.#machine = new RunningMachine(machine)
    writeGuestRecord(this.stateDir, this.#machine.identity)
    const monitor = await this.#machine.monitor()
    try {
      if (this.#isCold) await this.#machine.ready()
      else await monitor.resume()
      this.#port = await monitor.forwardedPort()
    } finally {
      monitor.close()
    }
    this.#ssh = new SshConnection(this.stateDir, this.#image.clientKey, this.#image.hostKey, this.#port)
    await this.#ssh.open()
    // A restored guest's clock stands where the snapshot was made.
    await this.exec(['date', '--set', `@${(Date.now() / 1000).toFixed(3)}`])
  }

  /** Port on 127.0.0.1 that leads to the guest's sshd; another one after a power cycle. */
  get port(): number {
    return this.#port
  }

  /** For `ssh -F FILE guest`. */
  get sshConfigFile(): string {
    return this.#connection.configFile
  }

  /** What the kernel and the boot scripts have printed. */
  get console(): string {
    return this.#machine?.console ?? ''
  }

  get #connection(): SshConnection {
    if (this.#ssh === undefined) throw new Error('The guest is not running.')
    return this.#ssh
  }

  /** Starts a command; its streams are those of the child. */
  spawn(argv: readonly string[], { host }: Pick<GuestExecOptions, 'host'> = {}) {
    return this.#connection.start(onHost(host, argv))
  }

  /** Runs a command, with no shell in between, and collects its output. */
  async exec(argv: readonly string[], options: GuestExecOptions = {}): Promise<ExecResult> {
    const child = this.spawn(argv, options)
    const timeoutMs = options.timeoutMs ?? 60_000
    let isLate = false
    const timer = setTimeout(() => {
      isLate = true
      child.kill('SIGKILL')
      // What the command left behind may hold the streams.
      child.stdout.destroy()
      child.stderr.destroy()
    }, timeoutMs)
    child.stdin.end(options.stdin ?? '')
    try {
      const [stdout, stderr, [code]] = await Promise.all([
        text(child.stdout).catch(() => ''),
        text(child.stderr).catch(() => ''),
        once(child, 'close') as Promise<[number | null]>,
      ])
      if (isLate) throw new Error(`${argv.join(' ')} did not end within ${timeoutMs} ms`)
      return { code: code ?? -1, stdout, stderr }
    } finally {
      clearTimeout(timer)
    }
  }

  /** Runs a script by the guest's sh, which stops at the first failure; returns what it printed. */
  async run(script: string, options: GuestExecOptions = {}): Promise<string> {
    const { code, stdout, stderr } = await this.exec(['sh', '-euc', script], options)
    if (code === 0) return stdout
    const where = options.host === undefined ? 'the guest' : options.host
    throw new Error(`A script on ${where} ended with ${code}: ${stderr.trim() || stdout.trim()}\n${script}`)
  }

  /** Writes a file; its folder is made. */
  async write(path: string, content: string | Uint8Array): Promise<void> {
    await this.run(`mkdir -p "$(dirname '${path}')"; cat >'${path}'`, { stdin: content })
  }

  /** Copies a file or a folder of the machine into a folder of the guest. */
  async copyIn(path: string, folder: string): Promise<void> {
    const tar = spawn('tar', ['-C', dirname(path), '-cf', '-', basename(path)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const unpack = this.spawn(['sh', '-euc', 'mkdir -p "$1"; tar -xf - -C "$1" --no-same-owner', 'sh', folder])
    tar.stdout.pipe(unpack.stdin)
    const [errors, [code]] = await Promise.all([text(unpack.stderr), once(unpack, 'close') as Promise<[number | null]>])
    if (code !== 0) throw new Error(`${path} could not be copied into the guest: ${errors.trim()}`)
  }

  /**
   * Cuts the power and boots again, from the disk that is kept. As with a real power cut, what was not written through
   * to the disk (fsync) may be lost.
   */
  async powerCycle(): Promise<void> {
    if (this.#keptDisk === undefined) throw new Error('powerCycle: the guest was not started with keepsDisk.')
    await this.#powerOff()
    await this.#powerOn()
  }

  async #powerOff(): Promise<void> {
    await Promise.all([this.#machine?.kill(), this.#ssh?.close()])
    this.#ssh = undefined
  }

  /** Ends the guest and removes what it left. May be called more than once. */
  stop(): Promise<void> {
    this.#stopping ??= this.#powerOff().then(() => {
      removeGuestDir(this.stateDir)
      this.#forget()
    })
    return this.#stopping
  }
}

/** Starts a guest; the first one in a checkout builds the image, in about a minute. Needs root and the packages. */
export const startGuest = (options: GuestOptions = {}): Promise<Guest> => Guest.start(options)
