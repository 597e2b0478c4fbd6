// Progress goes to stderr, always: stdout belongs to the program that is started (its --json output above all).

/** @param {string} text one line of progress */
export function say(text) {
  process.stderr.write(`${text}\n`)
}

/** A failure that is the reader's to solve: shown as its message, without a stack. */
export class SetupError extends Error {
  /**
   * @param {string} message a sentence with what to do next
   * @param {number} exitCode 2 = something is missing on the machine, 1 = a step failed
   */
  constructor(message, exitCode = 1) {
    super(message)
    this.exitCode = exitCode
  }
}

/**
 * Runs an entry script: a SetupError ends it with its sentence, anything else with its stack.
 * @param {() => Promise<number | void>} main resolves to the exit code, 0 when void
 */
export async function runEntry(main) {
  try {
    const code = await main()
    process.exitCode = code ?? process.exitCode ?? 0
  } catch (error) {
    const exitCode = error instanceof Error && 'exitCode' in error ? Number(error.exitCode) : undefined
    if (exitCode !== undefined) {
      say(/** @type {Error} */ (error).message)
      process.exitCode = exitCode
    } else {
      say(error instanceof Error ? (error.stack ?? error.message) : String(error))
      process.exitCode = 1
    }
  }
}
