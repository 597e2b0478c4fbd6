// All build steps, in order; each is skipped when its inputs did not change.
import { withLock } from '../setup/lock.mjs'
import { buildAgentTars } from './agent-tar.mjs'
import { buildBpf } from './bpf.mjs'
import { buildBundles } from './bundles.mjs'
import { buildRenderer } from './renderer.mjs'

/**
 * @typedef {'bpf' | 'agent' | 'console' | 'renderer'} Target
 *   bpf: the dataplane's objects; agent: bundle and tars (with bpf); console: headless, electron, preload
 */

/** @type {readonly Target[]} */
export const allTargets = ['bpf', 'agent', 'console', 'renderer']

/**
 * @param {readonly Target[]} [targets]
 */
export async function build(targets = allTargets) {
  if (targets.length === 0) return
  await withLock('build', async () => {
    if (targets.includes('bpf') || targets.includes('agent')) await buildBpf()
    if (targets.includes('agent')) {
      await buildBundles(['agent'])
      await buildAgentTars()
    }
    if (targets.includes('console')) await buildBundles(['headless', 'electron', 'preload'])
    if (targets.includes('renderer')) await buildRenderer()
  })
}
