import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import type { IpvsWriter } from '../../../core/model/observed.ts'

/** Programs that program IPVS by themselves, by the kernel's name of their process (15 characters at most). */
const writerNames = new Set(['keepalived', 'ldirectord', 'kube-proxy', 'lvs-kiss', 'surealived', 'gorb'])

/**
 * Those that run in our network namespace: elsewhere they have another IPVS. The oldest process of each name, which is
 * the one that an operator stops.
 */
export function findWriters(proc = '/proc'): IpvsWriter[] {
  const ours = linkOf(`${proc}/self/ns/net`)
  const found = new Map<string, number>()
  for (const entry of readdirSync(proc)) {
    if (!/^\d+$/.test(entry)) continue
    const name = textOf(`${proc}/${entry}/comm`)
    if (name === null || !writerNames.has(name) || linkOf(`${proc}/${entry}/ns/net`) !== ours) continue
    const pid = Number(entry)
    found.set(name, Math.min(pid, found.get(name) ?? pid))
  }
  return [...found].map(([name, pid]) => ({ name, pid })).toSorted((a, b) => a.pid - b.pid)
}

/** Null where the process has gone meanwhile, or is not ours to look at. */
function textOf(file: string): string | null {
  try {
    return readFileSync(file, 'utf8').trim()
  } catch {
    return null
  }
}

function linkOf(file: string): string | null {
  try {
    return readlinkSync(file)
  } catch {
    return null
  }
}
