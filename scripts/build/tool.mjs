// Tools of the build: silent when they succeed, their whole output in the error when they do not.
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { SetupError } from '../setup/log.mjs'
import { root } from '../setup/paths.mjs'

const execute = promisify(execFile)

/**
 * @param {string} command
 * @param {readonly string[]} args
 * @param {{ cwd?: string }} [options]
 * @returns {Promise<string>} its stdout
 */
export async function capture(command, args, options = {}) {
  try {
    const { stdout } = await execute(command, args, { cwd: options.cwd ?? root, maxBuffer: 64e6 })
    return stdout
  } catch (error) {
    const { stdout = '', stderr = '', message } = /** @type {Error & { stdout?: string, stderr?: string }} */ (error)
    throw new SetupError(`${command} ${args.join(' ')} failed:\n${stderr || stdout || message}`)
  }
}
