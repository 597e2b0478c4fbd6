import { lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { machineCommand } from './machine-command.ts'

/** What a run must leave as it found it, one sorted list of lines per place. */
export type MachineState = Readonly<Record<string, readonly string[]>>

/** Path, kind, size and time of change of everything below `path`; one line when it is missing. */
const listing = (path: string): string[] => {
  const entry = lstatSync(path, { throwIfNoEntry: false })
  if (entry === undefined) return [`${path} missing`]
  const line = entry.isDirectory() ? `${path}/` : `${path} ${entry.size} ${entry.mtimeMs}`
  if (!entry.isDirectory()) return [line]
  return [
    line,
    ...readdirSync(path)
      .sort()
      .flatMap((name) => listing(join(path, name))),
  ]
}

/** Links, network namespaces, groups, accounts, and files in the places where a lab host or an agent writes. */
export const machineState = async (): Promise<MachineState> => {
  const links = JSON.parse(await machineCommand(['ip', '-json', 'link', 'show'])) as { ifname: string }[]
  return {
    links: links.map((link) => link.ifname).sort(),
    namespaces: (await machineCommand(['ip', 'netns', 'list'])).split('\n').sort(),
    groups: (await machineCommand(['getent', 'group'])).split('\n').sort(),
    accounts: (await machineCommand(['getent', 'passwd'])).split('\n').sort(),
    ...Object.fromEntries(
      ['/etc', '/opt', '/run', '/sys/fs/bpf', join(homedir(), '.ssh'), join(homedir(), '.config')].map((path) => [
        path,
        listing(path),
      ]),
    ),
  }
}

/** Pids of all processes in one of the network namespaces (`net:[4026532301]`). */
export const processesIn = (networkNamespaces: ReadonlySet<string>): number[] =>
  readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      const namespace = networkNamespaceOf(pid)
      return namespace !== undefined && networkNamespaces.has(namespace)
    })

/** Name of a process's network namespace, or undefined when it has ended. */
export const networkNamespaceOf = (pid: number): string | undefined => {
  try {
    return readlinkSync(`/proc/${pid}/ns/net`)
  } catch {
    return undefined
  }
}

/** Pids of running processes whose command line holds `word`. */
export const processesNaming = (word: string): number[] =>
  readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(word)
      } catch {
        return false
      }
    })
