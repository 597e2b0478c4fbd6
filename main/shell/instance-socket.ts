import { randomBytes } from 'node:crypto'
import { link, mkdir, rename, rm } from 'node:fs/promises'
import net from 'node:net'
import path from 'node:path'
import { z } from 'zod'

/**
 * One console at a time uses a data directory; the next one learns here which it is, and gets a link to it. The lock is
 * the UNIX socket `control.sock` itself: it is put in place with link(2), which fails where one is there, and a socket
 * that nobody accepts on belongs to a console that died.
 */
export interface InstanceSocket {
  readonly path: string
  /** Removes the socket; another console may start. */
  close(): Promise<void>
}

/** What a running console says of itself. */
export const InstanceAnswer = z.object({
  shell: z.enum(['browser', 'desktop']),
  pid: z.number().int(),
  /** A new link that opens the console once; null in the desktop shell, which has a window. */
  url: z.string().nullable(),
})
export type InstanceAnswer = z.infer<typeof InstanceAnswer>

/** `link` asks for a new link (browser) or for the window to come to the front (desktop); `status` changes nothing. */
const requests = ['link', 'status'] as const
export type InstanceRequest = (typeof requests)[number]

const socketName = 'control.sock'
/** Longest path of a UNIX socket on Linux (sun_path without its end). */
const maxPathBytes = 107
const maxRequestBytes = 64
const answerTimeoutMs = 5000

export type Claim =
  | { readonly kind: 'claimed'; readonly socket: InstanceSocket }
  | { readonly kind: 'running'; readonly answer: InstanceAnswer }

/**
 * Makes this process the one console of `dataDir` (created with mode 0700), or says which one is.
 *
 * @param answer called for each request that a later start sends
 */
export async function claimDataDir(
  dataDir: string,
  answer: (request: InstanceRequest) => InstanceAnswer | Promise<InstanceAnswer>,
): Promise<Claim> {
  await mkdir(dataDir, { recursive: true, mode: 0o700 })
  const target = path.join(dataDir, socketName)
  const own = path.join(dataDir, `${socketName}.${randomBytes(4).toString('hex')}`)
  if (Buffer.byteLength(own) > maxPathBytes) {
    throw new Error(
      `data directory: found a path of ${Buffer.byteLength(dataDir)} bytes (${dataDir}), expected at most ${
        maxPathBytes - Buffer.byteLength(own) + Buffer.byteLength(dataDir)
      }: the control socket in it would have too long a name`,
    )
  }
  const server = await listen(own, answer)
  try {
    for (;;) {
      if (await isLinked(own, target)) break
      const running = await askInstance(dataDir, 'link')
      if (running !== null) {
        server.close()
        return { kind: 'running', answer: running }
      }
      await clearStale(target)
    }
  } catch (error) {
    server.close()
    throw error
  } finally {
    await rm(own, { force: true })
  }
  return {
    kind: 'claimed',
    socket: {
      path: target,
      async close() {
        // First the name, so that a new console cannot meet a socket that has just stopped answering.
        await rm(target, { force: true })
        await new Promise<void>((resolve) => server.close(() => resolve()))
      },
    },
  }
}

/** Asks the console that uses `dataDir`; null where none runs. */
export function askInstance(dataDir: string, request: InstanceRequest): Promise<InstanceAnswer | null> {
  return new Promise((resolve, reject) => {
    const socket = net.connect(path.join(dataDir, socketName))
    let text = ''
    socket.setEncoding('utf8')
    socket.setTimeout(answerTimeoutMs, () => socket.destroy(new Error(`The console of ${dataDir} does not answer.`)))
    socket.on('connect', () => socket.write(`${request}\n`))
    socket.on('data', (chunk: string) => {
      text += chunk
    })
    socket.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT' || error.code === 'ECONNREFUSED') resolve(null)
      else reject(error)
    })
    socket.on('end', () => {
      try {
        resolve(InstanceAnswer.parse(JSON.parse(text)))
      } catch (cause) {
        reject(new Error(`The console of ${dataDir} gave an answer that cannot be read.`, { cause }))
      }
    })
  })
}

async function listen(
  file: string,
  answer: (request: InstanceRequest) => InstanceAnswer | Promise<InstanceAnswer>,
): Promise<net.Server> {
  const server = net.createServer((socket) => {
    let text = ''
    socket.setEncoding('utf8')
    socket.setTimeout(answerTimeoutMs, () => socket.destroy())
    socket.on('error', () => socket.destroy())
    socket.on('data', (chunk: string) => {
      text += chunk
      const request = requests.find((known) => text === `${known}\n`)
      if (request !== undefined) {
        Promise.try(answer, request).then(
          (answered) => socket.end(JSON.stringify(answered)),
          () => socket.destroy(),
        )
      } else if (text.length > maxRequestBytes) socket.destroy()
    })
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    // bind(2) gives the socket its mode; listen() calls it before it returns.
    const before = process.umask(0o177)
    try {
      server.listen(file, resolve)
    } finally {
      process.umask(before)
    }
  })
  return server
}

async function isLinked(own: string, target: string): Promise<boolean> {
  try {
    await link(own, target)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  }
}

/** Takes a dead console's socket away. Moved aside and asked once more: a living one may have come in between. */
async function clearStale(target: string): Promise<void> {
  const aside = `${target}.${randomBytes(4).toString('hex')}`
  try {
    await rename(target, aside)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return
    throw error
  }
  if (await isAlive(aside)) await isLinked(aside, target)
  await rm(aside, { force: true })
}

function isAlive(file: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = net.connect(file)
    socket.on('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.on('error', () => resolve(false))
  })
}
