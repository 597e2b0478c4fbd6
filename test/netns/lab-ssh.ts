import { spawn } from 'node:child_process'
import { connect } from 'node:net'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import type { ExecResult, Lab } from '../lab/lab.ts'

export interface SshOptions {
  /** Default root. */
  readonly user?: string
  readonly stdin?: string
  /** Further options of ssh. */
  readonly options?: readonly string[]
}

/** The system's ssh with the lab's own configuration: nothing of the operator's is read or written. */
const startSsh = (lab: Lab, host: string, command: readonly string[], { user = 'root', options = [] }: SshOptions) =>
  spawn('ssh', ['-F', lab.sshConfigFile, '-l', user, ...options, host, ...command], {
    env: { PATH: process.env['PATH'] },
    stdio: 'pipe',
  })

/** Runs one command line of the remote shell. */
export const ssh = (lab: Lab, host: string, command: string, options: SshOptions = {}): Promise<ExecResult> =>
  new Promise((resolve, reject) => {
    const child = startSsh(lab, host, [command], options)
    let [stdout, stderr] = ['', '']
    child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()))
    child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()))
    child.stdin.on('error', () => undefined)
    child.stdin.end(options.stdin ?? '')
    child.once('error', reject)
    child.once('close', (code) => resolve({ code: code ?? -1, stdout, stderr }))
  })

/** What a UNIX socket of a host sends through stream-local forwarding before it closes; empty when it is refused. */
export const readForwardedSocket = async (lab: Lab, host: string, remotePath: string): Promise<string> => {
  const localPath = join(lab.stateDir, `forwarded-${process.hrtime.bigint()}`)
  const options = ['-N', '-o', 'ExitOnForwardFailure=yes', '-L', `${localPath}:${remotePath}`]
  const child = startSsh(lab, host, [], { options })
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()))
  try {
    for (;;) {
      if (child.exitCode !== null) throw new Error(`ssh ended with ${child.exitCode}`)
      const received = await new Promise<string | undefined>((resolve) => {
        let text = ''
        const socket = connect(localPath)
        socket.on('data', (chunk: Buffer) => (text += chunk.toString()))
        // Not there yet: ssh makes the socket when it is logged in.
        socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code === 'ENOENT' ? undefined : text))
        socket.once('close', () => resolve(text))
      })
      if (received !== undefined) return received
      await setTimeout(20)
    }
  } finally {
    child.kill()
    await ended
  }
}

/** Starts a server on a UNIX socket in a host that greets everybody; resolves when it listens. */
export const startGreeter = async (lab: Lab, host: string, path: string): Promise<void> => {
  const script = `require('node:net').createServer((s) => s.end('hello')).listen(process.argv[1], () => console.log('on'))`
  await lab.spawn(host, ['/run/lab/node', '--eval', script, path]).firstLine()
}
