import { agentContract, type AgentContract, type AgentHello, agentContractVersion } from '../../core/contract/agent.ts'
import type { DetailOf } from '../../core/contract/connect-details.ts'
import { AppError } from '../../core/contract/errors.ts'
import { type Client, createClient } from '../../core/rpc/client.ts'
import { byteStreamWire } from '../../core/rpc/byte-stream.ts'
import type { Wire } from '../../core/rpc/wire.ts'
import { type HostReport, canBeRoot } from './install/host-report.ts'
import { agentProgram, agentSocket, viewSocket } from './install/paths.ts'
import type { ClockPort, SshConnection } from './ports.ts'

/** The agent of one director, spoken to over its SSH connection; any number of calls and streams share it. */
export interface AgentLink {
  readonly client: Client<AgentContract>
  readonly wire: Wire
  readonly transport: 'stream-local' | 'exec'
  readonly hello: AgentHello
  /** Of one small call. */
  readonly roundTripMs: number
  /** Agent's wall clock minus ours. */
  readonly clockSkewMs: number
  /** How it is spoken to and, for the bridge, why. */
  readonly detail: DetailOf<'handshake'>
}

type Way = Pick<AgentLink, 'transport' | 'detail'> &
  ({ readonly socket: string } | { readonly argv: readonly string[] })

/** Ways to the socket, the better one first. */
function waysTo(report: HostReport): Way[] {
  const forwarded = (socket: string): Way => ({ transport: 'stream-local', detail: 'streamLocal', socket })
  const connect = [agentProgram, 'connect']
  if (report.agent.mayOpenSocket) {
    return [forwarded(agentSocket), { transport: 'exec', detail: 'streamLocalForbidden', argv: connect }]
  }
  if (canBeRoot(report)) return [{ transport: 'exec', detail: 'socketForbidden', argv: ['sudo', '-n', ...connect] }]
  if (report.agent.mayOpenViewSocket) {
    // The bridge takes the socket that it may open.
    return [forwarded(viewSocket), { transport: 'exec', detail: 'streamLocalForbidden', argv: connect }]
  }
  throw new AppError('FORBIDDEN', `${report.user} may not open ${agentSocket} and may not use sudo.`, {
    hint: `Add ${report.user} to the group signalbox on the director: usermod -aG signalbox ${report.user}`,
  })
}

/**
 * Opens a link and shakes hands. Rejects with AGENT_OLD where the agent speaks another version of the contract, with
 * AGENT_MISSING where nobody answers.
 */
export async function openAgentLink(
  connection: SshConnection,
  report: HostReport,
  clock: ClockPort,
  log: (line: string) => void,
  signal: AbortSignal,
): Promise<AgentLink> {
  const ways = waysTo(report)
  for (const [i, way] of ways.entries()) {
    signal.throwIfAborted()
    const isLast = i === ways.length - 1
    let wire: Wire
    try {
      wire = await openWire(connection, way, log)
    } catch (error) {
      // OpenSSH answers "open failed" both where forwarding is forbidden and where nobody listens: the bridge tells which.
      if (!isLast && error instanceof AppError && error.code === 'REFUSED') {
        log(`${error.message} Trying the exec bridge.`)
        continue
      }
      throw notAnswering(error)
    }
    try {
      return { ...(await shakeHands(wire, clock, signal)), wire, transport: way.transport, detail: way.detail }
    } catch (error) {
      wire.close('the handshake failed')
      throw notAnswering(error)
    }
  }
  throw new AppError('INTERNAL', 'There is no way to the agent.')
}

async function openWire(connection: SshConnection, way: Way, log: (line: string) => void): Promise<Wire> {
  if ('socket' in way) return byteStreamWire(await connection.openUnixSocket(way.socket))
  return byteStreamWire(await connection.open(way.argv, (text) => log(`signalbox connect: ${text.trim()}`)))
}

async function shakeHands(
  wire: Wire,
  clock: ClockPort,
  signal: AbortSignal,
): Promise<Pick<AgentLink, 'client' | 'hello' | 'roundTripMs' | 'clockSkewMs'>> {
  const client = createClient(wire, agentContract, clock)
  // The first call also warms the agent up; the second one is measured.
  const first = await client.call('agent.hello', {}, { signal })
  if (first.contractVersion !== agentContractVersion) throw otherContract(first)
  const startedAt = clock.monotonicMs()
  const hello = await client.call('agent.hello', {}, { signal })
  const roundTripMs = clock.monotonicMs() - startedAt
  return { client, hello, roundTripMs, clockSkewMs: hello.nowMs + roundTripMs / 2 - clock.nowMs() }
}

function otherContract({ version, contractVersion }: AgentHello): AppError {
  return new AppError(
    'AGENT_OLD',
    `The agent (version ${version}) speaks version ${contractVersion} of the contract, this console version ${agentContractVersion}.`,
    {
      hint: 'Install the agent of this console, or use the console that belongs to that agent.',
      details: { installed: version, contractVersion: String(contractVersion) },
    },
  )
}

/** A socket file without a listener, a bridge that ends at once, an answer that is none. */
function notAnswering(error: unknown): unknown {
  if (!(error instanceof AppError)) return error
  if (error.code === 'INTERNAL') {
    return new AppError('AGENT_OLD', 'The agent speaks another version of the contract than this console.', {
      hint: 'Install the agent of this console, or use the console that belongs to that agent.',
      cause: error,
    })
  }
  if (error.code === 'REFUSED' || error.code === 'CLOSED' || error.code === 'TIMEOUT') {
    return new AppError('AGENT_MISSING', `The agent does not answer: ${error.message}`, {
      hint: 'Look at its log on the director: journalctl -u signalbox',
      ...(error.details === undefined ? {} : { details: { ...error.details } }),
      retryable: true,
    })
  }
  return error
}
