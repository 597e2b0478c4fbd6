// The programs that run on Node and in Electron, bundled by esbuild: one file each, readable, with source maps beside.
import { builtinModules } from 'node:module'
import { root } from '../setup/paths.mjs'
import { runStep } from './step.mjs'

/** Bundled CommonJS packages call `require` for built-ins, which a module does not have. */
const requireBanner =
  "import { createRequire as createRequireOfBundle } from 'node:module'; const require = createRequireOfBundle(import.meta.url);"

/** @type {import('esbuild').BuildOptions} */
const common = {
  absWorkingDir: root,
  bundle: true,
  platform: 'node',
  target: 'node24',
  sourcemap: 'linked',
  sourcesContent: false,
  legalComments: 'none',
  logLevel: 'warning',
  define: { 'process.env.NODE_ENV': '"production"' },
  // Optional parts of ssh2 and ws that need a compiler; both do without.
  external: ['electron', 'koffi', 'cpu-features', '*.node', 'bufferutil', 'utf-8-validate', ...builtinModules],
}

/** @type {import('esbuild').BuildOptions} */
const esm = {
  ...common,
  format: 'esm',
  banner: { js: requireBanner },
  // ssh2 looks for a Windows program beside itself.
  define: { ...common.define, __dirname: 'import.meta.dirname', __filename: 'import.meta.filename' },
}

/**
 * @typedef {object} Bundle
 * @property {string} name
 * @property {string} entry relative to the checkout
 * @property {string} outfile relative to the checkout
 * @property {readonly string[]} inputs
 * @property {import('esbuild').BuildOptions} options
 */

/** @type {readonly Bundle[]} */
const bundles = [
  {
    name: 'agent',
    entry: 'agent/main.ts',
    outfile: 'dist/agent/signalbox.mjs',
    inputs: ['agent', 'core'],
    options: esm,
  },
  {
    name: 'headless',
    entry: 'main/headless.ts',
    outfile: 'dist/main/headless.mjs',
    inputs: ['main', 'core'],
    options: esm,
  },
  {
    name: 'electron',
    entry: 'main/electron.ts',
    outfile: 'dist/main/electron.js',
    inputs: ['main', 'core'],
    options: esm,
  },
  {
    // A sandboxed preload script can only be CommonJS.
    name: 'preload',
    entry: 'preload/index.ts',
    outfile: 'dist/preload/index.cjs',
    inputs: ['preload', 'core'],
    options: { ...common, format: 'cjs', target: 'chrome140' },
  },
]

/**
 * Builds the named bundles whose inputs changed.
 * @param {readonly string[]} names
 */
export async function buildBundles(names) {
  for (const { name, entry, outfile, inputs, options } of bundles.filter((bundle) => names.includes(bundle.name))) {
    await runStep({
      name: `bundle-${name}`,
      inputs: [...inputs, 'package-lock.json', 'package.json', 'scripts/build/bundles.mjs'],
      outputs: [outfile],
      make: async () => {
        const esbuild = await import('esbuild')
        await esbuild.build({ ...options, entryPoints: [entry], outfile })
        // Its service process must be gone before this process becomes another program (the demo).
        await esbuild.stop()
      },
    })
  }
}
