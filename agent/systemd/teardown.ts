import { rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { AppError } from '../../core/contract/errors.ts'
import { withAgent } from '../cli/agent-client.ts'
import { openLocalAgent } from '../daemon.ts'
import { changeSocket } from '../places.ts'
import { findProgram, groups, hasSystemd, isLink, paths, requireRoot } from './host.ts'
import { readRecord } from './record.ts'
import { run } from '../host/run-command.ts'
import { stopService } from './service.ts'

export interface TeardownOptions {
  /** True: the dataplane and the VIPs go on without an agent, and the record of what is ours stays on the disk. */
  readonly keepTraffic: boolean
}

/** Undoes exactly what `setup` did. Returns what was removed, one line each. */
export async function tearDown({ keepTraffic }: TeardownOptions): Promise<string[]> {
  requireRoot('signalbox teardown')
  const record = readRecord()
  const removed: string[] = []
  const isSetUp = statSync(paths.stateDir, { throwIfNoEntry: false }) !== undefined
  const lowered = keepTraffic || !isSetUp ? [] : await retire()
  removed.push(...lowered.map((address) => `VIP ${address}`))
  await stopService()
  for (const file of [paths.unit, paths.link]) {
    if (!record.files.includes(file) || (statSync(file, { throwIfNoEntry: false }) === undefined && !isLink(file)))
      continue
    rmSync(file, { force: true })
    removed.push(file)
  }
  if (hasSystemd() && removed.includes(paths.unit)) run('systemctl', ['daemon-reload'])
  removed.push(...removeFolder(paths.socketDir))
  if (keepTraffic) {
    for (const file of [paths.record, paths.log, `${paths.log}.1`]) rmSync(file, { force: true })
  } else removed.push(...removeFolder(paths.stateDir))
  for (const group of groups.filter((one) => record.groups.includes(one))) removed.push(...removeGroup(group))
  return removed
}

/** By the agent that runs; where none answers, by this process in its place. */
async function retire(): Promise<string[]> {
  try {
    const socket = join(paths.socketDir, changeSocket)
    const { vipsLowered } = await withAgent(socket, (client) => client.call('agent.retire', { keepTraffic: false }))
    return vipsLowered
  } catch (error) {
    if (!(error instanceof AppError && (error.code === 'OFFLINE' || error.code === 'CLOSED'))) throw error
  }
  await stopService()
  const { stateDir } = paths
  const { agent, stop } = await openLocalAgent({ stateDir, log: (message) => process.stderr.write(`${message}\n`) })
  try {
    return (await agent.reconciler.retire()).vipsLowered
  } finally {
    stop()
  }
}

function removeFolder(folder: string): string[] {
  if (statSync(folder, { throwIfNoEntry: false }) === undefined) return []
  rmSync(folder, { recursive: true, force: true })
  return [folder]
}

function removeGroup(group: string): string[] {
  const program = findProgram('groupdel')
  if (program === null) return []
  try {
    run(program, [group])
    return [`group ${group}`]
  } catch (error) {
    // It became somebody's primary group since: it stays, and the reason is told.
    return [`group ${group} stays: ${error instanceof Error ? error.message : String(error)}`]
  }
}
