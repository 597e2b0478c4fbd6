/** The files that QEMU boots from. */
import { chmodSync, copyFileSync, mkdirSync, truncateSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { findProgram } from '../../../scripts/setup/debian-packages.mjs'
import { machineCommand } from '../machine-command.ts'
import { type Kernel, kernelFiles } from './kernel.ts'
import { sourceFile } from './places.ts'

/** What the first half of process 1 needs to reach the disks; the kernel has ext4 built in. */
const bootModules = ['virtio_pci', 'virtio_blk', 'virtio_net', 'overlay', 'failover']

const megabyte = 1024 * 1024

/** Files of a module and of what it needs, in the order in which they are loaded. */
const moduleChain = async (kernel: Kernel, name: string): Promise<string[]> => {
  const { root } = kernelFiles(kernel)
  const argv = ['modprobe', '--dirname', root, '--set-version', kernel.release, '--show-depends', name]
  return [...(await machineCommand(argv)).matchAll(/^insmod (\S+)/gm)].flatMap(([, file]) => file ?? [])
}

const busyboxPath = (): string => {
  const path = findProgram('busybox')
  if (path === undefined) throw new Error('busybox is not installed (Debian: busybox-static).')
  return path
}

/** Makes the initramfs: busybox, the modules of the disks, and the script that goes on from there. */
export const makeInitramfs = async (out: string, kernel: Kernel, draftDir: string): Promise<void> => {
  const tree = join(draftDir, 'initramfs-tree')
  for (const folder of ['bin', 'modules']) mkdirSync(join(tree, folder), { recursive: true })
  const order: string[] = []
  for (const module of bootModules) {
    for (const file of await moduleChain(kernel, module)) {
      if (order.includes(basename(file))) continue
      order.push(basename(file))
      copyFileSync(file, join(tree, 'modules', basename(file)))
    }
  }
  writeFileSync(join(tree, 'modules/order'), `${order.join('\n')}\n`)
  copyFileSync(busyboxPath(), join(tree, 'bin/busybox'))
  copyFileSync(sourceFile('inside/init'), join(tree, 'init'))
  chmodSync(join(tree, 'init'), 0o755)
  await machineCommand(
    ['sh', '-c', 'find . | cpio --create --format=newc --owner=0:0 --quiet > "$1"', 'sh', out],
    '',
    tree,
  )
}

const makeExt4 = async (file: string, megabytes: number, options: readonly string[]): Promise<void> => {
  writeFileSync(file, '')
  truncateSync(file, megabytes * megabyte)
  await machineCommand(['mkfs.ext4', '-q', '-F', '-m', '0', ...options, file])
}

/** Makes the root disk from a tree. It is only read, so it has no journal. */
export const makeRootDisk = async (file: string, tree: string): Promise<void> => {
  const used = Number((await machineCommand(['du', '--summarize', '--block-size=1M', tree])).split('\t')[0])
  await makeExt4(file, Math.ceil(used * 1.15) + 24, ['-O', '^has_journal,^resize_inode', '-d', tree])
}

/** Makes the disk that keeps what a guest writes. A sparse file: it takes up what is written. */
export const makeKeptDisk = (file: string): Promise<void> => makeExt4(file, 1024, ['-E', 'lazy_itable_init=1'])
