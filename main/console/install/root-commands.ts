import { AppError } from '../../../core/contract/errors.ts'
import type { ExecOptions, ExecResult, SshConnection } from '../ports.ts'

/** Runs commands as root on one host: straight where the login is root, else by `sudo -n`. */
export interface RootCommands {
  /** Words. A non-zero exit is REFUSED with what the command said. */
  run(argv: readonly string[], options?: ExecOptions): Promise<ExecResult>
  /** A POSIX sh script of ours; input goes in as arguments, never into its text. */
  script(text: string, args: readonly string[], options?: Omit<ExecOptions, 'stdin'>): Promise<ExecResult>
}

export function rootCommands(connection: SshConnection, isRoot: boolean): RootCommands {
  const prefix = isRoot ? [] : ['sudo', '-n']
  const run = async (argv: readonly string[], options?: ExecOptions): Promise<ExecResult> => {
    const result = await connection.exec([...prefix, ...argv], options)
    if (result.code === 0) return result
    const end = result.code === null ? `ended by signal ${result.signal ?? '?'}` : `ended with ${result.code}`
    const said = (result.stderr.trim() || result.stdout.trim()).split('\n').slice(0, 2).join(' ')
    throw new AppError(
      'REFUSED',
      `${argv.slice(0, 2).join(' ')} on ${connection.target.host} ${end}: ${said || 'it said nothing'}`,
      {
        details: { stdout: result.stdout.slice(-2000), stderr: result.stderr.slice(-4000) },
      },
    )
  }
  return {
    run,
    // `$0` of the script is its name in messages of the shell.
    script: (text, args, options) => run(['sh', '-s', '--', ...args], { ...options, stdin: text }),
  }
}
