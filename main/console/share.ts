import type { ConsoleContract } from '../../core/contract/console.ts'
import type { Handlers } from '../../core/contract/define.ts'
import { parseClusterText } from '../../core/formats/yaml/parse.ts'
import { writeClusterJson, writeClusterYaml } from '../../core/formats/yaml/write.ts'

/** Documents as files. */
export const shareHandlers: Pick<Handlers<ConsoleContract>, 'share.export' | 'share.parse'> = {
  'share.export': ({ spec, format }) => ({
    text: format === 'yaml' ? writeClusterYaml(spec) : writeClusterJson(spec),
    fileName: `${fileNameOf(spec.name)}.${format}`,
  }),
  'share.parse'({ text }) {
    const parsed = parseClusterText(text)
    return parsed.ok ? { spec: parsed.value, issues: [] } : { spec: null, issues: parsed.issues }
  },
}

/** What every file system takes, from a cluster's name. */
function fileNameOf(name: string): string {
  const plain = name
    .replaceAll(/[^\p{L}\p{N}._-]+/gu, '-')
    .replaceAll(/^[-.]+|[-.]+$/g, '')
    .slice(0, 60)
  return plain === '' ? 'cluster' : plain
}
