import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import path from 'node:path'
import { AppError } from '../../../core/contract/errors.ts'
import type { HostReport } from './host-report.ts'

/** A tar that goes to a director. */
export interface AgentPackage {
  readonly file: string
  readonly bytes: number
  /** Hex. */
  readonly sha256: string
  readonly bringsNode: boolean
}

const oldestNode = 22

/** The package for this host: without Node where the host has a recent one that the service finds too. */
export async function choosePackage(folder: string, report: HostReport): Promise<AgentPackage> {
  const major = Number(/^v(\d+)\./.exec(report.node ?? '')?.[1] ?? 0)
  const bringsNode = major < oldestNode
  const file = path.join(folder, bringsNode ? 'agent-linux-x64.tar.gz' : 'agent-linux-x64-nonode.tar.gz')
  try {
    const { size } = await stat(file)
    const hash = createHash('sha256')
    for await (const chunk of createReadStream(file)) hash.update(chunk as Buffer)
    return { file, bytes: size, sha256: hash.digest('hex'), bringsNode }
  } catch (error) {
    throw new AppError('NOT_FOUND', `The agent's package ${file} is missing from this console.`, {
      hint: 'In a checkout: npm run build.',
      cause: error,
    })
  }
}
