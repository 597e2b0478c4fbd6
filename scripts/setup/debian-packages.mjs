// Which Debian packages are missing, why they are needed, and what to do about it. Found by probing for the files
// themselves: a tool that came from elsewhere is as good.
import fs from 'node:fs'
import path from 'node:path'

/**
 * @typedef {'bench' | 'build' | 'demo' | 'guest' | 'test'} Purpose guest: what the guest lab needs on top of the demo's needs;
 *   bench: what `npm run bench -- ebpf` needs
 * @typedef {object} Need
 * @property {string} name the Debian package
 * @property {string} why completes "needed to …"
 * @property {readonly Purpose[]} purposes
 * @property {readonly Probe[]} probes all must succeed
 * @typedef {{ program: string } | { file: string } | { fontIn: readonly string[], pattern: RegExp }} Probe
 */

const all = /** @type {const} */ (['bench', 'build', 'demo', 'guest', 'test'])
const lab = /** @type {const} */ (['demo', 'guest', 'test'])
const guest = /** @type {const} */ (['guest', 'test'])
const tests = /** @type {const} */ (['test'])
const bench = /** @type {const} */ (['bench'])
const labAndBench = /** @type {const} */ (['bench', ...lab])
/** @param {string} name */
const program = (name) => ({ program: name })

/** @type {readonly Need[]} */
export const needs = [
  { name: 'clang', why: 'compile the eBPF dataplane', purposes: all, probes: [program('clang')] },
  { name: 'llvm', why: 'strip the eBPF objects and the node binary', purposes: all, probes: [program('llvm-strip')] },
  {
    name: 'libbpf-dev',
    why: 'compile the eBPF dataplane (headers)',
    purposes: all,
    probes: [{ file: '/usr/include/bpf/bpf_helpers.h' }, { file: '/usr/include/linux/bpf.h' }],
  },
  {
    name: 'iproute2',
    why: 'build the lab network',
    purposes: labAndBench,
    probes: [program('ip'), program('tc'), program('ss')],
  },
  { name: 'openssh-server', why: 'give each lab host a real SSH server', purposes: lab, probes: [program('sshd')] },
  { name: 'openssh-client', why: 'make the keys of a run', purposes: lab, probes: [program('ssh-keygen')] },
  {
    name: 'util-linux',
    why: 'isolate the lab hosts',
    purposes: labAndBench,
    probes: [program('unshare'), program('nsenter')],
  },
  { name: 'iputils-arping', why: 'ask who answers ARP for a VIP', purposes: lab, probes: [program('arping')] },
  {
    name: 'ethtool',
    why: 'read and set offloads of lab interfaces',
    purposes: labAndBench,
    probes: [program('ethtool')],
  },
  {
    name: 'procps',
    why: 'read and set sysctls as an operator does',
    purposes: labAndBench,
    probes: [program('sysctl')],
  },
  { name: 'curl', why: 'send requests from the lab client', purposes: lab, probes: [program('curl')] },
  { name: 'sudo', why: 'let an account of a lab host become root', purposes: tests, probes: [program('sudo')] },
  {
    name: 'fonts-noto-cjk',
    why: 'show the Chinese interface',
    purposes: lab,
    probes: [
      { fontIn: ['/usr/share/fonts', '/usr/local/share/fonts'], pattern: /cjk|wqy|droidsansfallback|source-?han/i },
    ],
  },
  {
    name: 'qemu-system-x86',
    why: 'run a kernel with IPVS in a guest',
    purposes: guest,
    probes: [program('qemu-system-x86_64')],
  },
  { name: 'busybox-static', why: 'start the guest', purposes: guest, probes: [program('busybox')] },
  { name: 'kmod', why: "find and load the modules of the guest's kernel", purposes: guest, probes: [program('kmod')] },
  { name: 'e2fsprogs', why: "make the guest's disks", purposes: guest, probes: [program('mkfs.ext4')] },
  { name: 'cpio', why: "make the guest's initramfs", purposes: guest, probes: [program('cpio')] },
  { name: 'ipvsadm', why: 'compare with what it shows, in the guest', purposes: guest, probes: [program('ipvsadm')] },
  { name: 'keepalived', why: 'live beside it, in the guest', purposes: guest, probes: [program('keepalived')] },
  {
    name: 'nftables',
    why: 'see and set packet filter rules in the guest, and measure beside them',
    purposes: ['bench', ...guest],
    probes: [program('nft')],
  },
  { name: 'conntrack', why: 'see tracked connections in the guest', purposes: guest, probes: [program('conntrack')] },
  { name: 'tcpdump', why: 'see packets in the guest', purposes: guest, probes: [program('tcpdump')] },
  { name: 'iputils-ping', why: 'ask who answers in the guest', purposes: guest, probes: [program('ping')] },
  { name: 'haproxy', why: 'measure beside it', purposes: bench, probes: [program('haproxy')] },
  { name: 'nginx', why: 'measure beside it, and answer requests', purposes: bench, probes: [program('nginx')] },
  {
    name: 'libnginx-mod-stream',
    why: 'measure beside nginx on layer 4',
    purposes: bench,
    probes: [{ file: '/usr/lib/nginx/modules/ngx_stream_module.so' }],
  },
  { name: 'wrk', why: 'send requests as fast as they are answered', purposes: bench, probes: [program('wrk')] },
  { name: 'chromium', why: 'run the end-to-end tests', purposes: tests, probes: [program('chromium')] },
]

/** Those that only the guest lab needs. */
export const guestPackages = needs
  .filter(({ purposes }) => purposes.includes('guest') && !purposes.includes('demo'))
  .map(({ name }) => name)

/** Administrators' folders are not in every PATH, and the tools there are still the ones that are used. */
export const searchPath = () => [
  ...new Set([...(process.env['PATH'] ?? '').split(path.delimiter), '/usr/local/sbin', '/usr/sbin', '/sbin']),
]

/**
 * The needs of a purpose that this machine does not meet.
 * @param {Purpose} purpose
 * @param {(probe: Probe) => boolean} [isThere]
 * @returns {Need[]}
 */
export function missingNeeds(purpose, isThere = probeMachine) {
  return needs.filter((need) => need.purposes.includes(purpose) && !need.probes.every(isThere))
}

/**
 * The path of a program, or undefined.
 * @param {string} name
 * @returns {string | undefined}
 */
export function findProgram(name) {
  for (const dir of searchPath()) {
    const file = path.join(dir, name)
    try {
      fs.accessSync(file, fs.constants.X_OK)
      return file
    } catch {
      // Not in this folder.
    }
  }
  return undefined
}

/** @param {Probe} probe */
function probeMachine(probe) {
  if ('program' in probe) return findProgram(probe.program) !== undefined
  if ('file' in probe) return fs.existsSync(probe.file)
  return probe.fontIn.some((dir) => hasFile(dir, probe.pattern, 4))
}

/**
 * @param {string} dir
 * @param {RegExp} pattern
 * @param {number} depth
 * @returns {boolean}
 */
function hasFile(dir, pattern, depth) {
  /** @type {fs.Dirent[]} */
  let entries
  try {
    entries = fs.readdirSync(dir, { withFileTypes: true })
  } catch {
    return false
  }
  return entries.some((entry) =>
    entry.isDirectory()
      ? depth > 0 && hasFile(path.join(dir, entry.name), pattern, depth - 1)
      : pattern.test(entry.name) && /\.(ttc|otf|ttf)$/i.test(entry.name),
  )
}

/**
 * @typedef {object} Circumstances
 * @property {boolean} isDebian apt-get is there
 * @property {boolean} isRoot
 * @property {boolean} hasTerminal somebody can be asked
 * @property {boolean} isAgreed --yes, or an automation that has nobody to ask (CI=true, npm test)
 * @typedef {{ act: 'nothing' } | { act: 'install' } | { act: 'ask' } | { act: 'refuse', because: string }} Decision
 */

/**
 * What to do about missing packages; touches nothing.
 * @param {readonly Need[]} missing
 * @param {Circumstances} circumstances
 * @returns {Decision}
 */
export function decide(missing, { isDebian, isRoot, hasTerminal, isAgreed }) {
  if (missing.length === 0) return { act: 'nothing' }
  const names = missing.map((need) => need.name).join(' ')
  if (!isDebian) {
    return {
      act: 'refuse',
      because: `This machine has no apt-get; install what these Debian packages bring, then run the command again: ${names}.`,
    }
  }
  const command = `apt-get install --no-install-recommends ${names}`
  if (!isRoot)
    return {
      act: 'refuse',
      because: `Packages can only be installed by root; run this as root, then the command again: ${command}`,
    }
  if (isAgreed) return { act: 'install' }
  if (hasTerminal) return { act: 'ask' }
  return {
    act: 'refuse',
    because: `There is no terminal to ask on; add --yes to let it install them, or run: ${command}`,
  }
}
