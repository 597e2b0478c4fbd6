import { mkdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { withAgent } from '../cli/agent-client.ts'
import { groupId } from '../groups.ts'
import { agentVersion, changeSocket, ownCommand } from '../places.ts'
import { findProgram, groups, hasSystemd, isLink, linkTarget, paths, requireRoot } from './host.ts'
import { note, readRecord, type SetupRecord } from './record.ts'
import { run } from '../host/run-command.ts'
import { startSupervisor, startUnit, stopService, until } from './service.ts'
import { unitText } from './unit.ts'

export interface SetupOptions {
  /** False: the supervisor even where systemd runs. */
  readonly isSystemdWanted: boolean
}

/**
 * Makes this host run the agent: groups, directories, service, a link in the PATH. Harmless again; after an upgrade it
 * starts the new program in place of the old one, and traffic does not notice. Returns what it did, one line each.
 */
export async function setUp({ isSystemdWanted }: SetupOptions): Promise<string[]> {
  requireRoot('signalbox setup')
  const done: string[] = []
  let record = readRecord()
  const remember = (more: Partial<SetupRecord>) => {
    record = {
      groups: [...new Set([...record.groups, ...(more.groups ?? [])])],
      files: [...new Set([...record.files, ...(more.files ?? [])])],
    }
    note(record)
  }
  const command = ownCommand()
  mkdirSync(paths.stateDir, { recursive: true, mode: 0o700 })
  for (const group of groups) done.push(...createGroup(group, remember))
  done.push(...createLink(command, remember))
  await stopService()
  if (isSystemdWanted && hasSystemd()) done.push(...startWithSystemd(command, remember))
  else {
    rmSync(paths.unit, { force: true })
    startSupervisor(command)
    done.push(`started the agent in the background; its log: ${paths.log}`)
  }
  await waitForAgent()
  done.push(`the agent answers on ${join(paths.socketDir, changeSocket)}`)
  return done
}

type Remember = (more: Partial<SetupRecord>) => void

/** Without groupadd the sockets are root's alone. */
function createGroup(group: string, remember: Remember): string[] {
  if (groupId(group) !== null) return []
  const program = findProgram('groupadd')
  if (program === null) return [`group ${group} not created: this host has no groupadd, the sockets are root's alone`]
  remember({ groups: [group] })
  run(program, ['--system', group])
  return [`group ${group}`]
}

/** What is there and not ours stays: the program is then called by its full path. */
function createLink(command: readonly string[], remember: Remember): string[] {
  const [program] = command
  if (command.length !== 1 || program === undefined || linkTarget(paths.link) === program) return []
  const isThere = statSync(paths.link, { throwIfNoEntry: false }) !== undefined || isLink(paths.link)
  if (isThere && !readRecord().files.includes(paths.link)) {
    return [`${paths.link} is there and not ours: call ${program}`]
  }
  rmSync(paths.link, { force: true })
  remember({ files: [paths.link] })
  mkdirSync(join(paths.link, '..'), { recursive: true })
  symlinkSync(program, paths.link)
  return [paths.link]
}

function startWithSystemd(command: readonly string[], remember: Remember): string[] {
  const text = unitText({ command })
  const isNew =
    statSync(paths.unit, { throwIfNoEntry: false }) === undefined || readFileSync(paths.unit, 'utf8') !== text
  remember({ files: [paths.unit] })
  if (isNew) writeFileSync(paths.unit, text, { mode: 0o644 })
  startUnit()
  return [...(isNew ? [paths.unit] : []), 'started the agent by systemd, now and at every boot']
}

async function waitForAgent(): Promise<void> {
  const answers = async () => {
    try {
      const hello = await withAgent(join(paths.socketDir, changeSocket), (client) => client.call('agent.hello', {}))
      return hello.version === agentVersion()
    } catch {
      return false
    }
  }
  const where = hasSystemd() ? 'journalctl -u signalbox' : paths.log
  await until(answers, 20_000, `The agent was started and does not answer within 20 s; see ${where}.`)
}
