import { AppError } from '../../../core/contract/errors.ts'
import type { SshConnection } from '../ports.ts'
import { agentSocket, currentLink, installRoot, viewSocket } from './paths.ts'

/** What one read-only look at a director says, before anything is done there. */
export interface HostReport {
  readonly system: string
  readonly architecture: string
  readonly kernel: string
  /** Name and version of the distribution, e.g. `Debian GNU/Linux 12 (bookworm)`. */
  readonly distribution: string
  readonly libc: { readonly kind: 'glibc' | 'musl' | 'unknown'; readonly version: string }
  readonly hasBtf: boolean
  /** `mounted`, `offered` by the kernel but not mounted, or `absent`. */
  readonly bpffs: 'mounted' | 'offered' | 'absent'
  /** Of the file system that the agent goes to. */
  readonly target: { readonly mount: string; readonly options: readonly string[]; readonly freeKb: number }
  /** Free space where the upload goes when the login is not root: its home. */
  readonly homeFreeKb: number
  readonly uid: number
  readonly user: string
  /** Empty where `sudo -n` works, else what it said; null for root. */
  readonly sudoError: string | null
  /** Programs that the installation needs and that are not there. */
  readonly missingTools: readonly string[]
  /** `node` in a place that the service finds too, or null. */
  readonly node: string | null
  /** The director's own address that this SSH connection came in by; null where sshd did not say. */
  readonly sshAddress: string | null
  readonly agent: {
    /** By the name of the folder that `current` points to; null where there is none. */
    readonly installedVersion: string | null
    readonly hasSocket: boolean
    /** This login may open the socket that changes things. */
    readonly mayOpenSocket: boolean
    /** This login may open the one that only reads. */
    readonly mayOpenViewSocket: boolean
  }
}

/** Prints one `key=value` line for each fact. Reads only, needs no more than POSIX sh, takes what it may not read as absent. */
export const hostReportScript = `
PATH="$PATH:/usr/sbin:/sbin:/usr/local/bin"; export PATH; LC_ALL=C; export LC_ALL
root=$1; link=$2; socket=$3; view=$4
say() { printf '%s=%s\\n' "$1" "$2"; }
say system "$(uname -s)"
say architecture "$(uname -m)"
say kernel "$(uname -r)"
say distribution "$(. /etc/os-release 2>/dev/null && printf %s "\${PRETTY_NAME:-}")"
say glibc "$(getconf GNU_LIBC_VERSION 2>/dev/null)"
say ldd "$( (ldd --version 2>&1 || :) | head -n 2 | tr '\\n' ' ')"
if [ -r /sys/kernel/btf/vmlinux ]; then say btf yes; else say btf no; fi
if grep -q ' /sys/fs/bpf bpf ' /proc/mounts; then say bpffs mounted
elif grep -qw bpf /proc/filesystems; then say bpffs offered
else say bpffs absent; fi
at=$root; while [ ! -d "$at" ]; do at=$(dirname "$at"); done
say free "$(df -Pk "$at" 2>/dev/null | awk 'NR==2{print $4}')"
mount=$(df -Pk "$at" 2>/dev/null | awk 'NR==2{print $6}')
say mount "$mount"
say options "$(awk -v m="$mount" '$2==m{o=$4} END{print o}' /proc/mounts)"
say homefree "$(df -Pk "\${HOME:-/}" 2>/dev/null | awk 'NR==2{print $4}')"
say uid "$(id -u)"
say user "$(id -un)"
if [ "$(id -u)" != 0 ]; then
  if command -v sudo >/dev/null 2>&1; then say sudo "$(sudo -n true 2>&1 </dev/null && echo OK)"; else say sudo 'sudo is not installed'; fi
fi
missing=; for tool in tar gzip sha256sum readlink mv ln; do command -v $tool >/dev/null 2>&1 || missing="$missing $tool"; done
say missing "$missing"
for n in /usr/bin/node /usr/local/bin/node /bin/node; do
  if [ -x $n ]; then say node "$($n --version 2>/dev/null)"; break; fi
done
say ssh "\${SSH_CONNECTION:-}"
if [ -L "$link" ]; then say installed "$(basename "$(readlink "$link")")"; fi
if [ -S "$socket" ]; then say socket yes; if [ -w "$socket" ]; then say writable yes; fi; fi
if [ -S "$view" ] && [ -w "$view" ]; then say viewwritable yes; fi
`

/** Takes the look. */
export async function readHostReport(connection: SshConnection, signal: AbortSignal): Promise<HostReport> {
  const argv = ['sh', '-s', '--', installRoot, currentLink, agentSocket, viewSocket]
  const { code, stdout, stderr } = await connection.exec(argv, { stdin: hostReportScript, timeoutMs: 30_000, signal })
  const report = parseHostReport(stdout)
  if (report === null) {
    throw new AppError('HOST_UNFIT', `The host did not answer what it is: sh ended with ${code ?? 'a signal'}.`, {
      hint: 'The login needs a POSIX shell, without output of its own in its start-up files.',
      details: { stdout: stdout.slice(0, 1000), stderr: stderr.slice(0, 1000) },
    })
  }
  return report
}

/** Null where the lines are not those of the script. */
export function parseHostReport(text: string): HostReport | null {
  const facts = new Map<string, string>()
  for (const line of text.split('\n')) {
    const at = line.indexOf('=')
    if (at > 0) facts.set(line.slice(0, at), line.slice(at + 1).trim())
  }
  const get = (key: string): string => facts.get(key) ?? ''
  const uid = Number(get('uid') === '' ? Number.NaN : get('uid'))
  if (get('system') === '' || !Number.isInteger(uid)) return null
  const bpffs = get('bpffs')
  return {
    system: get('system'),
    architecture: get('architecture'),
    kernel: get('kernel'),
    distribution: get('distribution'),
    libc: libcOf(get('glibc'), get('ldd')),
    hasBtf: get('btf') === 'yes',
    bpffs: bpffs === 'mounted' || bpffs === 'offered' ? bpffs : 'absent',
    target: { mount: get('mount'), options: get('options').split(',').filter(Boolean), freeKb: Number(get('free')) },
    homeFreeKb: Number(get('homefree')),
    uid,
    user: get('user'),
    sudoError: uid === 0 ? null : get('sudo') === 'OK' ? '' : get('sudo') || 'it said nothing',
    missingTools: get('missing').split(' ').filter(Boolean),
    node: facts.get('node') ?? null,
    sshAddress:
      get('ssh')
        .split(' ')[2]
        ?.replace(/^::ffff:/, '') ?? null,
    agent: {
      installedVersion: facts.get('installed') ?? null,
      hasSocket: get('socket') === 'yes',
      mayOpenSocket: get('writable') === 'yes',
      mayOpenViewSocket: get('viewwritable') === 'yes',
    },
  }
}

function libcOf(glibc: string, ldd: string): HostReport['libc'] {
  const version = /(\d+\.\d+)/.exec(glibc)?.[1]
  if (version !== undefined) return { kind: 'glibc', version }
  if (/musl/i.test(ldd)) return { kind: 'musl', version: /Version (\S+)/.exec(ldd)?.[1] ?? '' }
  const fromLdd = /(?:GLIBC|GNU libc)[^)]*\)? (\d+\.\d+)/i.exec(ldd)?.[1]
  return fromLdd === undefined ? { kind: 'unknown', version: '' } : { kind: 'glibc', version: fromLdd }
}

/** True where commands can be run as root on this login. */
export function canBeRoot(report: Pick<HostReport, 'uid' | 'sudoError'>): boolean {
  return report.uid === 0 || report.sudoError === ''
}
