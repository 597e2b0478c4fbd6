import type { ConnectStepId, ConnectStep } from '../../core/contract/session.ts'
import { type DetailOf, unfitReasons } from '../../core/contract/connect-details.ts'
import { AppError } from '../../core/contract/errors.ts'
import { fill } from '../../core/model/issue.ts'
import type { SshTarget } from '../../core/model/ssh.ts'
import { type AgentLink, openAgentLink } from './agent-link.ts'
import { judgeFitness, unfitError } from './install/fitness.ts'
import { type HostReport, readHostReport } from './install/host-report.ts'
import { describeInstall, installAgent, removeOtherVersions, startAgent } from './install/install.ts'
import { choosePackage } from './install/package.ts'
import { compareVersions } from './install/versions.ts'
import type { ClockPort, ConsoleOptions, SshConnection, SshDialog, SshPort } from './ports.ts'

/** What a way to a director is made with. */
export interface EstablishContext {
  readonly ssh: SshPort
  readonly clock: ClockPort
  readonly options: Pick<ConsoleOptions, 'version' | 'agentPackages'>
  readonly dialog: SshDialog
  readonly step: (
    id: ConnectStepId,
    state: ConnectStep['state'],
    detail?: string,
    params?: ConnectStep['params'],
    progress?: number | null,
  ) => void
  /** Other versions of the agent that the operator chose to keep in this session. */
  readonly keptVersions: Set<string>
  /** Null in the first connect; else which try of a reconnect this is. */
  readonly reconnectAttempt: number | null
}

/** A director that answers. */
export interface Established {
  readonly connection: SshConnection
  readonly report: HostReport
  readonly link: AgentLink
}

/** A daemon that was restarted gets this many tries to come back by itself before it is started from here. */
const triesBeforeStarting = 3

/**
 * Goes all the way: SSH, a look at the host, agent, handshake. `reuse` is a connection that still stands. On failure
 * every connection made here is closed again.
 */
export async function establish(
  target: SshTarget,
  reuse: SshConnection | null,
  context: EstablishContext,
  signal: AbortSignal,
): Promise<Established> {
  const { step, dialog } = context
  if (reuse !== null) for (const id of ['resolve', 'tcp', 'hostKey', 'auth'] as const) step(id, 'done')
  const connection = reuse ?? (await context.ssh.connect(target, dialog, signal))
  try {
    step('facts', 'running', 'reading')
    const report = await readHostReport(connection, signal)
    step('facts', 'done', 'read', {
      system: report.distribution === '' ? report.system : report.distribution,
      kernel: report.kernel,
      libc: `${report.libc.kind} ${report.libc.version}`.trim(),
    })
    step('agent', 'running', 'looking')
    const link = await bringUpAgent(connection, report, context, signal)
    return { connection, report, link }
  } catch (error) {
    if (connection !== reuse) connection.close()
    throw error
  }
}

/** What was found: a link that works, or what stands where one should be. */
type Found =
  | { readonly kind: 'answers'; readonly link: AgentLink; readonly version: string }
  | { readonly kind: 'stopped' }
  | { readonly kind: 'missing' }
  | { readonly kind: 'other'; readonly version: string; readonly error: AppError | null }

async function bringUpAgent(
  connection: SshConnection,
  report: HostReport,
  context: EstablishContext,
  signal: AbortSignal,
): Promise<AgentLink> {
  const { step, options } = context
  const { version } = options
  const found = await lookForAgent(connection, report, context, signal)
  switch (found.kind) {
    case 'answers': {
      const { installed, reason } = comparison(found.version, version)
      if (reason === null) step('agent', 'done', 'current', { version })
      else step('agent', 'done', reason, { installed, version })
      const mustStay = found.link.hello.access === 'view' || context.keptVersions.has(found.version)
      if (reason === null || mustStay) return connected(found.link, report, context)
      const isReplaced = await install(reason, found.version, connection, report, context, signal)
      if (isReplaced) found.link.wire.close('a new version was installed')
      else {
        context.keptVersions.add(found.version)
        return connected(found.link, report, context)
      }
      break
    }
    case 'stopped':
      step('agent', 'done', 'stopped', { version })
      if (context.reconnectAttempt !== null && context.reconnectAttempt < triesBeforeStarting) {
        throw new AppError('AGENT_MISSING', 'The agent does not run; it may be starting.', { retryable: true })
      }
      await startAgent(connection, report, installStep(context), signal)
      break
    case 'other': {
      const { installed, reason } = comparison(found.version, version)
      step('agent', 'done', reason ?? 'stopped', { installed, version })
      if (!(await install(reason ?? 'old', found.version, connection, report, context, signal))) {
        throw (
          found.error ??
          new AppError('AGENT_OLD', `The director has version ${found.version} of the agent, which does not run.`, {
            hint: 'Connect again and install the version of this console.',
          })
        )
      }
      break
    }
    case 'missing':
      step('agent', 'done', 'missing')
      if (!(await install('missing', null, connection, report, context, signal))) {
        throw new AppError('AGENT_MISSING', `The agent was not installed on ${connection.target.host}, as asked.`, {
          hint: 'Connect again and accept, or install it by hand.',
        })
      }
      break
  }
  step('install', 'done', 'installed', { version, path: `/opt/signalbox/${version}` })
  step('handshake', 'running', 'connecting')
  // The groups may be new, and with them who may open the socket.
  const after = await readHostReport(connection, signal)
  const link = await openAgentLink(connection, after, context.clock, context.dialog.log, signal)
  await removeOtherVersions(connection, after, version, signal)
  return handshaken(link, after, context)
}

async function lookForAgent(
  connection: SshConnection,
  report: HostReport,
  context: EstablishContext,
  signal: AbortSignal,
): Promise<Found> {
  const { installedVersion, hasSocket } = report.agent
  const ownVersion = context.options.version
  if (hasSocket) {
    try {
      const link = await openAgentLink(connection, report, context.clock, context.dialog.log, signal)
      return { kind: 'answers', link, version: link.hello.version }
    } catch (error) {
      if (!(error instanceof AppError)) throw error
      context.dialog.log(`${error.code}: ${error.message}`)
      if (error.code === 'AGENT_OLD') {
        return { kind: 'other', version: error.details?.['installed'] ?? installedVersion ?? '0', error }
      }
      // A stale socket is as good as none.
      if (error.code !== 'AGENT_MISSING') throw error
    }
  }
  if (installedVersion === null) return { kind: 'missing' }
  return installedVersion === ownVersion
    ? { kind: 'stopped' }
    : { kind: 'other', version: installedVersion, error: null }
}

function comparison(installed: string, own: string): { installed: string; reason: 'old' | 'newer' | null } {
  const order = compareVersions(installed, own)
  return { installed, reason: order === 0 ? null : order < 0 ? 'old' : 'newer' }
}

const installStep =
  ({ step }: EstablishContext) =>
  (detail: DetailOf<'install'>, params: Record<string, string | number> = {}, progress: number | null = null): void =>
    step('install', 'running', detail, params, progress)

/** Checks the host, asks, installs. False where the operator said no. */
async function install(
  reason: 'missing' | 'old' | 'newer',
  installedVersion: string | null,
  connection: SshConnection,
  report: HostReport,
  context: EstablishContext,
  signal: AbortSignal,
): Promise<boolean> {
  const { step, dialog, options } = context
  step('install', 'running', 'checking')
  const agentPackage = await choosePackage(options.agentPackages, report)
  const unfit = judgeFitness(report, agentPackage.bytes)
  if (unfit.length > 0) {
    for (const { reason: why, params } of unfit) dialog.log(fill(unfitReasons[why], params))
    step('install', 'running', 'unfit')
    throw unfitError(connection.target.host, unfit)
  }
  step('install', 'running', 'asking')
  const answer = await dialog.ask({
    kind: 'install',
    reason,
    installedVersion,
    version: options.version,
    bytes: agentPackage.bytes,
    actions: describeInstall(report, agentPackage, options.version),
    asUser: report.user,
    withSudo: report.uid !== 0,
  })
  if (answer.kind !== 'accept') {
    step('install', reason === 'missing' ? 'failed' : 'skipped', 'refused')
    return false
  }
  await installAgent(connection, report, agentPackage, options.version, installStep(context), signal)
  return true
}

/** Nothing had to be installed. */
function connected(link: AgentLink, report: HostReport, context: EstablishContext): AgentLink {
  context.step('install', 'skipped', 'notNeeded')
  return handshaken(link, report, context)
}

function handshaken(link: AgentLink, report: HostReport, { step }: EstablishContext): AgentLink {
  step('handshake', 'done', link.detail, {
    version: link.hello.version,
    ms: Math.round(link.roundTripMs * 10) / 10,
    user: report.user,
  })
  return link
}
