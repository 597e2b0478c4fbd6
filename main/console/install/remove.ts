import type { SshConnection } from '../ports.ts'
import type { HostReport } from './host-report.ts'
import { agentProgram, installRoot } from './paths.ts'
import { rootCommands } from './root-commands.ts'

/**
 * Takes the agent off a director: service, groups, state (`signalbox teardown`), then its files. What is in our folder
 * and not ours stays, and so does the folder then. The dataplane was retired before.
 *
 * @returns what was removed, one line each
 */
export async function removeAgent(
  connection: SshConnection,
  report: HostReport,
  keepTraffic: boolean,
  onTeardown: () => void,
  onDelete: () => void,
): Promise<string[]> {
  const root = rootCommands(connection, report.uid === 0)
  onTeardown()
  const argv = [agentProgram, 'teardown', ...(keepTraffic ? ['--keep-traffic'] : [])]
  const tornDown = await root.run(argv, { timeoutMs: 60_000 })
  onDelete()
  const deleted = await root.script(deleteScript, [installRoot], { timeoutMs: 60_000 })
  return [tornDown.stdout, deleted.stdout]
    .flatMap((text) => text.split('\n').map((line) => line.trim()))
    .filter(Boolean)
}

/** root folder. Prints what it removed. */
const deleteScript = `
set -u
root=$1
[ -d "$root" ] || exit 0
for manifest in "$root"/*/manifest.json; do
  folder=\${manifest%/manifest.json}
  [ -L "$folder" ] && continue
  if grep -q '"signalbox-agent"' "$manifest" 2>/dev/null; then rm -rf -- "$folder" && echo "$folder"; fi
done
if [ -L "$root/current" ]; then rm -f -- "$root/current" && echo "$root/current"; fi
for stale in "$root"/.unpack-* "$root"/.old-* "$root"/.link-* "$root"/.signalbox-upload-*; do
  [ -e "$stale" ] && rm -rf -- "$stale"
done
rmdir -- "$root" 2>/dev/null && echo "$root"
exit 0
`
