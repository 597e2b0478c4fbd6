import { z } from 'zod'
import { ClusterSpec } from '../../model/cluster-spec.ts'

/**
 * JSON schema of the document as people write it: fields with a default may be left out. Rules between fields (a VIP
 * twice, DR with another port) are no part of it; the agent checks them.
 */
export function clusterSpecSchema(): object {
  return {
    ...z.toJSONSchema(ClusterSpec, { io: 'input', target: 'draft-2020-12' }),
    title: 'Signalbox cluster',
    description: 'What the directors of a cluster shall do. Read and written by signalbox, and by the console.',
  }
}

/** The schema as it is published in docs/. */
export const clusterSpecSchemaText = (): string => `${JSON.stringify(clusterSpecSchema(), null, 2)}\n`
