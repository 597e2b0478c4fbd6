import { connect, type Socket } from 'node:net'
import { dirname, join } from 'node:path'
import { agentContract, type AgentContract, type DirectorState } from '../../core/contract/agent.ts'
import { AppError } from '../../core/contract/errors.ts'
import { byteStreamWire } from '../../core/rpc/byte-stream.ts'
import { type Client, createClient } from '../../core/rpc/client.ts'
import { viewSocket } from '../places.ts'

/**
 * Opens the agent's socket or, for those who may only read, the one beside it: the agent then refuses what changes
 * something. Throws AppError OFFLINE where nobody listens or the caller may open neither.
 */
export async function openAgentSocket(path: string): Promise<Socket> {
  try {
    return await openSocket(path)
  } catch (error) {
    const isForbidden = error instanceof AppError && error.details?.['errno'] === 'EACCES'
    if (!isForbidden) throw error
    return openSocket(join(dirname(path), viewSocket)).catch(() => {
      throw error
    })
  }
}

function openSocket(path: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(path)
    const refuse = (error: NodeJS.ErrnoException) => reject(notReached(path, error))
    socket.once('error', refuse)
    socket.once('connect', () => {
      socket.off('error', refuse)
      resolve(socket)
    })
  })
}

function notReached(path: string, error: NodeJS.ErrnoException): AppError {
  const details = { socket: path, errno: error.code ?? error.message }
  if (error.code === 'EACCES') {
    const hint = 'Members of the group signalbox may use it, members of signalbox-view may read.'
    return new AppError('OFFLINE', `The agent's socket ${path} may not be opened by this user.`, { hint, details })
  }
  return new AppError('OFFLINE', `No agent listens on ${path} (${details.errno}).`, {
    hint: 'Start it with: systemctl start signalbox, or in the foreground with: signalbox agent',
    details,
  })
}

const timers = {
  after(delayMs: number, callback: () => void) {
    const timer = setTimeout(callback, delayMs)
    return () => clearTimeout(timer)
  },
}

/** Speaks with the agent for as long as `work` takes. */
export async function withAgent<T>(path: string, work: (client: Client<AgentContract>) => Promise<T>): Promise<T> {
  const wire = byteStreamWire(await openAgentSocket(path))
  try {
    return await work(createClient(wire, agentContract, timers))
  } finally {
    wire.close('done')
  }
}

/** The director's state at this instant. */
export async function readState(client: Client<AgentContract>): Promise<DirectorState> {
  for await (const state of client.stream('director.watch', {})) return state
  throw new AppError('CLOSED', 'The agent ended the connection before it gave its state.')
}
