// renderer/index.html → dist/renderer, by vite.
import { inRoot } from '../setup/paths.mjs'
import { runStep } from './step.mjs'

/** Builds the page when an input changed. @returns {Promise<boolean>} */
export async function buildRenderer() {
  return runStep({
    name: 'renderer',
    inputs: ['renderer', 'core', 'vite.config.ts', 'package-lock.json', 'scripts/build/renderer.mjs'],
    outputs: ['dist/renderer/index.html'],
    make: async () => {
      const { build } = await import('vite')
      await build({ configFile: inRoot('vite.config.ts'), logLevel: 'warn' })
    },
  })
}
