import { Command } from 'commander'
import { join } from 'node:path'
import { clusterSpecSchemaText } from '../../core/formats/yaml/json-schema.ts'
import { writeClusterJson, writeClusterYaml } from '../../core/formats/yaml/write.ts'
import { AppError } from '../../core/contract/errors.ts'
import type { Step } from '../../core/model/plan.ts'
import type { NewFlows } from '../../core/model/observed.ts'
import type { ApplyResult } from '../../core/model/revision.ts'
import { agentVersion, changeSocket, defaultPlaces } from '../places.ts'
import { readState, withAgent } from './agent-client.ts'
import { bridge } from './bridge.ts'
import { describeCaller } from './caller.ts'
import { readDocument } from './document.ts'
import { collect, formatName, newFlowsName, roleName, wholeNumber } from './option-values.ts'
import { exitCodes, type Output, show } from './outcome.ts'
import { connectionLines } from './show-connections.ts'
import { planLines, resultLines, stepLines } from './show-plan.ts'
import { historyLines, statusLines } from './show-status.ts'

const exitHelp = `
FILE is YAML or JSON; "-" is standard input.
Exit codes: 0 done; 1 refused or failed; 2 bad usage or input; 3 no agent answers.
SIGNALBOX_SOCKET names the agent's socket as --socket does.`

interface ApplyOptions extends TakingOptions {
  readonly confirmWithin?: number
  readonly confirm: boolean
  readonly message: string
  readonly base?: number
}

/** The command line. Commands throw AppError and set `process.exitCode` only where a result itself is a failure. */
export function program(output: (isJson: boolean) => Output): Command {
  const root = new Command('signalbox')
    .description('The agent of a Linux load-balancing director, and the commands to speak with it.')
    .version(agentVersion())
    .addHelpText('after', exitHelp)
    .hook('preAction', (_root, action) => {
      common = action.optsWithGlobals<CommonOptions>()
    })
  let common: CommonOptions = {}
  const out = () => output(common.json === true)
  const socket = () => common.socket ?? process.env['SIGNALBOX_SOCKET'] ?? defaultSocket
  withCommonOptions(root)

  root
    .command('agent')
    .description('run the agent until SIGTERM; traffic goes on when it ends')
    .option('--state-dir <dir>', 'revisions and journal', defaultPlaces.stateDir)
    .option('--socket-dir <dir>', 'where the sockets are made', defaultPlaces.socketDir)
    .action(async ({ stateDir, socketDir }: { stateDir: string; socketDir: string }) => {
      // Kernel access is loaded where it is needed: the other commands start in half the time.
      const { runDaemon } = await import('../daemon.ts')
      await runDaemon({ stateDir, socketDir, log: (message) => process.stderr.write(`${message}\n`) })
    })

  root
    .command('connect')
    .description("join standard input and output to the agent's socket, for: ssh HOST signalbox connect")
    .action(() => bridge(socket()))

  root
    .command('plan')
    .description('what an apply of this document would do; changes nothing')
    .argument('<file>', 'the document')
    .option('--adopt <service>', 'take over this service that somebody else set up; may be given again', collect, [])
    .option('--drain <seconds>', 'how long what is removed may drain (0 to 90)', wholeNumber(0, 90), 10)
    .action(async (file: string, { adopt, drain }: TakingOptions) => {
      const document = await readDocument(file)
      const { protectedAddresses } = describeCaller()
      const plan = await withAgent(socket(), (client) =>
        client.call('cluster.plan', { spec: document.spec, protectedAddresses, adopt, drainSec: drain }),
      ).catch(rethrow(document.located))
      show(out(), plan, () => planLines(plan))
    })

  root
    .command('apply')
    .description('make the director do what the document says')
    .argument('<file>', 'the document')
    .option('--confirm-within <seconds>', 'revert by itself unless confirmed in time (5 to 3600)', wholeNumber(5, 3600))
    .option('--no-confirm', 'keep it without a confirmation; so it is without --confirm-within')
    .option('--message <text>', 'why, for the history', '')
    .option('--base <revision>', 'refuse where another revision than this one is in force', revisionNumber)
    .option('--adopt <service>', 'take over this service that somebody else set up; may be given again', collect, [])
    .option('--drain <seconds>', 'how long what is removed may drain (0 to 90)', wholeNumber(0, 90), 10)
    .action(async (file: string, options: ApplyOptions) => {
      const document = await readDocument(file)
      const { author, protectedAddresses } = describeCaller()
      const result = await withAgent(socket(), async (client) => {
        const baseRevision = options.base ?? (await readState(client)).revision
        const confirmWithinSec = options.confirm ? (options.confirmWithin ?? null) : null
        const { spec } = document
        const { message, adopt, drain: drainSec } = options
        return client.call('cluster.apply', {
          spec,
          adopt,
          drainSec,
          baseRevision,
          confirmWithinSec,
          author,
          message,
          protectedAddresses,
        })
      }).catch(rethrow(document.located))
      finish(out(), result, options.confirm ? options.confirmWithin : undefined)
    })

  root
    .command('confirm')
    .description('keep the revision that waits for its confirmation')
    .argument('[revision]', 'which one; left out: the one that waits', revisionNumber)
    .action(async (revision: number | undefined) => {
      const kept = await withAgent(socket(), async (client) =>
        client.call('cluster.confirm', { revision: revision ?? (await waiting(client)) }),
      )
      show(out(), kept, () => [`Revision ${kept.revision} is confirmed.`])
    })

  root
    .command('revert')
    .description('take back the revision that waits for its confirmation')
    .argument('[revision]', 'which one; left out: the one that waits', revisionNumber)
    .action(async (revision: number | undefined) => {
      const result = await withAgent(socket(), async (client) =>
        client.call('cluster.revert', { revision: revision ?? (await waiting(client)) }),
      )
      finish(out(), result, undefined)
    })

  root
    .command('role')
    .description('say who carries the VIPs: this director (active) or another one of its cluster (standby)')
    .argument('<role>', 'active or standby', roleName)
    .action(async (role: 'active' | 'standby') => {
      const result = await withAgent(socket(), (client) => client.call('director.setRole', { role }))
      show(out(), result, () => [`The director is ${result.role}.`, ...driftLines(result.drift)])
      if (result.drift.length > 0) process.exitCode = exitCodes.failed
    })

  root
    .command('new-flows')
    .description(
      'emergency switch: stop new connections of eBPF services while known ones go on, or balance them again',
    )
    .argument('<state>', 'balanced or stopped', newFlowsName)
    .action(async (newFlows: NewFlows) => {
      const result = await withAgent(socket(), (client) => client.call('dataplane.setNewFlows', { newFlows }))
      show(out(), result, () => [`New connections of eBPF services are ${result.newFlows}.`])
    })

  root
    .command('connections')
    .description('connections of all services')
    .option('--service <key>', 'of this service only, such as tcp/192.0.2.10:80')
    .option('--client <address>', "whose client's address begins so")
    .option('--real-server <address>', 'of this real server only')
    .option('--state <state>', 'in this state only, such as ESTABLISHED')
    .option('--limit <count>', 'at most this many (1 to 500)', wholeNumber(1, 500), 100)
    .action(async (query: ConnectionOptions) => {
      const page = await withAgent(socket(), (client) => client.call('connections.list', query))
      show(out(), page, () => connectionLines(page))
    })

  root
    .command('status')
    .description('what the director does now')
    .action(async () => {
      await withAgent(socket(), async (client) => {
        const [hello, state, samples] = await Promise.all([
          client.call('agent.hello', {}),
          readState(client),
          client.call('stats.history', {}),
        ])
        const sample = samples.at(-1)
        show(out(), { hello, state, sample: sample ?? null }, () => statusLines(hello, state, sample))
      })
    })

  root
    .command('history')
    .description('revisions, newest first')
    .option('--limit <count>', 'at most this many (1 to 500)', wholeNumber(1, 500), 100)
    .action(async ({ limit }: { limit: number }) => {
      const revisions = await withAgent(socket(), (client) => client.call('cluster.history', { limit }))
      show(out(), revisions, () => historyLines(revisions))
    })

  root
    .command('export')
    .description('print the document in force')
    .option('--format <format>', 'yaml or json', formatName, 'yaml')
    .option('--revision <revision>', 'that of an older revision', revisionNumber)
    .action(async ({ format, revision }: { format: 'yaml' | 'json'; revision?: number }) => {
      const spec = await withAgent(socket(), async (client) =>
        revision === undefined
          ? (await readState(client)).spec
          : (await client.call('cluster.revision', { revision })).spec,
      )
      const isJson = out().isJson || format === 'json'
      out().print((isJson ? writeClusterJson(spec) : writeClusterYaml(spec)).trimEnd())
    })

  root
    .command('schema')
    .description('print the JSON schema of the document')
    .action(() => out().print(clusterSpecSchemaText().trimEnd()))

  root
    .command('setup')
    .description('create groups, directories and the service on this host, and start the agent; harmless again')
    .option('--no-systemd', 'use the small supervisor even where systemd runs')
    .action(async ({ systemd }: { systemd: boolean }) => {
      const { setUp } = await import('../systemd/setup.ts')
      const done = await setUp({ isSystemdWanted: systemd })
      show(out(), { done }, () => done)
    })

  root
    .command('teardown')
    .description('undo what setup did, and take the dataplane and its VIPs down')
    .option('--keep-traffic', 'leave the dataplane and the VIPs working without an agent', false)
    .action(async ({ keepTraffic }: { keepTraffic: boolean }) => {
      const { tearDown } = await import('../systemd/teardown.ts')
      const removed = await tearDown({ keepTraffic })
      show(out(), { removed }, () => removed)
    })

  for (const command of root.commands) withCommonOptions(command)
  return root
}

interface CommonOptions {
  readonly socket?: string
  readonly json?: boolean
}

/** Before or after the command's name. Without defaults: one given in the one place is not overridden by the other. */
function withCommonOptions(command: Command): void {
  command
    .option('--socket <path>', `the agent's socket (default: ${defaultSocket})`)
    .option('--json', 'print one JSON value for programs')
}

const revisionNumber = wholeNumber(0, 999_999_999)
const defaultSocket = join(defaultPlaces.socketDir, changeSocket)

/** An apply that failed, or left something undone, is a failure of the command. */
function finish(output: Output, result: ApplyResult, confirmWithinSec: number | undefined): void {
  const isGood = result.failure === null && result.drift.length === 0
  show(output, result, () => [
    ...resultLines(result),
    ...(result.outcome === 'unconfirmed'
      ? [`It reverts by itself in ${confirmWithinSec} s. To keep it: signalbox confirm ${result.revision}`]
      : []),
  ])
  if (!isGood) process.exitCode = exitCodes.failed
}

async function waiting(client: Parameters<Parameters<typeof withAgent>[1]>[0]): Promise<number> {
  const { progress } = await readState(client)
  if (progress?.phase === 'awaiting-confirmation') return progress.revision
  throw new AppError('NOT_FOUND', 'No revision waits for its confirmation.')
}

const rethrow = (locate: (error: unknown) => unknown) => (error: unknown) => {
  throw locate(error)
}

interface TakingOptions {
  readonly adopt: string[]
  readonly drain: number
}
type ConnectionOptions = Partial<Record<'service' | 'client' | 'realServer' | 'state', string>> & { limit: number }

const driftLines = (drift: readonly Step[]): string[] =>
  drift.length === 0 ? [] : ['Drift; an apply would:', ...stepLines(drift)]
