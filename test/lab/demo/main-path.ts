import type { CheckedHostReport, CheckRequest, ConsoleContract } from '../../../core/contract/console.ts'
import type { DirectorState } from '../../../core/contract/agent.ts'
import type { DirectorEntry } from '../../../core/contract/session.ts'
import type { ClusterSpec } from '../../../core/model/cluster-spec.ts'
import { type ProofRequest, type ProofSummary, summarizeProof } from '../../../core/model/proof.ts'
import { defaultTcpCheck } from '../../../core/model/health-check.ts'
import type { RealServer, VirtualService } from '../../../core/model/service.ts'
import type { ClientHost, DirectorProfile } from '../../../core/model/ssh.ts'
import type { Sample } from '../../../core/model/telemetry.ts'
import type { Client } from '../../../core/rpc/client.ts'
import { firstOf } from './first-of.ts'

type ConsoleClient = Client<ConsoleContract>

/** What the operator of the main path is given: where things are, and the fingerprints to compare. */
export interface MainPathSite {
  readonly director: DirectorProfile
  readonly clientHost: ClientHost
  readonly vip: string
  readonly realServers: readonly string[]
  /** Addresses of real servers that SSH reaches through the director alone. */
  readonly behindDirector: readonly string[]
  /** Every host key that may be accepted. */
  readonly fingerprints: readonly string[]
}

/** The main path through the console's own contract, as an operator goes it; each step throws where it does not hold. */
export class MainPath {
  readonly #client: ConsoleClient
  readonly #site: MainPathSite
  readonly #log: (line: string) => void
  readonly #stop = new AbortController()

  constructor(client: ConsoleClient, site: MainPathSite, log: (line: string) => void) {
    this.#client = client
    this.#site = site
    this.#log = log
  }

  get #directorId(): string {
    return this.#site.director.id
  }

  get #key(): string {
    return `tcp/${this.#site.vip}:80`
  }

  /** Connects, pins the host keys whose fingerprints are known, installs the agent; keeps answering until `end`. */
  async connect(): Promise<void> {
    void this.#answerQuestions()
    await this.#client.call('directors.connect', { directorId: this.#directorId })
    const { session } = await this.#entry(({ session: { phase } }) => phase === 'ready' || phase === 'failed')
    if (session.phase === 'failed') throw new Error(`connect: ${session.error?.message ?? 'failed'}`)
    this.#log(`connected: agent ${session.hello?.version} on ${session.hello?.hostname}, ${session.transport}`)
  }

  async #answerQuestions(): Promise<void> {
    const answered = new Set<string>()
    for await (const entries of this.#client.stream('directors.watch', {}, { signal: this.#stop.signal })) {
      const question = entries.find(({ profile }) => profile.id === this.#directorId)?.session.question
      if (question == null || answered.has(question.id)) continue
      answered.add(question.id)
      const isKnown = question.kind === 'hostKey' && this.#site.fingerprints.includes(question.fingerprint)
      const answer =
        isKnown || question.kind === 'install' ? ({ kind: 'accept' } as const) : ({ kind: 'reject' } as const)
      this.#log(`question: ${question.kind}, ${answer.kind}ed`)
      await this.#client.call('directors.answer', { directorId: this.#directorId, questionId: question.id, answer })
    }
  }

  #entry(fits: (entry: DirectorEntry) => boolean): Promise<DirectorEntry> {
    return firstOf(
      this.#client.stream('directors.watch', {}, { signal: AbortSignal.timeout(120_000) }),
      (entries) => entries.find((entry) => entry.profile.id === this.#directorId && fits(entry)),
      'a session as wanted',
    )
  }

  /** Waits for a state of the director. */
  state(fits: (state: DirectorState) => boolean, what: string, timeoutMs = 30_000): Promise<DirectorState> {
    return firstOf(
      this.#client.stream(
        'director.director.watch',
        { directorId: this.#directorId, input: {} },
        { signal: AbortSignal.timeout(timeoutMs) },
      ),
      (state) => (fits(state) ? state : undefined),
      what,
    )
  }

  /** Waits for a sample of the dataplane. */
  sample(fits: (sample: Sample) => boolean, what: string, timeoutMs = 30_000): Promise<Sample> {
    return firstOf(
      this.#client.stream(
        'director.stats.watch',
        { directorId: this.#directorId, input: {} },
        { signal: AbortSignal.timeout(timeoutMs) },
      ),
      (sample) => (fits(sample) ? sample : undefined),
      what,
    )
  }

  #checkRequest(): CheckRequest {
    return {
      directorId: this.#directorId,
      vip: this.#site.vip,
      port: 80,
      protocol: 'tcp',
      forwarding: 'dr',
      dataplane: 'ebpf',
      announce: 'arp',
      allowOwnAddress: false,
      isLive: false,
      realServers: this.#site.realServers.map((address) => ({ address, port: 80, access: { kind: 'direct' } })),
    }
  }

  async #reports(stream: AsyncIterable<CheckedHostReport>): Promise<Map<string, CheckedHostReport>> {
    const reports = new Map<string, CheckedHostReport>()
    for await (const report of stream) reports.set(report.host, report)
    for (const [host, { state, error }] of reports)
      if (state !== 'done') throw new Error(`checks of ${host}: ${error?.message ?? state}`)
    return reports
  }

  /** Checks all hosts, carries out every fix, and returns how many findings were missing before and after. */
  async checkAndFix(): Promise<{ before: number; after: number }> {
    const missing = (reports: Map<string, CheckedHostReport>) =>
      [...reports.values()].flatMap(({ findings }) =>
        findings.filter(({ status, severity }) => status === 'missing' && severity === 'blocks'),
      )
    const first = await this.#reports(this.#client.stream('checks.run', this.#checkRequest()))
    const before = missing(first)
    this.#log(`checks: ${before.map(({ rule, host }) => `${rule}@${host}`).join(' ')}`)
    const fixIds = before.flatMap(({ fix }) => (fix === null ? [] : [fix.id]))
    if (fixIds.length === 0) return { before: before.length, after: before.length }
    await this.#reports(this.#client.stream('checks.fix', { request: this.#checkRequest(), fixIds }))
    const after = missing(await this.#reports(this.#client.stream('checks.run', this.#checkRequest())))
    this.#log(
      `after the fixes: ${after.length === 0 ? 'nothing is missing' : after.map(({ rule, host, found }) => `${rule}@${host} (${found})`).join(' ')}`,
    )
    return { before: before.length, after: after.length }
  }

  service(more: Partial<VirtualService> = {}): VirtualService {
    const realServers: RealServer[] = this.#site.realServers.map((address) => ({
      address,
      port: 80,
      weight: 1,
      state: 'enabled',
    }))
    return {
      name: 'web-80',
      vip: this.#site.vip,
      port: 80,
      protocol: 'tcp',
      dataplane: 'ebpf',
      forwarding: 'dr',
      scheduler: 'mh',
      schedulerFlags: [],
      announce: 'arp',
      check: defaultTcpCheck,
      realServers,
      ...more,
    }
  }

  /** Plans and applies a document made from the newest one. */
  async apply(
    edit: (spec: ClusterSpec) => ClusterSpec,
    message: string,
    confirmWithinSec: number | null,
  ): Promise<number> {
    const { spec, revision } = await this.state(() => true, 'a state')
    const next = edit(spec)
    const plan = await this.#client.call('director.cluster.plan', {
      directorId: this.#directorId,
      input: { spec: next },
    })
    const result = await this.#client.call('director.cluster.apply', {
      directorId: this.#directorId,
      input: {
        spec: next,
        baseRevision: revision,
        confirmWithinSec,
        message,
        author: { user: 'root', via: 'console', from: 'demo' },
      },
    })
    if (result.failure !== null) throw new Error(`${message}: ${result.failure.message}`)
    if (result.drift.length > 0)
      throw new Error(`${message}: the kernel differs after applying: ${JSON.stringify(result.drift)}`)
    this.#log(`${message}: ${plan.steps.length} steps, revision ${result.revision} ${result.outcome}`)
    return result.revision
  }

  async confirm(revision: number): Promise<void> {
    await this.#client.call('director.cluster.confirm', { directorId: this.#directorId, input: { revision } })
  }

  /** Real requests from the client host; who answered comes from the agent's flow records. */
  async prove(requests: number): Promise<ProofSummary & { all: ProofRequest[] }> {
    const { services } = await this.sample(() => true, 'a sample')
    const own = services.find(({ key }) => key === this.#key)
    const shares = Object.fromEntries(
      (own?.realServers ?? []).map(({ address, port, ringShare }) => [`${address}:${port}`, ringShare ?? 0]),
    )
    const all: ProofRequest[] = []
    const stream = this.#client.stream('proof.run', {
      directorId: this.#directorId,
      vip: this.#site.vip,
      port: 80,
      from: { kind: 'host', id: this.#site.clientHost.id },
      requests,
    })
    for await (const request of stream) all.push(request)
    return { ...summarizeProof(all, shares), all }
  }

  /** Waits until the health checks see a real server so. */
  async health(address: string, wanted: 'up' | 'down', timeoutMs: number): Promise<void> {
    await this.sample(
      ({ services }) =>
        services.some(
          ({ key, realServers }) =>
            key === this.#key && realServers.some((own) => own.address === address && own.health === wanted),
        ),
      `${address} ${wanted}`,
      timeoutMs,
    )
  }

  /** Takes back every fix on the hosts. */
  async undoFixes(): Promise<number> {
    const fixes = await this.#client.call('fixes.list', { directorId: this.#directorId })
    const ids = fixes.filter(({ undoneAtMs }) => undoneAtMs === null).map(({ id }) => id)
    if (ids.length === 0) return 0
    const { undone, failed } = await this.#client.call('fixes.undo', { directorId: this.#directorId, ids })
    for (const { id, error } of failed) throw new Error(`undo of ${id}: ${error.message}`)
    return undone.length
  }

  async removeAgent(): Promise<readonly string[]> {
    const { removed } = await this.#client.call('directors.removeAgent', {
      directorId: this.#directorId,
      keepTraffic: false,
    })
    return removed
  }

  end(): void {
    this.#stop.abort()
  }
}
