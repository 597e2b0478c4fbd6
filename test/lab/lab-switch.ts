import type { HostAddresses, Layout } from './layout.ts'
import { machineCommand } from './machine-command.ts'
import { ProcessTree } from './process-tree.ts'

/** The two networks of a lab: `eth0` of the hosts is on `data`, `mgmt0` on `management`. */
export type LabNetwork = 'data' | 'management'

const port = (network: LabNetwork, host: string): string => `${network === 'data' ? 'd' : 'm'}-${host}`

/**
 * The lab's Ethernet switch and router: two bridges in a namespace of their own, so that the machine has a single link
 * and its firewall (bridge-nf-call) sees no bridged packet. The machine reaches the data network through the router, as
 * an operator's workstation reaches servers; with `routed` false the router answers "unreachable".
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
  async start(layout: Layout, alias: string, routed: boolean): Promise<void> {
    await this.tree.expectLine('isolated')
    const bridge = 'type bridge stp_state 0 forward_delay 0 mcast_snooping 0'
    const { router } = layout
    const bridges = [
      'link set lo up',
      `link add data ${bridge}`,
      `link add management ${bridge}`,
      'link set data up',
      'link set management up',
      `addr add ${router.data}/24 dev data`,
      `addr add ${router.management}/24 dev management`,
      ...(routed ? [] : ['rule add iif management unreachable']),
    ]
    await this.#run(['ip', '-batch', '-'], `${bridges.join('\n')}\n`)
    const settings = ['ip_forward=1', 'conf.all.rp_filter=0', 'conf.data.rp_filter=0', 'conf.management.rp_filter=0']
    await this.#run([
      'sysctl',
      '-qw',
      ...settings.map((setting) => `net.ipv4.${setting}`),
      'net.ipv4.conf.all.send_redirects=0',
    ])
    await machineCommand(
      ['ip', '-batch', '-'],
      [
        `link add ${this.#link} type veth peer name m-machine netns ${this.tree.rootPid}`,
        `link set dev ${this.#link} alias "${alias}"`,
        `link set dev ${this.#link} addrgenmode none`,
        `addr add ${layout.machineAddress}/24 dev ${this.#link}`,
        `link set dev ${this.#link} up`,
        // Without it, packets to the data network would leave by the machine's default route.
        `route add ${layout.dataSubnet} via ${router.management} dev ${this.#link} src ${layout.machineAddress}`,
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
