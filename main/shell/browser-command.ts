import os from 'node:os'
import path from 'node:path'
import { Command, InvalidArgumentError } from 'commander'
import { quoteWords } from '../../core/model/shell-quote.ts'

/** What the browser shell was started with. */
export interface BrowserArguments {
  readonly port: number
  readonly dataDir: string
  readonly open: boolean
  readonly json: boolean
  readonly printLink: boolean
}

export function parseBrowserArguments(
  argv: readonly string[],
  version: string,
  env: NodeJS.ProcessEnv = process.env,
): BrowserArguments {
  const command = new Command('signalbox-console')
    .description('The Signalbox console in the browser, on 127.0.0.1 only.')
    .version(version)
    .option('--port <port>', 'port to listen on; 0: any free one', readPort, 0)
    .option('--data-dir <dir>', 'where profiles, drafts and known hosts are kept', defaultDataDir(env))
    .option('--no-open', 'do not open the browser')
    .option('--json', 'print one line of JSON for each event instead of text', false)
    .option('--print-link', 'print a new link to the console that runs with this data directory', false)
    .parse(argv, { from: 'user' })
  const options = command.opts<BrowserArguments>()
  return { ...options, dataDir: path.resolve(options.dataDir) }
}

/** What prints a new link to the console of `dataDir`, from any directory. */
export function newLinkCommand(
  dataDir: string,
  program: readonly string[],
  env: NodeJS.ProcessEnv = process.env,
): string {
  const where = dataDir === path.resolve(defaultDataDir(env)) ? [] : ['--data-dir', dataDir]
  return quoteWords([...program, '--print-link', ...where])
}

function defaultDataDir(env: NodeJS.ProcessEnv): string {
  const config = env['XDG_CONFIG_HOME']
  return path.join(
    config !== undefined && path.isAbsolute(config) ? config : path.join(os.homedir(), '.config'),
    'signalbox',
  )
}

function readPort(text: string): number {
  const port = Number(text)
  if (/^[0-9]{1,5}$/.test(text) && port <= 65535) return port
  throw new InvalidArgumentError(`found ${JSON.stringify(text)}, expected a whole number from 0 to 65535.`)
}
