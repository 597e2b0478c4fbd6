import { create } from 'zustand'
import type { DirectorState } from '../../core/contract/agent.ts'
import type { ClusterJob } from '../../core/contract/clusters.ts'
import type { AppInfo, Preferences } from '../../core/contract/console.ts'
import type { WireError } from '../../core/contract/errors.ts'
import type { DirectorEntry } from '../../core/contract/session.ts'

/** The page's own connection to the console core. */
export interface LinkState {
  readonly phase: 'connecting' | 'open' | 'waiting'
  /** How often it has been tried since it was last open. */
  readonly attempt: number
  /** Workstation's clock at which the next try starts; null unless waiting. */
  readonly retryAtMs: number | null
  /** True once it was open: a first try reads differently from a loss. */
  readonly wasOpen: boolean
}

/** What the page knows of one director, and since when. */
export interface DirectorData {
  readonly state: DirectorState | null
  /** Page's monotonic clock (`performance.now`) when the state arrived: countdowns run from here. */
  readonly receivedAtMs: number
  /** Workstation's wall clock of the last sign of life, a state or a sample. */
  readonly heardAtMs: number
  /** True while the stream of states is open: then what is shown is what is. */
  readonly isLive: boolean
  readonly error: WireError | null
}

export interface ConsoleState {
  readonly link: LinkState
  readonly info: AppInfo | null
  readonly preferences: Preferences
  /** Null until the first list has arrived. */
  readonly directors: readonly DirectorEntry[] | null
  readonly data: Readonly<Record<string, DirectorData>>
  /** What is applied to several directors at once, or was last. */
  readonly jobs: readonly ClusterJob[]
}

export const defaultPreferences: Preferences = { theme: 'system', language: 'system', times: 'local', dismissed: [] }

const noData: DirectorData = { state: null, receivedAtMs: 0, heardAtMs: 0, isLive: false, error: null }

export const useConsole = create<ConsoleState>(() => ({
  link: { phase: 'connecting', attempt: 0, retryAtMs: null, wasOpen: false },
  info: null,
  preferences: defaultPreferences,
  directors: null,
  data: {},
  jobs: [],
}))

/** Changes what is held for one director; the rest of the store keeps its identity. */
export function updateDirector(directorId: string, change: Partial<DirectorData>): void {
  useConsole.setState(({ data }) => ({
    data: { ...data, [directorId]: { ...(data[directorId] ?? noData), ...change } },
  }))
}
