/** Files of this machine's Debian packages that go into the guest, with the libraries that they need. */
import { existsSync, lstatSync, readFileSync, realpathSync, statSync } from 'node:fs'
import { machineCommand } from '../machine-command.ts'

/** Packages whose programs a director has or the tests use. busybox stands in for what they leave out. */
const hostPackages = [
  'bash dash coreutils findutils grep sed tar gzip procps util-linux libc-bin login passwd hostname',
  'iproute2 iputils-ping iputils-arping ethtool kmod curl openssh-server openssh-client openssh-sftp-server',
  'busybox-static ipvsadm keepalived nftables conntrack tcpdump',
].flatMap((line) => line.split(' '))

/** Files that are no programs. */
const dataFiles = [
  '/etc/ld.so.conf',
  '/etc/ld.so.conf.d/libc.conf',
  '/etc/ld.so.conf.d/x86_64-linux-gnu.conf',
  '/etc/login.defs',
  '/etc/os-release',
  '/etc/debian_version',
  '/etc/iproute2/rt_protos',
  '/etc/iproute2/rt_scopes',
  '/etc/iproute2/rt_tables',
  '/etc/protocols',
  '/etc/services',
  '/usr/share/base-passwd/group.master',
  '/usr/share/base-passwd/passwd.master',
]

const programFolders = /^(\/usr)?\/(s?bin|lib\/openssh)\/[^/]+$/

const isElf = (file: string): boolean => readFileSync(file).subarray(0, 4).toString('latin1') === '\x7fELF'

/** Absolute paths that `ldd` prints, of any number of programs. */
export const parseLdd = (output: string): string[] => [
  ...new Set([...output.matchAll(/^\t(?:\S+ => )?(\/\S+) \(0x/gm)].flatMap(([, file]) => file ?? [])),
]

/** Programs of the packages on this machine. */
const programs = async (): Promise<string[]> => {
  const listed = await machineCommand(['dpkg-query', '--listfiles', ...hostPackages])
  return [...new Set(listed.split('\n'))].filter(
    (file) => programFolders.test(file) && existsSync(file) && statSync(file).isFile(),
  )
}

/** All files, as the machine names them, with the libraries of `others` too, which go into the guest elsewhere. */
export const listHostFiles = async (others: readonly string[]): Promise<string[]> => {
  const found = await programs()
  const linked = [...found, ...others].filter((file) => !lstatSync(file).isSymbolicLink() && isElf(file))
  // It ends with 1 when one of them is static.
  const libraries = parseLdd(await machineCommand(['sh', '-c', 'ldd "$@" 2>&1 || true', 'sh', ...linked]))
  return [...found, ...libraries, ...dataFiles.filter((file) => existsSync(file))]
}

/** Where a file goes: /bin, /sbin and /lib are links to /usr there. */
export const placeInGuest = (file: string): string => (/^\/s?bin\/|^\/lib/.test(file) ? `/usr${file}` : file)

/** Identity of a file's content, told without reading it. */
export const stampOf = (file: string): string => {
  const { size, mtimeMs } = statSync(realpathSync(file))
  return `${size} ${mtimeMs}`
}
