/** The guest's root file system: programs of this machine, the kernel's modules, our own few files. */
import { chmodSync, copyFileSync, cpSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { node24 } from '../../../scripts/setup/paths.mjs'
import { machineCommand } from '../machine-command.ts'
import { placeInGuest } from './host-files.ts'
import { type Kernel, kernelFiles } from './kernel.ts'
import { sourceFile } from './places.ts'

/** Folders of the kernel's modules that a network lab can need; the rest is hardware and file systems. */
const moduleFolders = ['arch', 'crypto', 'lib', 'net', 'drivers/net', 'fs/overlayfs']

const emptyFolders = [
  'dev proc sys run tmp root opt home mnt srv usr/local/bin usr/local/lib/lab',
  'var/log var/lib var/tmp var/cache var/spool',
  'etc/ssh etc/lab-boot.d etc/sysctl.d etc/modules-load.d etc/modprobe.d etc/default etc/keepalived',
].flatMap((line) => line.split(' '))

const copy = (from: string, to: string): void => {
  mkdirSync(dirname(to), { recursive: true })
  copyFileSync(from, to)
}

const writeAccounts = (tree: string): void => {
  const [passwd, group] = ['passwd', 'group'].map((name) =>
    readFileSync(`/usr/share/base-passwd/${name}.master`, 'utf8'),
  )
  const services = ['sshd', 'tcpdump'].map((name, i) => `${name}:x:${101 + i}:65534::/run:/usr/sbin/nologin\n`)
  const accounts = `${passwd}${services.join('')}`.replace(/^(\w[^:]*):\*:/gm, '$1:x:')
  writeFileSync(join(tree, 'etc/passwd'), accounts)
  writeFileSync(join(tree, 'etc/group'), (group ?? '').replace(/^(\w[^:]*):\*:/gm, '$1:x:'))
  writeFileSync(join(tree, 'etc/shadow'), accounts.replace(/^([^:]+):.*$/gm, '$1:*:19000:0:99999:7:::'), {
    mode: 0o600,
  })
}

const writeSettings = (tree: string): void => {
  writeFileSync(join(tree, 'etc/hosts'), '127.0.0.1 localhost\n::1 localhost\n127.0.1.1 guest\n')
  writeFileSync(join(tree, 'etc/hostname'), 'guest\n')
  writeFileSync(join(tree, 'etc/nsswitch.conf'), 'passwd: files\ngroup: files\nshadow: files\nhosts: files\n')
}

const installKeys = (tree: string, hostKey: string, clientKey: string): void => {
  for (const suffix of ['', '.pub']) copy(`${hostKey}${suffix}`, join(tree, `etc/ssh/ssh_host_ed25519_key${suffix}`))
  copy(`${clientKey}.pub`, join(tree, 'root/.ssh/authorized_keys'))
}

const compileTool = async (name: string, out: string): Promise<void> => {
  await machineCommand(['clang', '-static', '-O2', '-Wall', '-o', out, sourceFile('tools', `${name}.c`)])
}

const linkBusybox = async (tree: string, taken: ReadonlySet<string>): Promise<void> => {
  const applets = (await machineCommand(['busybox', '--list'])).trim().split('\n')
  for (const name of applets) {
    const isThere = ['/usr/bin/', '/usr/sbin/'].some((folder) => taken.has(`${folder}${name}`))
    if (!isThere) symlinkSync('busybox', join(tree, 'usr/bin', name))
  }
}

/** Makes the tree at `tree`, which must not exist. */
export const makeRootTree = async (
  tree: string,
  inputs: { readonly kernel: Kernel; readonly hostFiles: readonly string[]; readonly keys: readonly [string, string] },
): Promise<void> => {
  for (const folder of emptyFolders) mkdirSync(join(tree, folder), { recursive: true })
  for (const name of ['bin', 'sbin', 'lib', 'lib64']) {
    mkdirSync(join(tree, 'usr', name), { recursive: true })
    symlinkSync(`usr/${name}`, join(tree, name))
  }
  symlinkSync('/run', join(tree, 'var/run'))
  for (const file of inputs.hostFiles) copy(file, join(tree, placeInGuest(file)))
  await linkBusybox(tree, new Set(inputs.hostFiles.map(placeInGuest)))

  const { release } = inputs.kernel
  const modules = join(tree, 'usr/lib/modules', release)
  const from = kernelFiles(inputs.kernel).modules
  for (const folder of moduleFolders) {
    cpSync(join(from, 'kernel', folder), join(modules, 'kernel', folder), { recursive: true })
  }
  for (const name of ['modules.order', 'modules.builtin', 'modules.builtin.modinfo']) {
    copyFileSync(join(from, name), join(modules, name))
  }
  await machineCommand(['depmod', '--basedir', tree, release])

  writeAccounts(tree)
  writeSettings(tree)
  installKeys(tree, ...inputs.keys)
  copy(sourceFile('inside/sshd_config'), join(tree, 'etc/ssh/sshd_config'))
  for (const name of ['boot.sh', 'host-settings.sh', 'modules']) {
    copy(sourceFile('inside', name), join(tree, 'usr/local/lib/lab', name))
  }
  await machineCommand(['llvm-strip', '--strip-all', '-o', join(tree, 'usr/local/bin/node'), node24])
  chmodSync(join(tree, 'usr/local/bin/node'), 0o755)
  for (const name of ['lab-server', 'lab-client']) await compileTool(name, join(tree, 'usr/local/bin', name))
  await machineCommand(['ldconfig', '-r', tree])
}
