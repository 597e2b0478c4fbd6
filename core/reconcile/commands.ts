import type { Command } from '../model/plan.ts'

/**
 * The command that does on the director what the plan does. It hands over the whole document: the agent raises and
 * announces the VIP itself, remembers that it did, and takes exactly that back; an `ip address add` by hand would leave
 * an address that is nobody's.
 *
 * @param document text of the cluster's document, as written by formats/yaml
 */
export function applyCommand(document: string): Command {
  const end = endMark(document)
  const text = document.endsWith('\n') ? document : `${document}\n`
  return { host: 'director', kind: 'signalbox', text: `signalbox apply - <<'${end}'\n${text}${end}` }
}

/** A line that does not stand in the text; in quotes, so that the shell leaves the text as it is. */
function endMark(text: string): string {
  const lines = new Set(text.split('\n'))
  let mark = 'EOF'
  for (let n = 1; lines.has(mark); n++) mark = `EOF_${n}`
  return mark
}
