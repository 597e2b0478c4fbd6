import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { isAbsolute } from 'node:path'
import type { IpvsWriter } from '../../../core/model/observed.ts'
import { servicesOfKeepalived } from './keepalived-conf.ts'

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
  return [...found]
    .map(([name, pid]) => ({ name, pid, ...managedBy(name, `${proc}/${pid}`) }))
    .toSorted((a, b) => a.pid - b.pid)
}

/** What it manages by its own configuration, in its own root; nothing is said where that cannot be read. */
function managedBy(name: string, process: string): Pick<IpvsWriter, 'manages'> {
  if (name !== 'keepalived') return {}
  const file = configurationOf((textOf(`${process}/cmdline`) ?? '').split('\0'))
  const inside = isAbsolute(file) ? `${process}/root` : `${process}/cwd/`
  const manages = servicesOfKeepalived(file, {
    read: (path) => textOf(`${inside}${path}`),
    list: (folder) => namesIn(`${inside}${folder}`),
  })
  return manages === null ? {} : { manages }
}

/** keepalived(8): `-f FILE`, also at the end of joined letters, or `--use-file`. */
function configurationOf(words: readonly string[]): string {
  for (const [at, word] of words.entries()) {
    if (/^(?:-[A-Za-z]*f|--use-file)$/.test(word)) return words[at + 1] ?? ''
    const joined = /^(?:-f|--use-file=)(.+)$/.exec(word)
    if (joined?.[1] !== undefined) return joined[1]
  }
  return '/etc/keepalived/keepalived.conf'
}

/** Null where the process has gone meanwhile, or is not ours to look at. */
function textOf(file: string): string | null {
  try {
    return readFileSync(file, 'utf8').trim()
  } catch {
    return null
  }
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}

function linkOf(file: string): string | null {
  try {
    return readlinkSync(file)
  } catch {
    return null
  }
}
