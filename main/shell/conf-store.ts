import path from 'node:path'
import type { StorePort } from '../console/ports.ts'
import { documentStore } from './document-store.ts'
import { importWithoutSignals } from './import-without-signals.ts'

const { default: Conf } = await importWithoutSignals(() => import('conf'))

/** The store of the browser shell: one JSON file for each document, written in one step, readable by its owner only. */
export function confStore(dataDir: string): StorePort {
  return documentStore(
    (name) =>
      new Conf<{ document?: unknown }>({
        cwd: dataDir,
        configName: name,
        projectName: 'signalbox',
        clearInvalidConfig: false,
        configFileMode: 0o600,
      }),
    (name) => path.join(dataDir, `${name}.json`),
  )
}
