import { isAlias, isMap, isPair, isScalar, isSeq, type Document, type LineCounter } from 'yaml'

/** Line, from 1, of the place that `path` names in a parsed document, or of its nearest parent that is there. */
export function lineOf(
  document: Document.Parsed,
  lines: LineCounter,
  path: readonly (string | number)[],
): number | undefined {
  let node: unknown = document.contents
  let offset = offsetOf(node)
  for (const part of path) {
    if (isAlias(node)) node = node.resolve(document)
    if (isMap(node)) {
      const pair = node.items.find((item) => isScalar(item.key) && item.key.value === part)
      if (pair === undefined) break
      // The line of the field's name: a list or a block text begins on a later one.
      offset = offsetOf(pair) ?? offset
      node = pair.value
    } else if (isSeq(node)) {
      node = node.items[Number(part)]
      offset = offsetOf(node) ?? offset
    } else break
  }
  return offset === undefined ? undefined : lines.linePos(offset).line
}

function offsetOf(node: unknown): number | undefined {
  const place = isPair(node) ? node.key : node
  if (typeof place !== 'object' || place === null || !('range' in place)) return undefined
  const { range } = place
  return Array.isArray(range) && typeof range[0] === 'number' ? range[0] : undefined
}
