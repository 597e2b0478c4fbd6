import { spawn } from 'node:child_process'

/** Runs a program on the machine with a fixed environment and returns its output; a failure throws with its stderr. */
export const machineCommand = (argv: readonly string[], stdin = '', cwd = '/'): Promise<string> =>
  new Promise((resolve, reject) => {
    const [command = '', ...args] = argv
    const child = spawn(command, args, { env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C' }, cwd })
    const output: Buffer[] = []
    let errors = ''
    child.stdout.on('data', (chunk: Buffer) => output.push(chunk))
    child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()))
    child.stdin.on('error', () => undefined)
    child.once('error', reject)
    child.once('close', (code) => {
      if (code === 0) resolve(Buffer.concat(output).toString())
      else reject(new Error(`${argv.join(' ')} ended with ${code}: ${errors.trim()}`))
    })
    child.stdin.end(stdin)
  })
