import path from 'node:path'
import Conf from 'conf'
import type { StorePort } from '../console/ports.ts'
import { documentStore } from './document-store.ts'

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
