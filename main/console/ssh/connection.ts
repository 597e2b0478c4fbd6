import type { Duplex } from 'node:stream'
import type { Client, ClientChannel, SFTPWrapper } from 'ssh2'
import { AppError } from '../../../core/contract/errors.ts'
import type { SshTarget } from '../../../core/model/ssh.ts'
import { quoteWords } from '../../../core/model/shell-quote.ts'
import type { ExecOptions, ExecResult, SshConnection } from '../ports.ts'

/** sshd allows 10 sessions on a connection (MaxSessions); some are left for the exec bridge and SFTP. */
const maxSessions = 7
const defaultTimeoutMs = 30_000
const defaultMaxBytes = 4 * 1024 * 1024
/** RFC 4254 5.1. */
const administrativelyProhibited = 1

/** The authenticated `client` as the console core uses it. `target` names it in errors. */
export function sshConnection(client: Client, target: SshTarget): SshConnection {
  const name = target.host
  const listeners = new Set<(error: Error | null) => void>()
  let closed: { error: Error | null } | null = null
  let lastError: Error | null = null
  let isClosedHere = false
  const sessions = semaphore(maxSessions)

  client.on('error', (error) => (lastError = error))
  client.on('close', () => {
    closed = { error: isClosedHere ? null : (lastError ?? new Error('the other side closed the connection')) }
    for (const listener of listeners) listener(closed.error)
    listeners.clear()
  })

  const lost = () => new AppError('CLOSED', `The SSH connection to ${name} ended.`, { retryable: true })
  /** ssh2 throws "Not connected" instead of calling back. */
  const guarded = <T>(start: (done: (error: Error | undefined, value: T) => void) => void): Promise<T> =>
    new Promise((resolve, reject) => {
      if (closed !== null) return reject(lost())
      try {
        start((error, value) => (error ? reject(error) : resolve(value)))
      } catch {
        reject(lost())
      }
    })
  const channelError = (error: unknown, what: string): AppError => {
    if (error instanceof AppError) return error
    if (closed !== null) return lost()
    const { message, reason } = error as Error & { reason?: number }
    return new AppError('REFUSED', `${name} did not open ${what}: ${message}.`, {
      details: { reason: reason === administrativelyProhibited ? 'prohibited' : 'failed', message },
    })
  }
  const channel = async <T>(what: string, start: (done: (error: Error | undefined, value: T) => void) => void) => {
    try {
      return await guarded(start)
    } catch (error) {
      throw channelError(error, what)
    }
  }

  return {
    target,
    async exec(argv, options = {}) {
      options.signal?.throwIfAborted()
      const release = await sessions.acquire()
      try {
        let result: Promise<ExecResult> | undefined
        await channel<ClientChannel>('a session', (done) =>
          client.exec(quoteWords(argv), (error, stream) => {
            // Listened to in this very call: a short command's exit status comes in the same packet.
            if (!error) result = runToEnd(stream, options, argv[0] ?? '', name)
            done(error, stream)
          }),
        )
        return await (result as Promise<ExecResult>)
      } finally {
        release()
      }
    },
    async open(argv, onStderr) {
      const stream = await channel<ClientChannel>('a session', (done) => client.exec(quoteWords(argv), done))
      stream.stderr.on('data', (data: Buffer) => onStderr(data.toString('utf8')))
      return stream
    },
    openUnixSocket: (path) =>
      channel<Duplex>(`the socket ${path}`, (done) => client.openssh_forwardOutStreamLocal(path, done)),
    openTcp: (host, port) =>
      channel<Duplex>(`a connection to ${host} port ${port}`, (done) =>
        client.forwardOut('127.0.0.1', 0, host, port, done),
      ),
    async upload(localPath, remotePath, { mode, onProgress, signal }) {
      signal?.throwIfAborted()
      const release = await sessions.acquire()
      try {
        const sftp = await channel<SFTPWrapper>('SFTP', (done) => client.sftp(done))
        const stop = () => sftp.end()
        signal?.addEventListener('abort', stop)
        try {
          await new Promise<void>((resolve, reject) => {
            sftp.once('close', () => reject(closed === null ? new Error('the SFTP session ended') : lost()))
            sftp.fastPut(
              localPath,
              remotePath,
              { mode, step: (sent, _chunk, total) => onProgress?.(sent, total) },
              (error) => (error ? reject(error) : resolve()),
            )
          })
        } catch (error) {
          signal?.throwIfAborted()
          if (error instanceof AppError) throw error
          throw new AppError('REFUSED', `${remotePath} on ${name} could not be written: ${(error as Error).message}.`, {
            hint: 'Check the free space and who owns the folder, and that sshd has its sftp subsystem.',
          })
        } finally {
          signal?.removeEventListener('abort', stop)
          sftp.end()
        }
      } finally {
        release()
      }
    },
    onClose(listener) {
      if (closed !== null) {
        const { error } = closed
        queueMicrotask(() => listener(error))
        return () => {}
      }
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    close() {
      isClosedHere = true
      client.end()
      // A peer that is gone never answers the end; nothing of ours may wait for it.
      setTimeout(() => client.destroy(), 1000).unref()
    },
  }
}

function runToEnd(stream: ClientChannel, options: ExecOptions, command: string, host: string): Promise<ExecResult> {
  const { timeoutMs = defaultTimeoutMs, maxBytes = defaultMaxBytes, signal } = options
  return new Promise((resolve, reject) => {
    const out = collector(maxBytes)
    const err = collector(Math.min(maxBytes, 64 * 1024))
    const lines = options.onLine === undefined ? null : lineSplitter(options.onLine)
    let exit: { code: number | null; signal: string | null } | null = null
    let isOver = false
    const end = (settle: () => void) => {
      if (isOver) return
      isOver = true
      clearTimeout(timer)
      signal?.removeEventListener('abort', onAbort)
      settle()
    }
    const stop = (error: unknown) =>
      end(() => {
        stream.signal('KILL')
        stream.close()
        reject(error)
      })
    const timer = setTimeout(
      () => stop(new AppError('TIMEOUT', `${command} on ${host} did not end within ${timeoutMs / 1000} s.`)),
      timeoutMs,
    )
    const onAbort = () => stop(signal?.reason)
    signal?.addEventListener('abort', onAbort)

    stream.on('data', (data: Buffer) => {
      lines?.push(data)
      if (!out.push(data)) {
        stop(new AppError('TOO_LARGE', `${command} on ${host} printed more than ${maxBytes} bytes.`))
      }
    })
    stream.stderr.on('data', (data: Buffer) => err.push(data))
    stream.on('exit', (code: number | null, name?: string) => {
      exit = { code, signal: name ?? null }
    })
    stream.on('error', stop)
    stream.on('close', () =>
      end(() => {
        if (exit === null) {
          return reject(
            new AppError('CLOSED', `${command} on ${host} was cut off: the SSH connection ended.`, { retryable: true }),
          )
        }
        lines?.end()
        resolve({ ...exit, stdout: out.text(), stderr: err.text() })
      }),
    )
    stream.end(options.stdin)
  })
}

function collector(maxBytes: number): { push(data: Buffer): boolean; text(): string } {
  const parts: Buffer[] = []
  let size = 0
  return {
    push(data) {
      const rest = maxBytes - size
      if (rest > 0) parts.push(data.length > rest ? data.subarray(0, rest) : data)
      size += data.length
      return size <= maxBytes
    },
    text: () => Buffer.concat(parts).toString('utf8'),
  }
}

function lineSplitter(onLine: (line: string) => void): { push(data: Buffer): void; end(): void } {
  const decoder = new TextDecoder()
  let rest = ''
  return {
    push(data) {
      const parts = (rest + decoder.decode(data, { stream: true })).split('\n')
      rest = parts.pop() ?? ''
      parts.forEach(onLine)
    },
    end() {
      if (rest !== '') onLine(rest)
    },
  }
}

function semaphore(places: number): { acquire(): Promise<() => void> } {
  let free = places
  const waiting: (() => void)[] = []
  const release = () => {
    const next = waiting.shift()
    if (next === undefined) free++
    else next()
  }
  return {
    async acquire() {
      if (free > 0) free--
      else await new Promise<void>((resolve) => waiting.push(resolve))
      let isReleased = false
      return () => {
        if (isReleased) return
        isReleased = true
        release()
      }
    },
  }
}
