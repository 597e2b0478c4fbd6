/**
 * A guest by hand:
 *   node test/lab/guest/cli.ts [--keep-disk] [--real-servers N] [--routed] [--json]
 * It stays in the foreground; Ctrl-C ends it.
 */
import { Command } from 'commander'
import { startGuest } from './guest.ts'
import { makeTopology } from './topology.ts'

const up = async (options: {
  keepDisk?: boolean
  realServers: string
  routed?: boolean
  json?: boolean
}): Promise<void> => {
  const guest = await startGuest({ keepsDisk: options.keepDisk === true })
  const realServers = Number(options.realServers)
  const hosts = await makeTopology(guest, { realServers, layout: options.routed === true ? 'routed' : 'segments' })
  if (options.json === true) {
    console.log(JSON.stringify({ event: 'ready', stateDir: guest.stateDir, port: guest.port, keyFile: guest.keyFile }))
    return
  }
  for (const { name, interfaces } of hosts.values()) {
    const shown = interfaces.map(({ name: link, ipv4, ipv6 }) => `${link} ${ipv4} ${ipv6}`)
    console.log(`  ${name.padEnd(10)} ${shown.join('   ')}`)
  }
  console.log(`  by hand    ssh -F ${guest.sshConfigFile} guest`)
  console.log('  a host     nsenter --net=/run/netns/director bash')
  console.log('Ctrl-C ends it.')
}

try {
  await new Command('guest')
    .description('A machine with IPVS, and hosts inside it, by hand.')
    .option('--keep-disk', 'start cold, with a disk that keeps what is written')
    .option('--real-servers <count>', 'number of real servers', '2')
    .option('--routed', 'the real servers are behind a router')
    .option('--json', 'one line of JSON when it is up')
    .action(up)
    .parseAsync()
} catch (error) {
  console.error(error instanceof Error ? error.message : String(error))
  process.exitCode = 1
}
