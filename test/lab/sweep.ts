/**
 * Removes what labs of crashed runs left behind: `node test/lab/sweep.ts`. What belongs to a running owner stays.
 */
import { spawnSync } from 'node:child_process'
import { statSync } from 'node:fs'
import { sweepGuests } from './guest/guest-state.ts'
import { findStates, isOwned, linkPrefix, removeStateDir } from './lab-state.ts'
import { machineCommand } from './machine-command.ts'
import { isRunning, signalProcess } from './process-identity.ts'

/** A state directory without a record may belong to an owner that is just starting. */
const graceMs = 60_000

/** Names the lab in the alias of its link on the machine, so that a link is known without its state directory. */
export const linkAlias = (owner: { readonly pid: number; readonly startTime: string }): string =>
  `signalbox-lab owner ${owner.pid} ${owner.startTime}`

/** Links of labs on the machine, with the owner that their alias names. */
const labLinks = async (): Promise<{ name: string; owner: { pid: number; startTime: string } | undefined }[]> => {
  const links = JSON.parse(await machineCommand(['ip', '-json', 'link', 'show'])) as {
    ifname: string
    ifalias?: string
  }[]
  return links
    .filter((link) => new RegExp(`^${linkPrefix}\\d+$`).test(link.ifname))
    .map(({ ifname, ifalias }) => {
      const [, pid, startTime] = /^signalbox-lab owner (\d+) (\d+)$/.exec(ifalias ?? '') ?? []
      return { name: ifname, owner: pid && startTime ? { pid: Number(pid), startTime } : undefined }
    })
}

/** Deletes a link; one that the kernel has removed meanwhile is no error. */
export const deleteLink = async (name: string): Promise<void> => {
  try {
    await machineCommand(['ip', 'link', 'delete', name])
  } catch (error) {
    if (!(error instanceof Error && error.message.includes('Cannot find device'))) throw error
  }
}

/** The same without waiting, for the end of the process. */
export const deleteLinkNow = (name: string): void => {
  spawnSync('ip', ['link', 'delete', name], { stdio: 'ignore' })
}

/** Removes processes, links and state directories of labs and guests whose owner is dead; returns a line for each. */
export const sweep = async (): Promise<string[]> => {
  const removed: string[] = sweepGuests()
  for (const { dir, record } of findStates()) {
    if (record === undefined) {
      const age = Date.now() - (statSync(dir, { throwIfNoEntry: false })?.mtimeMs ?? Date.now())
      if (age < graceMs) continue
    } else {
      if (isOwned(record)) continue
      for (const identity of record.processes.filter(isRunning)) {
        signalProcess(identity, 'SIGKILL')
        removed.push(`process ${identity.pid}`)
      }
    }
    removeStateDir(dir)
    removed.push(`directory ${dir}`)
  }
  for (const { name, owner } of await labLinks()) {
    if (owner === undefined || isRunning(owner)) continue
    await deleteLink(name)
    removed.push(`link ${name}`)
  }
  return removed
}

if (import.meta.main) {
  const removed = await sweep()
  console.log(removed.length === 0 ? 'nothing to remove' : removed.map((what) => `removed ${what}`).join('\n'))
}
