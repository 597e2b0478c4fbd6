// Completes package-lock.json: some registries do not serve the optional packages of other platforms, and `npm install`
// then writes a lockfile that `npm ci` refuses elsewhere. Run by hand after `npm install`; see docs/decisions.md.
import fs from 'node:fs'
import { fileURLToPath } from 'node:url'
import { inRoot } from './setup/paths.mjs'

/**
 * @typedef {object} LockedPackage the part of a lockfile entry that is read or written here
 * @property {string} [version]
 * @property {string[]} [os]
 * @property {string[]} [cpu]
 * @property {string[]} [libc]
 * @property {boolean} [optional]
 * @property {boolean} [dev]
 * @property {boolean} [devOptional]
 * @property {Record<string, string>} [optionalDependencies]
 */

/** Words in package names → npm's name of the operating system. @type {Readonly<Record<string, string>>} */
const systems = {
  darwin: 'darwin',
  macos: 'darwin',
  linux: 'linux',
  win32: 'win32',
  windows: 'win32',
  win: 'win32',
  freebsd: 'freebsd',
  android: 'android',
  openharmony: 'openharmony',
  openbsd: 'openbsd',
  netbsd: 'netbsd',
  sunos: 'sunos',
  aix: 'aix',
}
const processors = new Set(['x64', 'ia32', 'arm64', 'arm', 'riscv64', 'ppc64', 'loong64', 's390x', 'mips64el'])

/**
 * What the name of a platform package says about where it is installed; nowhere when it names no system.
 * @param {string} name such as `@esbuild/linux-x64` or `rolldown-binding-linux-x64-musl`
 */
export function platformOf(name) {
  const words = name.replace('@', '').split(/[-/_]/)
  const system = words.map((word) => systems[word]).find((found) => found !== undefined)
  const processor = words.find((word) => processors.has(word))
  const libc = words.includes('musl') ? 'musl' : words.includes('gnu') ? 'glibc' : undefined
  return {
    os: [system ?? 'none'],
    ...(processor === undefined ? {} : { cpu: [processor] }),
    ...(libc === undefined ? {} : { libc: [libc] }),
  }
}

/**
 * The lockfile's packages with an entry for each optional dependency that has none.
 * @param {Readonly<Record<string, LockedPackage>>} packages
 * @returns {{ packages: Record<string, LockedPackage>, added: string[], unpinned: string[] }}
 */
export function completePackages(packages) {
  /** @type {Record<string, LockedPackage>} */
  const complete = { ...packages }
  /** @type {string[]} */
  const added = []
  /** @type {string[]} */
  const unpinned = []
  for (const [path, owner] of Object.entries(packages)) {
    for (const [name, version] of Object.entries(owner.optionalDependencies ?? {})) {
      if (`${path}/node_modules/${name}` in complete || `node_modules/${name}` in complete) continue
      if (!/^\d/.test(version)) {
        // A range cannot be locked without asking the registry.
        unpinned.push(`${name}@${version} of ${path}`)
        continue
      }
      const isDev = owner.dev === true || owner.devOptional === true || path === ''
      complete[`node_modules/${name}`] = {
        version,
        ...platformOf(name),
        optional: true,
        ...(isDev ? { dev: true } : {}),
      }
      added.push(`${name}@${version}`)
    }
  }
  const sorted = Object.entries(complete).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
  return { packages: Object.fromEntries(sorted), added, unpinned }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const file = inRoot('package-lock.json')
  const lock = JSON.parse(fs.readFileSync(file, 'utf8'))
  const { packages, added, unpinned } = completePackages(lock.packages)
  fs.writeFileSync(file, `${JSON.stringify({ ...lock, packages }, null, 2)}\n`)
  for (const name of added) console.log(`added ${name}`)
  for (const name of unpinned) console.log(`left out ${name}: not an exact version`)
}
