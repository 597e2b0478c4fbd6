// Completes package-lock.json: some registries do not serve the optional packages of other platforms, and `npm install`
// then writes a lockfile that `npm ci` refuses. Run by hand after `npm install` (see docs/decisions.md).
import fs from 'node:fs'
const lock = JSON.parse(fs.readFileSync('package-lock.json', 'utf8'))
const P = lock.packages
const words = {
  os: {
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
    wasm32: 'none',
  },
  cpu: {
    x64: 'x64',
    ia32: 'ia32',
    arm64: 'arm64',
    arm: 'arm',
    riscv64: 'riscv64',
    ppc64: 'ppc64',
    loong64: 'loong64',
    s390x: 's390x',
    mips64el: 'mips64el',
  },
}
const out = []
for (const [path, p] of Object.entries({ ...P }))
  for (const [name, version] of Object.entries(p.optionalDependencies ?? {})) {
    const parts = path.split('/node_modules/')
    const found = [`${path}/node_modules/${name}`, `node_modules/${name}`].some((k) => P[k])
    if (found) continue
    if (!/^\d/.test(version)) {
      out.push('UNPINNED ' + name + ' ' + version + ' of ' + path)
      continue
    }
    const bits = name.replace('@', '').split(/[-/_]/)
    const os = bits.map((b) => words.os[b]).find(Boolean),
      cpu = bits.map((b) => words.cpu[b]).find(Boolean)
    const e = {
      version,
      ...(cpu ? { cpu: [cpu] } : {}),
      optional: true,
      ...(p.dev || p.devOptional || path === '' ? { dev: true } : {}),
      ...(os ? { os: [os] } : { os: ['none'] }),
    }
    if (bits.includes('musl') || bits.includes('gnu')) e.libc = [bits.includes('musl') ? 'musl' : 'glibc']
    P[`node_modules/${name}`] = e
    out.push(name + ' ' + version + ' ' + os + ' ' + cpu + ' ' + (e.libc ?? ''))
  }
lock.packages = Object.fromEntries(Object.entries(P).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)))
fs.writeFileSync('package-lock.json', JSON.stringify(lock, null, 2) + '\n')
console.log(out.join('\n'))
