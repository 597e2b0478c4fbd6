import { CommanderError } from 'commander'
import { complain, exitCodes, type Output } from './cli/outcome.ts'
import { program } from './cli/program.ts'

const output = (isJson: boolean): Output => ({
  isJson,
  print: (text) => process.stdout.write(`${text}\n`),
  complain: (text) => process.stderr.write(`${text}\n`),
})

// `signalbox export | head` ends the reader first; that is no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error
})

const command = program(output)
for (const one of [command, ...command.commands]) one.exitOverride()
try {
  await command.parseAsync(process.argv)
} catch (error) {
  if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? exitCodes.ok : exitCodes.badInput
  else process.exitCode = complain(output(process.argv.includes('--json')), error)
}
