import { copyFile, mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { execInHost, type ExecOptions, type ExecResult, HostProcess, pauseScript } from './host-process.ts'
import type { HostAddresses, Layout } from './layout.ts'
import { childPids } from './process-identity.ts'
import { ProcessTree } from './process-tree.ts'
import { hostFilesDir, makeKey, readFingerprint, sshdConfig, type SshServerOptions } from './ssh-server.ts'

/** A second account of a lab host; it logs in with the same client key. */
export interface LabAccount {
  readonly name: string
  /** Groups beside its own, made where they do not exist (`signalbox`). */
  readonly groups?: readonly string[]
  /** `sudo -n` for everything. Needs the Debian package sudo on the machine. */
  readonly sudo?: boolean
}

export interface LabHostOptions {
  readonly name: string
  readonly addresses: HostAddresses
  readonly ssh: SshServerOptions
  readonly accounts: readonly LabAccount[]
  /** Real paths that stay visible read-only in the host, whatever covers them. */
  readonly checkout: string
}

/**
 * Kernel settings of every host: those of a fresh Debian 12, whatever the machine has (a new network namespace takes
 * over the machine's). rp_filter 2 comes from systemd's 50-default.conf.
 */
const freshSettings = (interfaces: readonly string[]): string => {
  const lines = ['net/ipv4/ip_forward 0']
  for (const name of ['all', 'default', 'lo', ...interfaces]) {
    const conf = `net/ipv4/conf/${name}`
    lines.push(`${conf}/arp_ignore 0`, `${conf}/arp_announce 0`, `${conf}/arp_filter 0`, `${conf}/accept_local 0`)
    lines.push(`${conf}/rp_filter ${name === 'all' ? 0 : 2}`)
  }
  return `${lines.join('\n')}\n`
}

const accountScript = (accounts: readonly LabAccount[]): string =>
  accounts
    .flatMap(({ name, groups = [], sudo = false }) => {
      for (const word of [name, ...groups]) {
        if (!/^[a-z][a-z0-9-]{0,30}$/.test(word))
          throw new Error(`account or group "${word}": expected lower-case letters, digits, -`)
      }
      return [
        ...groups.map((group) => `groupadd --force --system ${group}`),
        // An account with a locked password ("!") is refused by sshd without PAM; "*" is merely no password.
        // The group of that name may be one of Debian's (`operator`).
        `groupadd --force ${name}`,
        `useradd --create-home --shell /bin/bash --password '*' --gid ${name} ${groups.length > 0 ? `--groups ${groups.join(',')}` : ''} ${name}`,
        `install -d -m 700 -o ${name} -g ${name} /home/${name}/.ssh`,
        `install -m 600 -o ${name} -g ${name} ${hostFilesDir}/authorized_keys /home/${name}/.ssh/authorized_keys`,
        ...(sudo
          ? [`echo '${name} ALL=(ALL:ALL) NOPASSWD: ALL' > /etc/sudoers.d/${name}`, `chmod 440 /etc/sudoers.d/${name}`]
          : []),
      ]
    })
    .map((line) => `${line}\n`)
    .join('')

/** One host of the lab: a process tree with its own network, mounts, processes and name, and a real sshd. */
export class LabHost {
  readonly name: string
  readonly addresses: HostAddresses
  readonly sshPort: number
  readonly #seedDir: string
  readonly #options: LabHostOptions
  #tree: ProcessTree | undefined
  #initPid: number | undefined
  #fingerprint = ''

  /** `seedDir` is the host's directory in the state directory; it holds the host key pair. */
  constructor(options: LabHostOptions, seedDir: string) {
    this.name = options.name
    this.addresses = options.addresses
    this.sshPort = options.ssh.port ?? 22
    this.#options = options
    this.#seedDir = seedDir
  }

  /** `SHA256:…` of the SSH host key in use. */
  get fingerprint(): string {
    return this.#fingerprint
  }

  get publicKeyFile(): string {
    return join(this.#seedDir, 'ssh_host_ed25519_key.pub')
  }

  /** The host's process tree, or undefined before its start. */
  get startedTree(): ProcessTree | undefined {
    return this.#tree
  }

  get tree(): ProcessTree {
    if (this.#tree === undefined) throw new Error(`${this.name} has not been started`)
    return this.#tree
  }

  /** Process 1 of the host as the machine sees it. */
  get initPid(): number {
    if (this.#initPid === undefined) throw new Error(`${this.name} is not up`)
    return this.#initPid
  }

  /** Writes what the host takes along: host key, sshd configuration, links, settings, accounts, scripts. */
  async prepare(layout: Layout, clientPublicKey: string, scripts: ReadonlyMap<string, string>): Promise<void> {
    const { addresses, ssh, accounts } = this.#options
    await mkdir(this.#seedDir, { recursive: true, mode: 0o700 })
    await makeKey(join(this.#seedDir, 'ssh_host_ed25519_key'), `root@${this.name}`)
    this.#fingerprint = await readFingerprint(this.publicKeyFile)
    const listen = [addresses.data, ...(addresses.management === undefined ? [] : [addresses.management])]
    const interfaces = ['eth0', ...(addresses.management === undefined ? [] : ['mgmt0'])]
    const links = [
      'link set lo up',
      `addr add ${addresses.data}/24 brd + dev eth0`,
      'link set eth0 up',
      `route add default via ${layout.router.data} dev eth0`,
      ...(addresses.management === undefined
        ? []
        : [`addr add ${addresses.management}/24 brd + dev mgmt0`, 'link set mgmt0 up']),
    ]
    const names = [...layout.hosts].map(([name, host]) => `${host.data} ${name}`)
    const files: Record<string, string> = {
      sshd_config: sshdConfig(listen, ssh),
      links: `${links.join('\n')}\n`,
      sysctl: freshSettings(interfaces),
      hosts: `127.0.0.1 localhost\n${names.join('\n')}\n`,
      authorized_keys: clientPublicKey,
      'accounts.sh': accountScript(accounts),
      ...Object.fromEntries(scripts),
    }
    await Promise.all(
      Object.entries(files).map(([name, content]) => writeFile(join(this.#seedDir, name), content, { mode: 0o644 })),
    )
  }

  /** Starts the process tree; resolves when its namespaces are there and its links can be moved in. */
  async isolate(): Promise<void> {
    this.#tree = new ProcessTree(
      this.name,
      ['--net', '--mount', '--pid', '--uts', '--ipc', '--mount-proc'],
      [
        'bash',
        fileURLToPath(new URL('host-init.sh', import.meta.url)),
        this.name,
        this.#seedDir,
        this.#options.checkout,
        process.execPath,
      ],
    )
    await this.#tree.expectLine('isolated')
    this.#initPid = childPids(this.#tree.rootPid)[0]
  }

  /** Lets the host configure its links; resolves when its sshd listens. */
  async finishStart(): Promise<void> {
    this.tree.send('go')
    await this.tree.expectLine('up')
  }

  exec(argv: readonly string[], options?: ExecOptions): Promise<ExecResult> {
    return execInHost(this.initPid, this.name, argv, options)
  }

  spawn(argv: readonly string[], options?: Pick<ExecOptions, 'env' | 'cwd'>): HostProcess {
    return new HostProcess(this.initPid, argv, options)
  }

  /** Gives the host another SSH host key and restarts its sshd; sessions that are open go on. Returns the fingerprint. */
  async rekey(): Promise<string> {
    const dir = join(this.#seedDir, `key-${Date.now()}`)
    await mkdir(dir, { mode: 0o700 })
    const path = join(dir, 'ssh_host_ed25519_key')
    await makeKey(path, `root@${this.name}`)
    for (const suffix of ['', '.pub']) {
      // cat, since a standard input that is a socket cannot be opened as /dev/stdin.
      await this.exec(
        ['bash', '-c', 'umask 077; cat > "$1"', 'bash', `${hostFilesDir}/ssh_host_ed25519_key${suffix}`],
        {
          stdin: await readFile(`${path}${suffix}`),
          mustSucceed: true,
        },
      )
    }
    await copyFile(`${path}.pub`, this.publicKeyFile)
    await this.restartSsh()
    this.#fingerprint = await readFingerprint(this.publicKeyFile)
    return this.#fingerprint
  }

  /** Stops the listening sshd (open sessions go on) and starts it again from its configuration in /run/lab. */
  async restartSsh(): Promise<void> {
    await this.stopSsh()
    await this.startSsh()
  }

  async stopSsh(): Promise<void> {
    const script = 'pid=$(cat /run/sshd.pid); kill "$pid"; while kill -0 "$pid" 2>/dev/null; do sleep 0.01; done'
    await this.exec(['bash', '-c', script], { mustSucceed: true })
  }

  async startSsh(): Promise<void> {
    await this.exec(['bash', `${hostFilesDir}/start-sshd.sh`], { mustSucceed: true })
  }

  /** Stops all processes of the host but process 1. */
  async pause(): Promise<void> {
    await this.exec(['bash', '-c', pauseScript], { mustSucceed: true })
  }

  async resume(): Promise<void> {
    await this.exec(['bash', '-c', 'kill -CONT -1'], { mustSucceed: true })
  }

  /** Ends the host with all that runs in it, paused or not. */
  async kill(): Promise<void> {
    await this.#tree?.kill()
  }
}
