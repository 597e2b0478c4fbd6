import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { OwnObjects } from '../../../agent/apply/own-objects.ts'
import { BothDataplanes } from '../../../agent/dataplane/dataplanes.ts'
import { connectionTable } from '../../../agent/dataplane/ipvs/connection-table.ts'
import { HostState } from '../../../agent/dataplane/ipvs/host-state.ts'
import { IpvsDataplane } from '../../../agent/dataplane/ipvs/ipvs-dataplane.ts'
import { KernelError } from '../../../agent/kernel/errno.ts'
import { unavailableDataplane } from '../../../agent/dataplane/unavailable.ts'
import type { HostControls } from '../../../agent/host/host-controls.ts'
import type { NatEntry } from '../../../core/model/plan.ts'
import { FakeDisk } from '../../fakes/disk.ts'
import { FakeIpvs } from '../../fakes/ipvs-table.ts'

/** A host's /proc and module folder as far as the dataplane looks at them, and everything else on fakes. */
export class IpvsDirector {
  readonly kernel = new FakeIpvs()
  readonly disk = new FakeDisk()
  readonly sysctls = new Map([
    ['net.ipv4.ip_forward', '0'],
    ['net.ipv6.conf.all.forwarding', '0'],
    ['net.ipv4.vs.conntrack', '0'],
  ])
  persisted: { sysctls: Record<string, string>; modules: readonly string[] } = { sysctls: {}, modules: [] }
  natEntries: readonly NatEntry[] = []
  readonly log: string[] = []
  #nowMs = 0
  readonly #folder = mkdtempSync(join(tmpdir(), 'signalbox-ipvs-'))

  constructor() {
    mkdirSync(join(this.#folder, 'net'))
    mkdirSync(join(this.#folder, 'self'))
    writeFileSync(join(this.#folder, 'net/ip_vs'), '')
    writeFileSync(join(this.#folder, 'self/status'), 'CapEff:\t000001ffffffffff\n')
    const modules = ['ip_vs', ...[...this.kernel.schedulers].map((name) => `ip_vs_${name}`)]
    const list = modules.map((name) => `kernel/net/netfilter/ipvs/${name}.ko: x.ko\n`)
    writeFileSync(join(this.#folder, 'modules.dep'), list.join(''))
  }

  loadModule(isLoaded: boolean): void {
    rmSync(join(this.#folder, 'net/ip_vs'), { force: true })
    if (isLoaded) writeFileSync(join(this.#folder, 'net/ip_vs'), '')
  }

  removeModuleFiles(): void {
    rmSync(join(this.#folder, 'modules.dep'))
  }

  dropCapabilities(): void {
    writeFileSync(join(this.#folder, 'self/status'), 'CapEff:\t0000000000000000\n')
  }

  /** A new agent on the same kernel and disk. */
  async start(bootId = 'boot-1'): Promise<BothDataplanes> {
    const own = await OwnObjects.open(this.disk, bootId)
    const places = { proc: this.#folder, sys: join(this.#folder, 'sys'), modules: this.#folder }
    const nat = {
      obstacle: () => null,
      read: () => [...this.natEntries],
      write: (entries: readonly NatEntry[]) => {
        this.natEntries = entries
      },
    }
    const connections = connectionTable(() => 0, join(this.#folder, 'net/ip_vs_conn'))
    const ipvs = new IpvsDataplane({
      open: () => this.kernel,
      places,
      own,
      connections,
      monotonicMs: () => (this.#nowMs += 1000),
      bootId,
    })
    const log = (message: string) => this.log.push(message)
    const hostState = new HostState({ ipvs, own, host: this.#host(), nat, places, log })
    return new BothDataplanes({ ebpf: unavailableDataplane('not here'), ipvs, hostState, nat, connections, places })
  }

  /** Those of IPVS come with its module. */
  #hasSysctl(name: string): boolean {
    return !name.startsWith('net.ipv4.vs.') || existsSync(join(this.#folder, 'net/ip_vs'))
  }

  #host(): HostControls {
    return {
      readSysctl: (name) => (this.#hasSysctl(name) ? (this.sysctls.get(name) ?? null) : null),
      writeSysctl: (name, value) => {
        if (!this.#hasSysctl(name)) throw new KernelError(name, 'ENOENT')
        if (value === '') throw new KernelError(name, 'EINVAL')
        this.sysctls.set(name, value)
      },
      loadModule: () => this.loadModule(true),
      unloadModule: (name) => {
        if (name === 'ip_vs') this.loadModule(false)
      },
      persist: async ({ sysctls, modules }) => {
        this.persisted = { sysctls: Object.fromEntries(sysctls), modules }
      },
    }
  }

  /** A boot: the table is empty, and our files in /etc say what is set and loaded again. */
  reboot(): void {
    this.kernel.rows.clear()
    this.kernel.running = []
    this.natEntries = []
    for (const name of this.sysctls.keys()) this.sysctls.set(name, this.persisted.sysctls[name] ?? '0')
    this.loadModule(this.persisted.modules.includes('ip_vs'))
  }

  remove(): void {
    rmSync(this.#folder, { recursive: true, force: true })
  }
}
