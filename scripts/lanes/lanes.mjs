// The lanes of `npm test`: their order, what each needs built, and what the machine must offer.
import { spawnSync } from 'node:child_process'
import fs from 'node:fs'
import { findProgram, guestPackages, missingNeeds } from '../setup/debian-packages.mjs'

/**
 * @typedef {object} Lane
 * @property {string} name also the folder test/<name> and the project in vitest.config.ts, or the beginning of several
 * @property {readonly import('../build/build.mjs').Target[]} builds
 * @property {(machine: Machine) => string | undefined} obstacle why the lane cannot run here
 *
 * @typedef {object} Machine facts about this machine that decide which lanes can run
 * @property {boolean} isRoot
 * @property {boolean} mayBpf CAP_BPF and CAP_NET_ADMIN, or CAP_SYS_ADMIN
 * @property {boolean} hasBtf
 * @property {string | undefined} namespaceError what unshare said
 * @property {readonly string[]} missingPackages of the purpose test
 */

/** @param {readonly string[]} packages @param {Machine} machine */
const lacks = (packages, machine) => {
  const missing = packages.filter((name) => machine.missingPackages.includes(name))
  return missing.length === 0 ? undefined : `not installed: ${missing.join(' ')}`
}

/** @param {Machine} machine */
const bpfObstacle = (machine) => {
  if (!machine.isRoot) return 'needs root'
  if (!machine.mayBpf) return 'bpf(2) is not permitted (CAP_BPF and CAP_NET_ADMIN are missing)'
  if (!machine.hasBtf) return 'the kernel has no BTF (/sys/kernel/btf/vmlinux)'
  return lacks(['clang', 'llvm', 'libbpf-dev'], machine)
}

/** @param {Machine} machine */
const labObstacle = (machine) => {
  const obstacle = bpfObstacle(machine)
  if (obstacle !== undefined) return obstacle
  if (machine.namespaceError !== undefined) return `namespaces cannot be made: ${machine.namespaceError}`
  return lacks(
    ['iproute2', 'openssh-server', 'openssh-client', 'util-linux', 'iputils-arping', 'ethtool', 'procps', 'curl'],
    machine,
  )
}

/** @param {Machine} machine */
const guestObstacle = (machine) => {
  if (!machine.isRoot) return 'needs root (the files of a guest belong to root)'
  return lacks([...guestPackages, 'clang', 'llvm', 'iproute2', 'openssh-server', 'openssh-client'], machine)
}

/** @type {readonly Lane[]} */
export const lanes = [
  { name: 'unit', builds: [], obstacle: () => undefined },
  { name: 'contract', builds: ['bpf', 'console', 'renderer'], obstacle: () => undefined },
  { name: 'packet', builds: ['bpf'], obstacle: bpfObstacle },
  { name: 'netns', builds: ['bpf', 'agent'], obstacle: labObstacle },
  { name: 'guest', builds: ['bpf', 'agent'], obstacle: guestObstacle },
  {
    name: 'e2e',
    builds: ['bpf', 'agent', 'console', 'renderer'],
    obstacle: (machine) => labObstacle(machine) ?? lacks(['chromium', 'fonts-noto-cjk'], machine),
  },
]

/** Asks the machine. @returns {Machine} */
export function inspectMachine() {
  return {
    isRoot: process.getuid?.() === 0,
    mayBpf: hasBpfCapabilities(readOr('/proc/self/status', '')),
    hasBtf: fs.existsSync('/sys/kernel/btf/vmlinux'),
    namespaceError: tryNamespaces(),
    missingPackages: missingNeeds('test').map((need) => need.name),
  }
}

/**
 * Reads the effective set of /proc/self/status. Bits of include/uapi/linux/capability.h: NET_ADMIN 12, SYS_ADMIN 21,
 * BPF 39.
 * @param {string} status
 */
export function hasBpfCapabilities(status) {
  const match = /^CapEff:\s*([0-9a-f]+)$/m.exec(status)
  if (match === null) return false
  const effective = BigInt(`0x${match[1]}`)
  /** @param {bigint} bit */
  const has = (bit) => ((effective >> bit) & 1n) === 1n
  return has(12n) && (has(39n) || has(21n))
}

/** @returns {string | undefined} */
function tryNamespaces() {
  const unshare = findProgram('unshare')
  if (unshare === undefined) return 'unshare is not installed'
  const { status, stderr } = spawnSync(unshare, ['--net', '--mount', '--pid', '--uts', '--fork', 'true'], {
    encoding: 'utf8',
  })
  return status === 0 ? undefined : stderr.trim() || `unshare ended with ${status}`
}

/** @param {string} file @param {string} otherwise */
function readOr(file, otherwise) {
  try {
    return fs.readFileSync(file, 'utf8')
  } catch {
    return otherwise
  }
}
