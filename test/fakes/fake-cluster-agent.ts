import { createHash } from 'node:crypto'
import type { AgentContract, ApplyRequest, DirectorState } from '../../core/contract/agent.ts'
import type { Handlers } from '../../core/contract/define.ts'
import { AppError } from '../../core/contract/errors.ts'
import { type ClusterSpec, emptySpec } from '../../core/model/cluster-spec.ts'
import { nothingObserved } from '../../core/model/observed.ts'
import type { Step } from '../../core/model/plan.ts'
import type { ApplyFailure, ApplyResult } from '../../core/model/revision.ts'
import { LatestValue } from '../../main/console/latest-value.ts'

const aStep: Step = { kind: 'dataplane.attach', interface: 'eth0' }

const digestOf = (spec: ClusterSpec): string =>
  createHash('sha256').update(JSON.stringify(spec)).digest('hex').slice(0, 16)

/** The part of an agent that keeps a document: accepts, confirms, takes back, raises VIPs, and fails where it is told. */
export class FakeClusterAgent {
  readonly #state: LatestValue<DirectorState>
  /** What it did, in order. */
  readonly did: string[] = []
  /** Thrown by the next plans. */
  refusesPlan: AppError | null = null
  /** What the next apply does instead of its work. */
  nextApply: 'works' | 'refuses' | 'fails' | 'failsHalf' | 'drifts' = 'works'
  refusesRevert: AppError | null = null
  refusesRole: AppError | null = null
  /** Called when an apply has done its work, before it answers. */
  onApplied: () => void = () => {}
  /** Called before a plan is made, and before a role changes. */
  onPlan: () => Promise<void> | void = () => {}
  onRole: (role: DirectorState['role']) => void = () => {}
  #before: Pick<DirectorState, 'revision' | 'spec' | 'digest'> | null = null
  #newest = 0

  constructor(role: DirectorState['role'] = 'active') {
    const spec = emptySpec('test')
    this.#state = new LatestValue<DirectorState>({
      revision: 0,
      digest: digestOf(spec),
      spec,
      role,
      progress: null,
      lastResult: null,
      observed: nothingObserved,
      drift: [],
      events: [],
      nowMs: 1,
      monotonicMs: 1,
    })
  }

  get state(): DirectorState {
    return this.#state.value
  }

  #change(fields: Partial<DirectorState>): void {
    this.#state.set({ ...this.#state.value, ...fields })
  }

  readonly handlers: Partial<Handlers<AgentContract>> = {
    'director.watch': (_input, { signal }) => this.#state.watch(signal),
    'cluster.plan': async () => {
      await this.onPlan()
      if (this.refusesPlan !== null) throw this.refusesPlan
      return {
        baseRevision: this.state.revision,
        steps: [{ phase: 'prepare', step: aStep }],
        risk: { realServersLeavingRing: 0, servicesRemoved: 0, flowsCut: 0, slotsMoved: {} },
        commands: [],
        warnings: [],
      }
    },
    'cluster.apply': (request) => this.#apply(request),
    'cluster.confirm': ({ revision }) => {
      this.#awaiting(revision)
      this.did.push(`confirm ${revision}`)
      this.#change({ progress: null })
      const { digest } = this.state
      const author = { user: 'root', via: 'console', from: 'desk' } as const
      return {
        revision,
        digest,
        author,
        message: '',
        atMs: 1,
        outcome: 'confirmed',
        revertReason: null,
        touched: [],
      }
    },
    'cluster.revert': ({ revision }) => {
      this.#awaiting(revision)
      if (this.refusesRevert !== null) throw this.refusesRevert
      this.did.push(`revert ${revision}`)
      this.#change({ ...this.#before, progress: null })
      return { revision, outcome: 'reverted', failure: null, drift: [] }
    },
    'director.setRole': ({ role }) => {
      if (this.refusesRole !== null) throw this.refusesRole
      this.did.push(role)
      this.onRole(role)
      this.#change({ role })
      return { role, drift: [] }
    },
  }

  #awaiting(revision: number): void {
    if (this.state.progress?.revision !== revision) throw new AppError('NOT_FOUND', `Nothing awaits ${revision}.`)
  }

  #apply(request: ApplyRequest): ApplyResult {
    const outcome = this.nextApply
    this.nextApply = 'works'
    if (outcome === 'refuses') throw new AppError('REFUSED', 'The VIP is taken.')
    if (request.baseRevision !== this.state.revision) throw new AppError('CONFLICT', 'Outdated.')
    const revision = ++this.#newest
    if (outcome === 'fails' || outcome === 'failsHalf') {
      const failure = failureOf(revision, outcome === 'fails')
      this.did.push(`fail ${revision}`)
      return { revision, outcome: 'failed', failure, drift: [] }
    }
    const { confirmWithinSec, spec, author, message } = request
    this.#before = { revision: this.state.revision, spec: this.state.spec, digest: this.state.digest }
    this.did.push(`apply ${revision} ${spec.name}`)
    this.#change({
      revision,
      spec,
      digest: digestOf(spec),
      progress:
        confirmWithinSec === null
          ? null
          : {
              revision,
              author,
              message,
              phase: 'awaiting-confirmation',
              stepsDone: 1,
              steps: [aStep],
              startedAtMs: 1,
              remainingMs: confirmWithinSec * 1000,
              revertsAtMs: null,
            },
    })
    this.onApplied()
    const drift = outcome === 'drifts' ? [aStep] : []
    return { revision, outcome: confirmWithinSec === null ? 'confirmed' : 'unconfirmed', failure: null, drift }
  }
}

const failureOf = (revision: number, rolledBack: boolean): ApplyFailure => ({
  revision,
  stepIndex: 0,
  step: aStep,
  errno: 'EEXIST',
  message: 'Attaching failed: EEXIST.',
  rolledBack,
})
