/**
 * The guest's kernel: Debian's cloud image, unpacked into the cache and never installed. It is built for machines such
 * as QEMU's, and its configuration has IPVS with all schedulers but twos.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { machineCommand } from '../machine-command.ts'
import { guestCacheDir } from './places.ts'

const packageLists = '/var/lib/apt/lists'
const metaPackage = 'linux-image-cloud-amd64'

const Kernel = z.object({
  /** `uname -r` of it. */
  release: z.string().regex(/^[\w.+-]+$/),
  /** Version of the package. */
  version: z.string().regex(/^[\w.+~:-]+$/),
})
export type Kernel = z.infer<typeof Kernel>

const Choice = Kernel.extend({ listsChangedAtMs: z.number() })

const kernelDir = (kernel: Kernel): string => join(guestCacheDir, `kernel-${kernel.release}-${kernel.version}`)

/** Where the files of an unpacked kernel are. */
export const kernelFiles = (kernel: Kernel) => ({
  root: kernelDir(kernel),
  image: join(kernelDir(kernel), 'boot', `vmlinuz-${kernel.release}`),
  modules: join(kernelDir(kernel), 'lib/modules', kernel.release),
})

/** The kernel that the package lists name, from `apt-cache show` of the meta package; undefined when they do not. */
export const parseKernel = (shown: string): Kernel | undefined => {
  const [, release, version] = /^Depends:.*\blinux-image-(\S+) \(= (\S+)\)/m.exec(shown) ?? []
  return release === undefined || version === undefined ? undefined : Kernel.parse({ release, version })
}

const askLists = async (): Promise<Kernel | undefined> =>
  parseKernel(await machineCommand(['apt-cache', 'show', '--no-all-versions', metaPackage]).catch(() => ''))

const updateLists = () => machineCommand(['apt-get', '-q', '-o', 'DPkg::Lock::Timeout=300', 'update'])

/**
 * Which kernel the guest runs: the one that the package lists name now. Asking takes half a second, so the answer is
 * kept until the lists change.
 */
export const chooseKernel = async (): Promise<Kernel> => {
  const file = join(guestCacheDir, 'kernel.json')
  const listsChangedAtMs = (): number => statSync(packageLists, { throwIfNoEntry: false })?.mtimeMs ?? 0
  const kept = existsSync(file) ? Choice.safeParse(JSON.parse(readFileSync(file, 'utf8'))) : undefined
  if (kept?.success === true) {
    const { release, version } = kept.data
    const isCurrent = kept.data.listsChangedAtMs === listsChangedAtMs()
    if (isCurrent && existsSync(kernelDir(kept.data))) return { release, version }
  }
  let kernel = await askLists()
  if (kernel === undefined) {
    await updateLists()
    kernel = await askLists()
  }
  if (kernel === undefined) throw new Error(`The package lists of this machine do not know ${metaPackage}.`)
  mkdirSync(guestCacheDir, { recursive: true })
  writeFileSync(file, JSON.stringify({ ...kernel, listsChangedAtMs: listsChangedAtMs() }))
  return kernel
}

const download = async (kernel: Kernel, dir: string): Promise<void> => {
  const name = `linux-image-${kernel.release}=${kernel.version}`
  // The sandbox user of apt could not write into the checkout.
  const fetch = () => machineCommand(['apt-get', '-q', '-o', 'APT::Sandbox::User=root', 'download', name], '', dir)
  try {
    await fetch()
  } catch {
    // Lists that are older than the mirror name files it no longer has.
    await updateLists()
    await fetch()
  }
}

/** Downloads and unpacks the kernel, once. */
export const unpackKernel = async (kernel: Kernel): Promise<void> => {
  if (existsSync(kernelDir(kernel))) return
  const draft = `${kernelDir(kernel)}.${process.pid}`
  mkdirSync(draft, { recursive: true })
  try {
    await download(kernel, draft)
    const file = readdirSync(draft).find((name) => name.endsWith('.deb'))
    if (file === undefined) throw new Error('apt-get download left no package')
    await machineCommand(['dpkg', '--extract', file, '.'], '', draft)
    rmSync(join(draft, file))
    await machineCommand(['depmod', '--basedir', draft, kernel.release])
    renameSync(draft, kernelDir(kernel))
  } finally {
    rmSync(draft, { recursive: true, force: true })
  }
}
