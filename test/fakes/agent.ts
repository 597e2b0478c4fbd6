import { Agent } from '../../agent/agent.ts'
import type { ProbeResult } from '../../agent/health/tcp-probe.ts'
import { type ClusterSpec, parseClusterSpec } from '../../core/model/cluster-spec.ts'
import { formatIssue } from '../../core/model/issue.ts'
import { serviceKey } from '../../core/model/service.ts'
import type { Author } from '../../core/model/revision.ts'
import { FakeClock, settle } from './clock.ts'
import { FakeDisk } from './disk.ts'
import { FakeKernel, fakeRing } from './kernel.ts'

export const alice: Author = { user: 'alice', via: 'console', from: 'desk' }
export const bob: Author = { user: 'bob', via: 'cli', from: 'tower' }

export const service = (fields: Record<string, unknown> = {}) => ({
  name: 'web',
  vip: '192.0.2.10',
  port: 80,
  check: { type: 'none' },
  realServers: [
    { address: '192.0.2.20', port: 80 },
    { address: '192.0.2.21', port: 80 },
  ],
  ...fields,
})

export function specOf(...services: Record<string, unknown>[]): ClusterSpec {
  const parsed = parseClusterSpec({ apiVersion: 'signalbox/v1', name: 'test', services })
  if (!parsed.ok) throw new Error(parsed.issues.map(formatIssue).join('\n'))
  return parsed.value
}

/** A director on fakes: what survives the agent (kernel, disk, clock) and the agent that runs on it now. */
export class FakeDirector {
  readonly kernel = new FakeKernel()
  readonly disk = new FakeDisk()
  readonly clock = new FakeClock()
  readonly log: string[] = []
  /** Answers of the real servers to checks, by `address:port`; those that are not named are up. */
  readonly checks = new Map<string, ProbeResult>()
  #agent: Agent | undefined

  get agent(): Agent {
    if (this.#agent === undefined) throw new Error('the agent does not run')
    return this.#agent
  }

  async start(): Promise<Agent> {
    this.#agent = await Agent.start({
      version: '0.0.0',
      hostname: 'director',
      disk: this.disk,
      clock: this.clock,
      dataplane: this.kernel,
      network: this.kernel,
      probe: async (address, port) => this.checks.get(`${address}:${port}`) ?? { isUp: true, latencyMs: 1 },
      ringOf: fakeRing,
      log: (message) => this.log.push(message),
      random: () => 0.5,
    })
    await settle()
    return this.#agent
  }

  /** SIGKILL: nothing of the agent runs any more; what it was waiting for never comes back. */
  kill(): void {
    this.#agent = undefined
    this.clock.forgetTimers()
    this.kernel.hook = async () => {}
    this.disk.hook = async () => {}
  }

  apply(spec: ClusterSpec, options: { base?: number; confirmWithinSec?: number | null; author?: Author } = {}) {
    return this.agent.reconciler.apply({
      spec,
      baseRevision: options.base ?? this.agent.store.current().revision,
      confirmWithinSec: options.confirmWithinSec ?? null,
      author: options.author ?? alice,
      message: '',
      protectedAddresses: [],
      adopt: [],
      drainSec: 0,
    })
  }

  /** Everything of the kernel that a packet or an operator would notice, in one comparable value. */
  kernelState() {
    return {
      services: [...this.kernel.services.values()]
        .map((one) => ({
          ...structuredClone(one),
          realServers: one.realServers.map((rs) => JSON.stringify(rs)).toSorted(),
        }))
        .toSorted((a, b) => (serviceKey(a) < serviceKey(b) ? -1 : 1)),
      attachments: [...this.kernel.attachments.keys()].toSorted(),
      addresses: this.kernel.nics.flatMap((nic) =>
        nic.addresses.map(({ address, prefixLength }) => `${nic.name} ${address}/${prefixLength}`),
      ),
    }
  }
}
