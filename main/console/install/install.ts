import { randomBytes } from 'node:crypto'
import type { DetailOf } from '../../../core/contract/connect-details.ts'
import { AppError } from '../../../core/contract/errors.ts'
import type { SshConnection } from '../ports.ts'
import type { HostReport } from './host-report.ts'
import type { AgentPackage } from './package.ts'
import { agentProgram, agentSocket, currentLink, installRoot } from './paths.ts'
import { type RootCommands, rootCommands } from './root-commands.ts'

export type InstallStep = (
  detail: DetailOf<'install'>,
  params?: Record<string, string | number>,
  progress?: number | null,
) => void

/** What will be done, in lines for the operator who is asked. */
export function describeInstall(report: HostReport, agentPackage: AgentPackage, version: string): string[] {
  const sudo = report.uid === 0 ? '' : ' with sudo'
  return [
    `${installRoot}/${version}: the agent${agentPackage.bringsNode ? ' with its own Node' : ', run by the Node of this host'}${sudo}`,
    `${currentLink}: link to that version`,
    `${agentProgram} setup: groups signalbox and signalbox-view, the service, /run/signalbox and /var/lib/signalbox`,
    `${agentSocket}: the agent listens here; no TCP port is opened`,
  ]
}

/**
 * Puts the agent onto a host that fits, and starts it. A version that runs is replaced by the link alone, in one step;
 * what the dataplane holds is pinned and goes on. Nothing of an unfinished upload stays.
 */
export async function installAgent(
  connection: SshConnection,
  report: HostReport,
  agentPackage: AgentPackage,
  version: string,
  step: InstallStep,
  signal: AbortSignal,
): Promise<void> {
  const root = rootCommands(connection, report.uid === 0)
  const token = randomBytes(6).toString('hex')
  const fileName = `.signalbox-upload-${token}.tar.gz`
  // Only root may write below /opt; anybody else uploads to the home, where SFTP starts.
  const uploaded = report.uid === 0 ? `${installRoot}/${fileName}` : fileName
  await root.run(['mkdir', '-p', '-m', '755', installRoot], { signal })
  let isUnpacked = false
  try {
    await upload(connection, agentPackage, uploaded, step, signal)
    const path = report.uid === 0 ? uploaded : await absolutePath(connection, uploaded, signal)
    step('verifying')
    await verifyDigest(root, path, agentPackage.sha256, signal)
    step('unpacking', { path: `${installRoot}/${version}` })
    await root.script(unpackScript, [installRoot, version, path, token], { timeoutMs: 120_000, signal })
    isUnpacked = true
  } finally {
    // Also where the operator called it off: the connection may be gone by now, then the next installation sweeps.
    await connection.exec(['rm', '-f', '--', uploaded], { timeoutMs: 10_000 }).catch(() => {})
    // Empty again: it was made here.
    if (!isUnpacked) await root.run(['rmdir', '--ignore-fail-on-non-empty', '--', installRoot]).catch(() => {})
  }
  await startAgent(connection, report, step, signal)
}

/** Creates groups and service and starts the agent, or what of it is missing; harmless where all is there. */
export async function startAgent(
  connection: SshConnection,
  report: HostReport,
  step: InstallStep,
  signal: AbortSignal,
): Promise<void> {
  const root = rootCommands(connection, report.uid === 0)
  step('settingUp')
  await root.run([agentProgram, 'setup'], { timeoutMs: 60_000, signal })
  step('waiting')
  await root.script(waitForSocketScript, [agentSocket], { timeoutMs: 40_000, signal })
}

async function upload(
  connection: SshConnection,
  { file, bytes }: AgentPackage,
  remotePath: string,
  step: InstallStep,
  signal: AbortSignal,
): Promise<void> {
  const mb = (n: number) => Math.round(n / 100_000) / 10
  let shown = -1
  const show = (sent: number) => {
    const percent = Math.floor((sent / bytes) * 100)
    if (percent === shown) return
    shown = percent
    step('uploading', { sent: mb(sent), total: mb(bytes) }, sent / bytes)
  }
  show(0)
  await connection.upload(file, remotePath, { mode: 0o600, signal, onProgress: show })
}

async function absolutePath(connection: SshConnection, name: string, signal: AbortSignal): Promise<string> {
  const { stdout } = await connection.exec(['readlink', '-f', '--', name], { signal })
  return stdout.trim()
}

async function verifyDigest(root: RootCommands, path: string, expected: string, signal: AbortSignal): Promise<void> {
  const { stdout } = await root.run(['sha256sum', '--', path], { timeoutMs: 60_000, signal })
  const found = /^\\?([0-9a-f]{64})/.exec(stdout)?.[1] ?? 'nothing'
  if (found === expected) return
  throw new AppError('REFUSED', 'The agent arrived damaged: its digest is not the one that was sent.', {
    hint: 'Connect again; if it happens again, something on the way or the disk of the host changes data.',
    details: { found, expected },
    retryable: true,
  })
}

/** root, version, tar, token. Unpacks beside the target and switches by rename, so that no half of a version is ever there. */
const unpackScript = `
set -eu
root=$1; version=$2; tar=$3; token=$4
unpacked=$root/.unpack-$token
trap 'rm -rf -- "$unpacked" "$root/.old-$token" "$root/.link-$token"' EXIT
umask 022
for stale in "$root"/.unpack-* "$root"/.old-* "$root"/.link-*; do [ -e "$stale" ] && rm -rf -- "$stale"; done
mkdir -- "$unpacked"
tar -xzf "$tar" -C "$unpacked" --no-same-owner
found=$(sed -n 's/^ *"version": *"\\([^"]*\\)".*/\\1/p' "$unpacked/manifest.json")
if [ "$found" != "$version" ]; then echo "the package holds version $found, expected $version" >&2; exit 3; fi
if [ -e "$root/$version" ]; then mv -T -- "$root/$version" "$root/.old-$token"; fi
mv -T -- "$unpacked" "$root/$version"
ln -s -- "$version" "$root/.link-$token"
mv -T -- "$root/.link-$token" "$root/current"
`

/** socket. Up to 30 s. */
const waitForSocketScript = `
i=0
while [ ! -S "$1" ]; do
  i=$((i + 1))
  if [ $i -gt 150 ]; then echo "$1 did not appear within 30 s" >&2; exit 4; fi
  sleep 0.2
done
`

/** Takes other versions away once the new one answers. */
export async function removeOtherVersions(
  connection: SshConnection,
  report: HostReport,
  version: string,
  signal: AbortSignal,
): Promise<void> {
  const root = rootCommands(connection, report.uid === 0)
  await root.script(removeOthersScript, [installRoot, version], { signal })
}

const removeOthersScript = `
for manifest in "$1"/*/manifest.json; do
  folder=\${manifest%/manifest.json}
  case $folder in "$1/current" | "$1/$2") continue ;; esac
  if grep -q '"signalbox-agent"' "$manifest" 2>/dev/null; then rm -rf -- "$folder"; fi
done
`
