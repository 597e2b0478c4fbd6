import { type ChildProcess, spawn } from 'node:child_process'
import net from 'node:net'
import ssh2, { type AuthContext, type Connection, type ServerChannel } from 'ssh2'
import { fingerprintOf } from '../../main/console/ssh/known-hosts.ts'

export interface SshServerOptions {
  readonly hostKey?: string
  readonly password?: string
  /** OpenSSH lines of keys that may log in. */
  readonly authorizedKeys?: readonly string[]
  /** Prompts of keyboard-interactive and the answers that are right. */
  readonly prompts?: readonly { prompt: string; echo: boolean; answer: string }[]
  /** All of these methods are needed, in this order; left out: any one that is configured. */
  readonly allOf?: readonly ('publickey' | 'keyboard-interactive' | 'password')[]
  readonly allowStreamLocal?: boolean
  readonly listenOn?: string
  /** Port to listen on; left out: any free one. */
  readonly port?: number
  /** Closes the connection this long after the first data, whatever it was waiting for: sshd's LoginGraceTime. */
  readonly graceMs?: number
}

export interface SshServer {
  readonly port: number
  readonly fingerprint: string
  /** Known_hosts line for it. */
  readonly knownHost: string
  /** Logins that succeeded, by method. */
  readonly logins: string[]
  /** Commands that were run, as received. */
  readonly commands: string[]
  /** Ends every connection as a cut cable would: no goodbye. */
  cut(): void
  close(): Promise<void>
}

export function newKey(passphrase?: string): { private: string; public: string } {
  for (;;) {
    const pair =
      passphrase === undefined
        ? ssh2.utils.generateKeyPairSync('ed25519')
        : ssh2.utils.generateKeyPairSync('ed25519', { passphrase, cipher: 'aes256-ctr', rounds: 4 })
    // ssh2 strips leading zeros of the public half: one key in 256 comes out malformed.
    if (!(ssh2.utils.parseKey(pair.private, passphrase) instanceof Error)) return pair
  }
}

/** A real SSH server in this process: commands run through `sh -c`, sockets and TCP are forwarded for real. */
export async function startSshServer(options: SshServerOptions): Promise<SshServer> {
  const hostKey = options.hostKey ?? newKey().private
  const parsed = ssh2.utils.parseKey(hostKey)
  if (parsed instanceof Error) throw parsed
  const sockets = new Set<net.Socket>()
  const children = new Set<ChildProcess>()
  const logins: string[] = []
  const commands: string[] = []

  const server = new ssh2.Server({ hostKeys: [hostKey] }, (client) => {
    client.on('error', () => {})
    authenticate(client, options, logins)
    client.on('ready', () => {
      client.on('session', (accept) => {
        accept().on('exec', (acceptExec, _reject, { command }) => {
          commands.push(command)
          run(command, acceptExec(), children)
        })
      })
      client.on('tcpip', (accept, reject, { destIP, destPort }) => {
        bridge(
          net.connect(destPort, destIP),
          () => accept(),
          () => reject(),
        )
      })
      client.on('openssh.streamlocal', (accept, reject, { socketPath }) => {
        if (options.allowStreamLocal === false) return reject()
        bridge(
          net.connect(socketPath),
          () => accept(),
          () => reject(),
        )
      })
    })
  })
  const listener = net.createServer((socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
    socket.on('error', () => {})
    if (options.graceMs !== undefined && logins.length === 0) setTimeout(() => socket.destroy(), options.graceMs)
    server.injectSocket(socket)
  })
  await new Promise<void>((resolve) => listener.listen(options.port ?? 0, options.listenOn ?? '127.0.0.1', resolve))
  const { port } = listener.address() as net.AddressInfo
  const blob = parsed.getPublicSSH()
  return {
    port,
    fingerprint: fingerprintOf(blob),
    knownHost: `[${options.listenOn ?? '127.0.0.1'}]:${port} ssh-ed25519 ${blob.toString('base64')}\n`,
    logins,
    commands,
    cut() {
      for (const socket of sockets) socket.destroy()
    },
    async close() {
      for (const child of children) child.kill('SIGKILL')
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => listener.close(resolve))
    },
  }
}

function authenticate(client: Connection, options: SshServerOptions, logins: string[]): void {
  const passed: string[] = []
  const configured = [
    ...(options.authorizedKeys === undefined ? [] : ['publickey']),
    ...(options.prompts === undefined ? [] : ['keyboard-interactive']),
    ...(options.password === undefined ? [] : ['password']),
  ] as ('publickey' | 'keyboard-interactive' | 'password')[]
  const left = () => (options.allOf === undefined ? configured : options.allOf.slice(passed.length, passed.length + 1))
  client.on('authentication', (context: AuthContext) => {
    const accept = () => {
      passed.push(context.method)
      if (options.allOf === undefined || passed.length === options.allOf.length) {
        logins.push(passed.join('+'))
        context.accept()
      } else context.reject(left(), true)
    }
    const refuse = () => context.reject(left(), false)
    if (!(left() as string[]).includes(context.method)) return refuse()
    if (context.method === 'password') return context.password === options.password ? accept() : refuse()
    if (context.method === 'publickey') {
      const isAuthorized = (options.authorizedKeys ?? []).some((line) => {
        const key = ssh2.utils.parseKey(line)
        if (key instanceof Error || !key.getPublicSSH().equals(context.key.data)) return false
        return (
          context.signature === undefined || key.verify(context.blob as Buffer, context.signature, context.hashAlgo)
        )
      })
      if (!isAuthorized) return refuse()
      // A query without signature is only answered "this key would do".
      return context.signature === undefined ? context.accept() : accept()
    }
    if (context.method === 'keyboard-interactive') {
      const prompts = options.prompts ?? []
      return context.prompt(
        prompts.map(({ prompt, echo }) => ({ prompt, echo })),
        'login',
        'Give both.',
        (answers) => (prompts.every(({ answer }, i) => answers[i] === answer) ? accept() : refuse()),
      )
    }
    refuse()
  })
}

function run(command: string, channel: ServerChannel, children: Set<ChildProcess>): void {
  const child = spawn('sh', ['-c', command], { stdio: 'pipe' })
  children.add(child)
  child.stdin.on('error', () => {})
  channel.pipe(child.stdin)
  child.stdout.pipe(channel, { end: false })
  child.stderr.pipe(channel.stderr, { end: false })
  channel.on('close', () => child.kill('SIGKILL'))
  child.on('close', (code, signal) => {
    children.delete(child)
    if (code === null) channel.exit(signal?.replace('SIG', '') ?? 'KILL')
    else channel.exit(code)
    channel.end()
  })
}

function bridge(socket: net.Socket, accept: () => ServerChannel, reject: () => void): void {
  socket.once('error', reject)
  socket.once('connect', () => {
    socket.removeListener('error', reject)
    socket.on('error', () => {})
    const channel = accept()
    channel.pipe(socket).pipe(channel)
    channel.on('close', () => socket.destroy())
  })
}
