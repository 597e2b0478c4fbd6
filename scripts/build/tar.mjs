// Tars that depend on names, modes and contents alone: no time, no owner.
import { capture } from './tool.mjs'

/**
 * @param {string} target
 * @param {string} dir
 * @param {readonly string[]} entries names in `dir`, in the order in which they are packed
 */
export async function createTar(target, dir, entries) {
  await capture('tar', [
    '--create',
    '--format=gnu',
    '--sort=name',
    '--mtime=@0',
    '--owner=0',
    '--group=0',
    '--numeric-owner',
    `--file=${target}`,
    '--directory',
    dir,
    ...entries,
  ])
}
