import { randomUUID } from 'node:crypto'
import { type ClusterJob, isJobOver } from '../../../core/contract/clusters.ts'
import { AppError } from '../../../core/contract/errors.ts'
import { LatestValue } from '../latest-value.ts'
import type { ClockPort } from '../ports.ts'
import { applyToAll, type ClusterApply } from './apply.ts'
import type { Member } from './member.ts'

/** What is done on several directors at once: one thing at a time on each. Applies go on whoever watches. */
export class ClusterJobs {
  readonly #clock: ClockPort
  readonly #jobs = new LatestValue<ClusterJob[]>([])
  readonly #busy = new Set<string>()

  constructor(clock: ClockPort) {
    this.#clock = clock
  }

  watch(signal: AbortSignal): AsyncGenerator<ClusterJob[]> {
    return this.#jobs.watch(signal)
  }

  /** Starts an apply. Throws BUSY where one of the directors takes part in something already. */
  start(members: readonly Member[], wanted: ClusterApply): string {
    const release = this.#occupy(members)
    const id = randomUUID()
    const ids = new Set(members.map((member) => member.id))
    const job: ClusterJob = {
      id,
      state: 'checking',
      message: wanted.message,
      confirmWithinSec: wanted.confirmWithinSec,
      startedAtMs: this.#clock.nowMs(),
      members: members.map((member) => ({
        directorId: member.id,
        phase: 'waiting',
        steps: null,
        result: null,
        error: null,
      })),
    }
    const others = this.#jobs.value.filter((one) => !one.members.some(({ directorId }) => ids.has(directorId)))
    this.#jobs.set([...others, job])
    const change = (edit: (job: ClusterJob) => ClusterJob) =>
      this.#jobs.set(this.#jobs.value.map((one) => (one.id === id ? edit(one) : one)))
    void applyToAll(members, wanted, {
      state: (state) => change((one) => ({ ...one, state })),
      member: (directorId, fields) =>
        change((one) => ({
          ...one,
          members: one.members.map((member) => (member.directorId === directorId ? { ...member, ...fields } : member)),
        })),
    }).finally(release)
    return id
  }

  /** The job whenever it changes, until it is over. */
  async *follow(id: string, signal: AbortSignal): AsyncGenerator<ClusterJob> {
    let last: ClusterJob | undefined
    for await (const jobs of this.#jobs.watch(signal)) {
      const job = jobs.find((one) => one.id === id)
      if (job === undefined) return
      if (job === last) continue
      last = job
      yield job
      if (isJobOver(job)) return
    }
  }

  /** Anything else that concerns several directors. Throws BUSY. */
  async alone<T>(members: readonly Member[], work: () => Promise<T>): Promise<T> {
    const release = this.#occupy(members)
    try {
      return await work()
    } finally {
      release()
    }
  }

  #occupy(members: readonly Member[]): () => void {
    const busy = members.find(({ id }) => this.#busy.has(id))
    if (busy !== undefined) {
      throw new AppError('BUSY', `${busy.name} takes part in another change of its cluster.`, { retryable: true })
    }
    for (const { id } of members) this.#busy.add(id)
    return () => {
      for (const { id } of members) this.#busy.delete(id)
    }
  }
}
