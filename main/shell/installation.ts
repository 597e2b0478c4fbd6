import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { z } from 'zod'

/** Where the parts of this installation are: a checkout, or an unpacked package. */
export interface Installation {
  readonly version: string
  /** The built page. */
  readonly rendererDir: string
  readonly preload: string
  /** Folder with the agent's tars. */
  readonly agentPackages: string
}

const Manifest = z.object({ name: z.literal('signalbox'), version: z.string() })

/** Found from the running file upwards, so that the bundle in dist/main and the source in main/ find the same. */
export function findInstallation(fromDir: string): Installation {
  for (let dir = fromDir; ; dir = path.dirname(dir)) {
    const file = path.join(dir, 'package.json')
    const manifest = existsSync(file) ? Manifest.safeParse(JSON.parse(readFileSync(file, 'utf8'))) : undefined
    if (manifest?.success === true) {
      const dist = path.join(dir, 'dist')
      return {
        version: manifest.data.version,
        rendererDir: path.join(dist, 'renderer'),
        preload: path.join(dist, 'preload', 'index.cjs'),
        agentPackages: dist,
      }
    }
    if (dir === path.dirname(dir)) throw new Error(`No package.json of signalbox was found in or above ${fromDir}.`)
  }
}
