/**
 * The lab by hand:
 *   node test/lab/cli.ts up [--real-servers N] [--jump] [--ssh-port P] [--no-stream-local] [--steady] [--json]
 *   node test/lab/cli.ts list
 *   node test/lab/cli.ts exec [--lab NUMBER] HOST -- COMMAND [ARG…]
 *   node test/lab/cli.ts sweep
 * `up` stays in the foreground; Ctrl-C stops the lab.
 */
import { spawn } from 'node:child_process'
import { Command, InvalidArgumentError } from 'commander'
import { enterCommand, hostEnvironment } from './host-process.ts'
import { type LabHostSummary, type LabSummary, startLab } from './lab.ts'
import { findStates, isOwned, type LabRecord } from './lab-state.ts'
import { sweep } from './sweep.ts'

const wholeNumber = (text: string): number => {
  if (!/^\d+$/.test(text)) throw new InvalidArgumentError(`found "${text}", expected a whole number.`)
  return Number(text)
}

const describe = (lab: LabSummary): string => {
  const row = (host: LabHostSummary): string =>
    `  ${host.name.padEnd(9)} ${(host.management ?? '(by client)').padEnd(15)} ${String(host.sshPort).padEnd(6)} ${host.data.padEnd(14)} ${host.fingerprint}`
  return [
    `lab ${lab.number}`,
    `  ${'host'.padEnd(9)} ${'management'.padEnd(15)} ${'ssh'.padEnd(6)} ${'data'.padEnd(14)} host key`,
    ...[lab.director, lab.client, ...lab.realServers].map(row),
    `  free VIP   ${lab.vip}`,
    `  key file   ${lab.keyFile}`,
    `  by hand    ssh -F ${lab.sshConfigFile} director`,
  ].join('\n')
}

const runningLabs = (): LabRecord[] =>
  findStates().flatMap(({ record }) =>
    record !== undefined && isOwned(record) && record.summary !== undefined ? [record] : [],
  )

/** The lab that was asked for, or the only one. */
const chooseLab = (number: number | undefined): LabRecord => {
  const labs = runningLabs().filter((lab) => number === undefined || lab.number === number)
  const [lab] = labs
  if (lab === undefined) throw new Error(number === undefined ? 'No lab is running.' : `Lab ${number} is not running.`)
  if (labs.length > 1)
    throw new Error(`Several labs are running: choose with --lab (${labs.map((each) => each.number).join(', ')}).`)
  return lab
}

const up = async (options: {
  realServers: number
  jump?: boolean
  sshPort?: number
  streamLocal: boolean
  steady?: boolean
  json?: boolean
}): Promise<void> => {
  const lab = await startLab({
    realServers: options.realServers,
    director: {
      jump: options.jump === true,
      ssh: {
        streamLocalForwarding: options.streamLocal,
        ...(options.sshPort === undefined ? {} : { port: options.sshPort }),
      },
    },
  })
  const summary = lab.summary()
  if (options.json === true) console.log(JSON.stringify({ event: 'ready', ...summary }))
  else console.log(`${describe(summary)}\nCtrl-C stops it.`)
  if (options.steady !== true) return
  const client = lab.steadyClient()
  let shown = ''
  const show = async (): Promise<void> => {
    const { answered, failed, perServer, lastAnswerAtMs = 0, lastFailureAtMs = 0 } = await client.counters()
    if (answered + failed === 0) return
    const state = lastAnswerAtMs > lastFailureAtMs ? 'answers' : 'no answer'
    if (state === shown) return
    shown = state
    console.log(
      `client: ${state} from ${lab.vip}:80 (${answered} answered, ${failed} failed, ${JSON.stringify(perServer)})`,
    )
  }
  // It rejects when the lab ends, and the lab ends with this process.
  setInterval(() => void show().catch(() => undefined), 1000)
}

const enter = async (host: string, argv: readonly string[], options: { lab?: number }): Promise<void> => {
  const lab = chooseLab(options.lab)
  const initPid = lab.hosts[host]
  if (initPid === undefined)
    throw new Error(`host: found "${host}", expected one of ${Object.keys(lab.hosts).join(', ')}`)
  const [command = '', ...args] = enterCommand(initPid, argv)
  const terminal = process.env['TERM']
  const child = spawn(command, args, {
    env: { ...hostEnvironment, ...(terminal === undefined ? {} : { TERM: terminal }) },
    stdio: 'inherit',
  })
  // The terminal sends Ctrl-C to the command as well; it decides.
  process.on('SIGINT', () => undefined)
  process.exitCode = await new Promise<number>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code) => resolve(code ?? 1))
  })
}

const program = new Command('lab').description('Directors, real servers and a client on this machine, by hand.')
program
  .command('up')
  .description('start a lab in the foreground')
  .option('--real-servers <count>', 'number of real servers', wholeNumber, 3)
  .option('--jump', 'the director is reached through the client host only')
  .option('--ssh-port <port>', "port of the director's sshd", wholeNumber)
  .option('--no-stream-local', "the director's sshd forbids stream-local forwarding")
  .option('--steady', 'the client keeps trying the VIP')
  .option('--json', 'one line of JSON when the lab is up')
  .action(up)
program
  .command('list')
  .description('labs that run now')
  .action(() => {
    const labs = runningLabs()
    console.log(
      labs.length === 0
        ? 'No lab is running.'
        : labs.map((lab) => describe(lab.summary as unknown as LabSummary)).join('\n'),
    )
  })
program
  .command('exec <host> <command...>')
  .description('run a command in a host of a running lab: exec HOST -- COMMAND')
  .option('--lab <number>', 'which lab, when several run', wholeNumber)
  .action(enter)
program
  .command('sweep')
  .description('remove what crashed runs left')
  .action(async () => {
    const removed = await sweep()
    console.log(removed.length === 0 ? 'nothing to remove' : removed.map((what) => `removed ${what}`).join('\n'))
  })

try {
  await program.parseAsync()
} catch (error) {
  console.error(error instanceof Error ? error.message : String(error))
  process.exitCode = 1
}
