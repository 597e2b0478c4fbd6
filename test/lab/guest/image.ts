/**
 * What a guest starts from: kernel, initramfs, root disk, keys and a snapshot of the booted guest. Built once for each
 * set of inputs, in about a minute, and kept in the cache.
 */
import { createHash } from 'node:crypto'
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { renameSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { filesOf } from '../../../scripts/build/step.mjs'
import { findProgram } from '../../../scripts/setup/debian-packages.mjs'
import { withLock } from '../../../scripts/setup/lock.mjs'
import { say } from '../../../scripts/setup/log.mjs'
import { node24 } from '../../../scripts/setup/paths.mjs'
import { makeKey } from '../ssh-server.ts'
import { makeInitramfs, makeRootDisk } from './disks.ts'
import { makeStateDir, removeGuestDir } from './guest-state.ts'
import { listHostFiles, stampOf } from './host-files.ts'
import { chooseKernel, type Kernel, kernelFiles, unpackKernel } from './kernel.ts'
import { RunningMachine } from './machine.ts'
import { guestCacheDir, type Image, imageFiles, imageNames, sourceFile } from './places.ts'
import { makeRootTree } from './root-tree.ts'
import { SshConnection } from './ssh-connection.ts'

const Manifest = z.record(z.string(), z.string())

/** Images that were not used for this long are removed when another one is built. */
const keptForMs = 12 * 3600_000

/** Of the files here, those that decide what is in an image or how it runs. */
const recipe = ['inside', 'tools', 'disks.ts', 'host-files.ts', 'image.ts', 'qemu.ts', 'root-tree.ts']

const imageName = (kernel: Kernel): string => {
  const qemu = findProgram('qemu-system-x86_64')
  if (qemu === undefined) throw new Error('qemu-system-x86_64 is not installed (Debian: qemu-system-x86).')
  const here = sourceFile('.')
  const hash = createHash('sha256').update(JSON.stringify([kernel, stampOf(qemu), stampOf(node24)]))
  for (const file of filesOf(recipe, here)) hash.update(`\0${file}\0`).update(readFileSync(join(here, file)))
  return `image-${hash.digest('hex').slice(0, 16)}`
}

/** True when the image is whole and made of what is on this machine now. */
const isCurrent = (dir: string): boolean => {
  const file = imageFiles(dir).manifest
  if (!existsSync(file)) return false
  return Object.entries(Manifest.parse(JSON.parse(readFileSync(file, 'utf8')))).every(
    ([path, stamp]) => existsSync(path) && stampOf(path) === stamp,
  )
}

const removeUnused = (): void => {
  for (const name of readdirSync(guestCacheDir).filter((entry) => entry.startsWith('image-'))) {
    const dir = join(guestCacheDir, name)
    if (Date.now() - statSync(dir).mtimeMs > keptForMs) rmSync(dir, { recursive: true })
  }
}

/** Boots the image once with everything loaded, and keeps its memory. */
const makeSnapshot = async (image: Image): Promise<void> => {
  const stateDir = makeStateDir()
  const machine = new RunningMachine({ imageDir: image.dir, stateDir, prepare: true })
  try {
    const monitor = await machine.monitor()
    await machine.ready()
    // The first login is slow; the guests that are restored have it behind them.
    const ssh = new SshConnection(stateDir, image.clientKey, image.hostKey, await monitor.forwardedPort())
    await ssh.open()
    await ssh.close()
    await monitor.saveAs(imageNames.snapshot)
    monitor.close()
  } finally {
    await machine.kill()
    removeGuestDir(stateDir)
  }
}

const build = async (dir: string, kernel: Kernel): Promise<void> => {
  const startedAt = performance.now()
  say('Building the guest lab: a kernel with IPVS and a root disk from Debian packages (once) …')
  const draft = `${dir}.${process.pid}`
  const files = imageFiles(draft)
  rmSync(draft, { recursive: true, force: true })
  mkdirSync(draft, { recursive: true, mode: 0o700 })
  try {
    await unpackKernel(kernel)
    copyFileSync(kernelFiles(kernel).image, files.kernel)
    await makeKey(files.clientKey, 'signalbox-guest')
    await makeKey(files.hostKey, 'signalbox-guest-host')
    const hostFiles = await listHostFiles([node24])
    const tree = join(draft, 'tree')
    await Promise.all([
      makeInitramfs(files.initramfs, kernel, draft),
      makeRootTree(tree, { kernel, hostFiles, keys: [files.hostKey, files.clientKey] }),
    ])
    await makeRootDisk(files.root, tree)
    for (const name of ['tree', 'initramfs-tree']) rmSync(join(draft, name), { recursive: true })
    await makeSnapshot(files)
    writeFileSync(files.manifest, JSON.stringify(Object.fromEntries(hostFiles.map((file) => [file, stampOf(file)]))))
    rmSync(dir, { recursive: true, force: true })
    renameSync(draft, dir)
  } finally {
    rmSync(draft, { recursive: true, force: true })
  }
  removeUnused()
  say(`Built the guest lab in ${((performance.now() - startedAt) / 1000).toFixed(1)} s`)
}

/** The image for this machine's packages and this checkout's scripts; builds it where it is missing. */
export const guestImage = async (): Promise<Image> => {
  mkdirSync(guestCacheDir, { recursive: true })
  const kernel = await chooseKernel()
  const dir = join(guestCacheDir, imageName(kernel))
  if (!isCurrent(dir)) {
    await withLock('guest', async () => {
      if (!isCurrent(dir)) await build(dir, kernel)
    })
  }
  utimesSync(dir, new Date(), new Date())
  return imageFiles(dir)
}
