import type { HostAddresses, Layout } from './layout.ts'
import { machineCommand } from './machine-command.ts'
import { ProcessTree } from './process-tree.ts'

/** The two networks of a lab: `eth0` of the hosts is on `data`, `mgmt0` on `management`. */
export type LabNetwork = 'data' | 'management'

const port = (network: LabNetwork, host: string): string => `${network === 'data' ? 'd' : 'm'}-${host}`

/**
 * The lab's Ethernet switch: two bridges in a namespace of their own, so that the machine has a single link and its
 * firewall (bridge-nf-call) sees no bridged packet.
 */
export class LabSwitch {
  readonly tree: ProcessTree
  readonly #link: string

  constructor(link: string) {
    this.#link = link
    this.tree = new ProcessTree(
      'switch',
      ['--net', '--pid'],
      ['bash', '-c', 'echo isolated; while read -r _; do :; done'],
    )
  }

  #run(argv: readonly string[], stdin = ''): Promise<string> {
    return machineCommand(['nsenter', `--target=${this.tree.rootPid}`, '--net', '--', ...argv], stdin)
  }

  /** Makes the bridges and the machine's link into the management network. */
  async start(layout: Layout, alias: string): Promise<void> {
    await this.tree.expectLine('isolated')
    const bridge = 'type bridge stp_state 0 forward_delay 0 mcast_snooping 0'
    await this.#run(
      ['ip', '-batch', '-'],
      [
        `link add data ${bridge}`,
        `link add management ${bridge}`,
        'link set data up',
        'link set management up',
        '',
      ].join('\n'),
    )
    await machineCommand(
      ['ip', '-batch', '-'],
      [
        `link add ${this.#link} type veth peer name m-machine netns ${this.tree.rootPid}`,
        `link set dev ${this.#link} alias "${alias}"`,
        `link set dev ${this.#link} addrgenmode none`,
        `addr add ${layout.machineAddress}/24 dev ${this.#link}`,
        `link set dev ${this.#link} up`,
        '',
      ].join('\n'),
    )
    await this.#run(['ip', 'link', 'set', 'm-machine', 'master', 'management', 'up'])
  }

  /** Gives hosts their interfaces; `rootPid` is a process in the host's network namespace. */
  async connect(hosts: readonly { name: string; rootPid: number; addresses: HostAddresses }[]): Promise<void> {
    const commands = hosts.flatMap(({ name, rootPid, addresses }) => {
      const wire = (network: LabNetwork, inside: string): string[] => [
        `link add ${port(network, name)} type veth peer name ${inside} netns ${rootPid}`,
        `link set ${port(network, name)} master ${network} up`,
      ]
      return [...wire('data', 'eth0'), ...(addresses.management === undefined ? [] : wire('management', 'mgmt0'))]
    })
    await this.#run(['ip', '-batch', '-'], `${commands.join('\n')}\n`)
  }

  /** Stops or resumes forwarding at a host's port. The host keeps its carrier, as when the fault lies further away. */
  async setForwarding(host: string, network: LabNetwork, forwarding: boolean): Promise<void> {
    await this.#run(['bridge', 'link', 'set', 'dev', port(network, host), 'state', forwarding ? '3' : '0'])
  }
}
