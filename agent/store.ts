import { createHash } from 'node:crypto'
import { z } from 'zod'
import { type ClusterSpec, emptySpec } from '../core/model/cluster-spec.ts'
import { Revision, type RevisionSummary } from '../core/model/revision.ts'
import { type Desired, desiredOf, type DirectorRole } from '../core/reconcile/desired.ts'
import type { Disk } from './disk.ts'

const StoredRevision = Revision.extend({
  /** Ingress interface of each service by its key, as it was found when the revision was applied. */
  interfaces: z.record(z.string(), z.string()),
})
/** A revision with what the director itself found out about it. */
export type StoredRevision = z.infer<typeof StoredRevision>

const roleFile = 'role.json'
const Role = z.object({ role: z.enum(['active', 'standby']) })
const folder = 'revisions'
const fileOf = (revision: number): string => `${folder}/${String(revision).padStart(8, '0')}.json`
/** As many as `cluster.history` can show. */
const maxKept = 500

/** Accepted documents with author, time and outcome, one file each. */
export class RevisionStore {
  readonly #disk: Disk
  readonly #byNumber: Map<number, StoredRevision>

  #role: DirectorRole
  /** What was last wanted, and of what: each look asks for the same. */
  #wanted: (Pick<StoredRevision, 'spec' | 'interfaces'> & { readonly desired: Desired }) | null = null

  private constructor(disk: Disk, revisions: readonly StoredRevision[], role: DirectorRole) {
    this.#disk = disk
    this.#role = role
    this.#byNumber = new Map(revisions.map((one) => [one.revision, one]))
  }

  /**
   * @param name of the cluster before the first revision
   * @param onDamaged told of each file that cannot be read; it is left where it is
   */
  static async open(disk: Disk, name: string, onDamaged: (file: string) => void): Promise<RevisionStore> {
    const revisions = [nothingYet(name)]
    for (const file of (await disk.list(folder)).filter((one) => /^\d{8}\.json$/.test(one)).toSorted()) {
      const revision = readRevision(await disk.read(`${folder}/${file}`))
      if (revision === null || fileOf(revision.revision) !== `${folder}/${file}`) onDamaged(`${folder}/${file}`)
      else revisions.push(revision)
    }
    return new RevisionStore(disk, revisions, roleOf(await disk.read(roleFile)))
  }

  /** Whether this director carries the VIPs of its revision; of the director, not of the document. */
  get role(): DirectorRole {
    return this.#role
  }

  async setRole(role: DirectorRole): Promise<void> {
    await this.#disk.write(roleFile, `${JSON.stringify({ role })}\n`)
    this.#role = role
  }

  /** What a revision wants of this director's kernel; asked again for the same one, the same object. */
  desiredOf({ spec, interfaces }: Pick<StoredRevision, 'spec' | 'interfaces'>): Desired {
    const last = this.#wanted
    if (last?.spec === spec && last.interfaces === interfaces && last.desired.role === this.#role) return last.desired
    const desired = desiredOf(spec, interfaces, this.#role)
    this.#wanted = { spec, interfaces, desired }
    return desired
  }

  /** The newest accepted one: what the director shall do now. */
  current(): StoredRevision {
    const accepted = [...this.#byNumber.values()].filter(
      (one) => one.outcome === 'confirmed' || one.outcome === 'unconfirmed',
    )
    return accepted.reduce((newest, one) => (one.revision > newest.revision ? one : newest))
  }

  newestNumber(): number {
    return Math.max(...this.#byNumber.keys())
  }

  get(revision: number): StoredRevision | undefined {
    return this.#byNumber.get(revision)
  }

  /** Newest first. */
  history(limit: number): RevisionSummary[] {
    return [...this.#byNumber.values()]
      .filter((one) => one.revision > 0)
      .toSorted((a, b) => b.revision - a.revision)
      .slice(0, limit)
      .map(summaryOf)
  }

  async put(revision: StoredRevision): Promise<void> {
    await this.#disk.write(fileOf(revision.revision), `${JSON.stringify(revision)}\n`)
    this.#byNumber.set(revision.revision, revision)
    const current = this.current().revision
    const old = [...this.#byNumber.keys()]
      .filter((one) => one > 0 && one !== current)
      .toSorted((a, b) => b - a)
      .slice(maxKept)
    for (const one of old) {
      await this.#disk.remove(fileOf(one))
      this.#byNumber.delete(one)
    }
  }
}

/** Revision 0: before anything was applied. */
function nothingYet(name: string): StoredRevision {
  const spec = emptySpec(name)
  return {
    revision: 0,
    digest: digestOf(spec),
    author: { user: 'signalbox', via: 'cli', from: name },
    message: '',
    atMs: 0,
    outcome: 'confirmed',
    revertReason: null,
    touched: [],
    spec,
    interfaces: {},
  }
}

const roleOf = (text: string | null): DirectorRole => (text === null ? 'active' : Role.parse(JSON.parse(text)).role)

/** A revision without its document. */
export function summaryOf({ spec: _spec, interfaces: _interfaces, ...summary }: StoredRevision): RevisionSummary {
  return summary
}

function readRevision(text: string | null): StoredRevision | null {
  try {
    return StoredRevision.parse(JSON.parse(text ?? ''))
  } catch {
    return null
  }
}

/** First 16 hex digits of SHA-256 over the document with its fields in one order: directors compare it. */
export const digestOf = (spec: ClusterSpec): string =>
  createHash('sha256').update(JSON.stringify(spec, inOneOrder)).digest('hex').slice(0, 16)

const inOneOrder = (_field: string, value: unknown): unknown =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
    ? Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1)))
    : value
