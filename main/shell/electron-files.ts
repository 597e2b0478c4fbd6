import path from 'node:path'
import type { StorePort } from '../console/ports.ts'
import { type DocumentFile, documentStore } from './document-store.ts'
import { importWithoutSignals } from './import-without-signals.ts'

const { default: Store } = await importWithoutSignals(() => import('electron-store'))

/** One file of electron-store, written in one step, readable by its owner only. */
export function openElectronFile(dataDir: string, name: string): DocumentFile {
  return new Store<{ document?: unknown }>({ cwd: dataDir, name, clearInvalidConfig: false, configFileMode: 0o600 })
}

/** The store of the desktop shell; the files are the same as the browser shell's. */
export function electronStore(dataDir: string): StorePort {
  return documentStore(
    (name) => openElectronFile(dataDir, name),
    (name) => path.join(dataDir, `${name}.json`),
  )
}
