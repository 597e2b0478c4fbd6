import { stringify } from 'yaml'
import { ClusterSpec } from '../../model/cluster-spec.ts'

/** The document as YAML, fields in the schema's order, defaults spelled out: it reads the same in later versions. */
export function writeClusterYaml(spec: ClusterSpec): string {
  return stringify(ClusterSpec.parse(spec), { lineWidth: 0, aliasDuplicateObjects: false })
}

/** The same as JSON, two blanks of indentation, with a line end. */
export function writeClusterJson(spec: ClusterSpec): string {
  return `${JSON.stringify(ClusterSpec.parse(spec), null, 2)}\n`
}
