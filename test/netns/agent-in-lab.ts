import { readFile } from 'node:fs/promises'
import { expect } from 'vitest'
import { writeClusterYaml } from '../../core/formats/yaml/write.ts'
import type { AgentHello, DirectorState } from '../../core/contract/agent.ts'
import { type ClusterSpec, parseClusterSpec } from '../../core/model/cluster-spec.ts'
import { formatIssue } from '../../core/model/issue.ts'
import type { Sample } from '../../core/model/telemetry.ts'
import type { ExecResult, Lab } from '../lab/lab.ts'

const tar = new URL('../../dist/agent-linux-x64.tar.gz', import.meta.url)

/** Puts the built package where the console puts it, and sets the host up with it. */
export async function installAgent(lab: Lab): Promise<string> {
  const unpack = 'mkdir -p "$1/$2"; tar -xzf - -C "$1/$2" --no-same-owner; ln -sfn "$2" "$1/current"'
  const stdin = await readFile(tar)
  await lab.exec('director', ['sh', '-ec', unpack, 'sh', '/opt/signalbox', 'test'], { stdin, mustSucceed: true })
  const { stdout } = await lab.exec('director', ['/opt/signalbox/current/signalbox', 'setup'], { mustSucceed: true })
  return stdout
}

/** `signalbox …` on the director, as root. */
export function signalbox(lab: Lab, args: readonly string[], stdin = ''): Promise<ExecResult> {
  return lab.exec('director', ['signalbox', ...args], { stdin })
}

export interface Status {
  readonly hello: AgentHello
  readonly state: DirectorState
  readonly sample: Sample | null
}

export async function status(lab: Lab): Promise<Status> {
  const { stdout } = await lab.exec('director', ['signalbox', 'status', '--json'], { mustSucceed: true })
  return JSON.parse(stdout) as Status
}

/** Waits until the director's status is as wanted; also while the agent is away. */
export async function statusWhere(lab: Lab, holds: (status: Status) => boolean, withinMs = 15_000): Promise<Status> {
  let last: Status | undefined
  await expect
    .poll(
      async () => {
        const { code, stdout } = await lab.exec('director', ['signalbox', 'status', '--json'])
        if (code !== 0) return false
        last = JSON.parse(stdout) as Status
        return holds(last)
      },
      { timeout: withinMs, interval: 100 },
    )
    .toBe(true)
  return last as Status
}

type Fields = Record<string, unknown>

/** A document with the lab's VIP and some of its real servers. */
export function labSpec(
  lab: Lab,
  realServers: readonly (string | [string, Fields])[],
  fields: Fields = {},
): ClusterSpec {
  const service = {
    name: 'web',
    vip: lab.vip,
    port: 80,
    realServers: realServers.map((entry) => {
      const [name, more] = typeof entry === 'string' ? [entry, {}] : entry
      return { name, address: lab.host(name).addresses.data, port: 80, ...more }
    }),
    ...fields,
  }
  const parsed = parseClusterSpec({ apiVersion: 'signalbox/v1', name: 'lab', services: [service] })
  if (!parsed.ok) throw new Error(parsed.issues.map(formatIssue).join('\n'))
  return parsed.value
}

export const emptyDocument = writeClusterYaml({ apiVersion: 'signalbox/v1', name: 'lab', services: [] })

/** Applies a document and expects it to be in force. */
export async function apply(lab: Lab, spec: ClusterSpec, args: readonly string[] = []): Promise<void> {
  const result = await signalbox(lab, ['apply', '-', ...args], writeClusterYaml(spec))
  expect(result).toMatchObject({ code: 0, stderr: '' })
}

/** IPv4 addresses of the director, as `eth0 192.0.2.1/24`. */
export async function addresses(lab: Lab): Promise<string[]> {
  const { stdout } = await lab.exec('director', ['ip', '-4', '-o', 'addr', 'show'], { mustSucceed: true })
  return stdout
    .trim()
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .map(([, name, , address]) => `${name} ${address}`)
    .toSorted()
}

/** What of ours the director's kernel and file system hold, for a comparison of before and after. */
export async function traces(lab: Lab): Promise<string> {
  const script = `
ip -4 -o addr show | awk '{print $2, $4}' | sort
ls -A /sys/fs/bpf | grep -v '\\.debug$'
for file in /run/signalbox /var/lib/signalbox /usr/local/bin/signalbox /etc/systemd/system/signalbox.service; do
  [ -e "$file" ] || [ -L "$file" ] && echo "$file"
done
getent group | grep signalbox
ps -eo args | grep -v awk | grep '[s]ignalbox.mjs\\|[s]ignalbox-supervisor$'
exit 0`
  const { stdout } = await lab.exec('director', ['sh', '-c', script], { mustSucceed: true })
  return stdout
}

/** Process number of the agent on the director. */
export async function agentPid(lab: Lab): Promise<number> {
  const script = `for dir in /proc/[0-9]*; do
  tr '\\0' ' ' <"$dir/cmdline" 2>/dev/null | grep -q '/signalbox.mjs agent $' && echo "\${dir#/proc/}"
done; exit 0`
  const { stdout } = await lab.exec('director', ['sh', '-c', script])
  return Number(stdout.trim().split('\n')[0])
}

/** SIGKILL. The supervisor starts the agent again after a second. */
export async function killAgent(lab: Lab): Promise<void> {
  await lab.exec('director', ['kill', '-9', String(await agentPid(lab))], { mustSucceed: true })
}
