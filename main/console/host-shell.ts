import { AppError } from '../../core/contract/errors.ts'
import type { HostShell } from './hosts.ts'
import type { SshConnection } from './ports.ts'

/** Where ip, sysctl and the like are; a login without a terminal often lacks them. */
const pathLine = 'PATH="$PATH:/usr/local/sbin:/usr/sbin:/sbin"; export PATH\n'

/** A shell over one connection. `used` is called whenever something was run. */
export function connectionShell(host: string, connection: SshConnection, used: () => void): HostShell {
  let root: Promise<'login' | 'sudo' | 'none'> | null = null
  const rootBy = (): Promise<'login' | 'sudo' | 'none'> => {
    root ??= howToBeRoot(connection)
    root.catch(() => (root = null))
    return root
  }
  return {
    host,
    user: connection.target.user,
    canBeRoot: async () => (await rootBy()) !== 'none',
    async run(command, { asRoot = false, stdin, ...options } = {}) {
      const way = asRoot ? await rootBy() : 'login'
      if (way === 'none') {
        throw new AppError(
          'REFUSED',
          `${connection.target.user} is not root on ${host} and \`sudo -n\` does not work there.`,
          {
            hint: 'Log in as root, or allow this user to use sudo without a password.',
          },
        )
      }
      const prefix = way === 'sudo' ? ['sudo', '-n'] : []
      try {
        if ('script' in command) {
          return await connection.exec([...prefix, 'sh', '-s', '--', ...(command.args ?? [])], {
            ...options,
            stdin: pathLine + command.script,
          })
        }
        return await connection.exec([...prefix, ...command], { ...options, ...(stdin === undefined ? {} : { stdin }) })
      } finally {
        used()
      }
    },
  }
}

async function howToBeRoot(connection: SshConnection): Promise<'login' | 'sudo' | 'none'> {
  const { stdout } = await connection.exec(['id', '-u'])
  if (stdout.trim() === '0') return 'login'
  const { code } = await connection.exec(['sudo', '-n', 'true'])
  return code === 0 ? 'sudo' : 'none'
}
