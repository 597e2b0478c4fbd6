import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { cacheDir } from '../../../scripts/setup/paths.mjs'

/** What guests are made from: unpacked kernels and images, each named by a hash of its inputs. May be thrown away. */
export const guestCacheDir = join(cacheDir, 'guest')

/** A file of this folder. */
export const sourceFile = (...parts: string[]): string => fileURLToPath(new URL(parts.join('/'), import.meta.url))

/** Files of an image. */
export const imageNames = {
  kernel: 'vmlinuz',
  initramfs: 'initramfs',
  root: 'root.ext4',
  /** The memory of a booted guest. */
  snapshot: 'snapshot',
  /** Private key that the guest's root account accepts. */
  clientKey: 'client_key',
  hostKey: 'host_key',
  /** The files of the machine that went into it. */
  manifest: 'manifest.json',
} as const

/** The same as paths. */
export const imageFiles = (dir: string) => ({
  dir,
  kernel: join(dir, imageNames.kernel),
  initramfs: join(dir, imageNames.initramfs),
  root: join(dir, imageNames.root),
  snapshot: join(dir, imageNames.snapshot),
  clientKey: join(dir, imageNames.clientKey),
  hostKey: join(dir, imageNames.hostKey),
  manifest: join(dir, imageNames.manifest),
})
export type Image = ReturnType<typeof imageFiles>
