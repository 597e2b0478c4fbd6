import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { mkdir, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import writeFileAtomic from 'write-file-atomic'
import { AppError } from '../../core/contract/errors.ts'
import { syncFolder } from '../disk.ts'
import { run } from './run-command.ts'

/** What the agent sets on its host beside dataplanes and addresses, and the files that keep it over a boot. */
export interface HostControls {
  /** A sysctl's value as one line; null where this kernel has no such sysctl. */
  readSysctl(name: string): string | null
  writeSysctl(name: string, value: string): void
  loadModule(name: string): void
  unloadModule(name: string): void
  /** Makes our files say exactly this; without anything to say there are no files. */
  persist(kept: { readonly sysctls: ReadonlyMap<string, string>; readonly modules: readonly string[] }): Promise<void>
}

export interface HostPlaces {
  readonly sysctlFile: string
  readonly modulesFile: string
}

export const hostPlaces: HostPlaces = {
  sysctlFile: '/etc/sysctl.d/60-signalbox.conf',
  modulesFile: '/etc/modules-load.d/signalbox.conf',
}

/** Names come from a list of ours, never from outside: only letters, digits and the signs that sysctl names have. */
const procPath = (name: string): string => {
  if (!/^net(?:\.[a-z0-9_-]+)+$/.test(name)) throw new TypeError(`${name} is no sysctl of the network`)
  return `/proc/sys/${name.replaceAll('.', '/')}`
}

const codeOf = (error: unknown): string | undefined =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined

function kernelError(what: string, error: unknown): AppError {
  const errno = codeOf(error)
  const message = error instanceof Error ? error.message : String(error)
  return new AppError('KERNEL', `The kernel refused ${what}: ${message}`, {
    cause: error,
    ...(errno === undefined ? {} : { details: { errno } }),
  })
}

/** The host in whose namespaces the agent runs. */
export function hostControls(places: HostPlaces = hostPlaces): HostControls {
  return {
    readSysctl(name) {
      try {
        return readFileSync(procPath(name), 'utf8').trim().replaceAll(/\s+/g, ' ')
      } catch (error) {
        if (codeOf(error) === 'ENOENT') return null
        throw kernelError(`to tell ${name}`, error)
      }
    },
    writeSysctl(name, value) {
      try {
        writeFileSync(procPath(name), `${value}\n`)
      } catch (error) {
        throw kernelError(`${name} = ${value}`, error)
      }
    },
    loadModule: (name) => void run('modprobe', [name]),
    unloadModule: (name) => void run('modprobe', ['-r', name]),
    async persist({ sysctls, modules }) {
      const header = '# Written by signalbox; goes away with the services that need it.'
      const settings = [...sysctls].map(([name, value]) => `${name} = ${value}`)
      await keep(places.sysctlFile, sysctls.size === 0 ? null : [header, ...settings])
      await keep(places.modulesFile, modules.length === 0 ? null : [header, ...modules])
    },
  }
}

async function keep(file: string, lines: readonly string[] | null): Promise<void> {
  const folder = dirname(file)
  if (lines === null) {
    if (!existsSync(file)) return
    await rm(file)
  } else {
    await mkdir(folder, { recursive: true })
    await writeFileAtomic(file, `${lines.join('\n')}\n`, { mode: 0o644 })
  }
  // The record of what is ours counts on it: after a power cut neither may know more than the other.
  await syncFolder(folder)
}
