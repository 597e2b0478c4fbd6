import { chmodSync, chownSync, lstatSync, mkdirSync, unlinkSync } from 'node:fs'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { join } from 'node:path'
import { agentContract, type AgentContract } from '../core/contract/agent.ts'
import type { Handlers } from '../core/contract/define.ts'
import { AppError } from '../core/contract/errors.ts'
import { byteStreamWire } from '../core/rpc/byte-stream.ts'
import { serve } from '../core/rpc/server.ts'
import { groupId } from './groups.ts'
import { changeSocket, viewSocket } from './places.ts'

/** Which socket gives which right, and to whom. */
const sockets = [
  { file: changeSocket, access: 'change', group: 'signalbox', peer: 'socket' },
  { file: viewSocket, access: 'view', group: 'signalbox-view', peer: 'view-socket' },
] as const

/** More consoles and commands than one director ever has. */
const maxConnections = 64

export interface ServerOptions {
  readonly socketDir: string
  readonly handlers: (access: 'view' | 'change') => Handlers<AgentContract>
  readonly log: (message: string) => void
}

export interface AgentServer {
  /** Ends all connections and removes the sockets. */
  close(): Promise<void>
}

/**
 * Listens on both sockets. What a crashed agent left is replaced; a socket that answers belongs to another agent:
 * AppError REFUSED. Who may connect is decided by the socket's mode alone: root and its group.
 */
export async function startServer({ socketDir, handlers, log }: ServerOptions): Promise<AgentServer> {
  mkdirSync(socketDir, { recursive: true })
  chmodSync(socketDir, 0o755)
  const servers: Server[] = []
  const connections = new Set<Socket>()
  const close = async () => {
    for (const socket of connections) socket.destroy()
    await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))))
  }
  try {
    for (const { file, access, group, peer } of sockets) {
      const path = join(socketDir, file)
      await clearStale(path)
      const own = handlers(access)
      const server = createServer((socket) => {
        connections.add(socket)
        socket.on('close', () => connections.delete(socket))
        const onDefect = (method: string, error: unknown) =>
          log(`${method}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`)
        serve(byteStreamWire(socket), agentContract, own, { peer, access, onDefect })
      })
      server.maxConnections = maxConnections
      servers.push(server)
      await listen(server, path)
      admit(path, group)
    }
  } catch (error) {
    await close()
    throw error
  }
  return { close }
}

/** Nobody gets in between the socket's birth and its mode: it is born for root alone. */
function listen(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    const umask = process.umask(0o177)
    server.listen(path, () => {
      server.off('error', reject)
      resolve()
    })
    // bind() has happened by the time that listen() returns.
    process.umask(umask)
  })
}

/** Without the group, and without the right to give files away, the socket is its owner's alone. */
function admit(path: string, group: string): void {
  const id = process.getuid?.() === 0 ? groupId(group) : null
  if (id === null) return
  chownSync(path, 0, id)
  chmodSync(path, 0o660)
}

async function clearStale(path: string): Promise<void> {
  const kind = lstatSync(path, { throwIfNoEntry: false })
  if (kind === undefined) return
  if (!kind.isSocket()) throw new AppError('REFUSED', `${path} is in the way: it is no socket.`)
  if (await answers(path)) throw new AppError('REFUSED', `Another agent listens on ${path}.`)
  unlinkSync(path)
}

function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path)
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })
}
