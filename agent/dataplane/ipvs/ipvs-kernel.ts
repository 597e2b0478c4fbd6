import type { KernelError } from '../../kernel/errno.ts'
import type {
  IpvsDaemon,
  IpvsDaemonSettings,
  IpvsDaemonState,
  IpvsInfo,
  IpvsOperation,
  IpvsTableEntry,
  IpvsTimeouts,
} from './types.ts'

/** The kernel's IPVS in this network namespace. Every call returns when the kernel has answered. */
export interface IpvsKernel {
  info(): IpvsInfo
  table(): IpvsTableEntry[]
  /** One outcome for each operation, in order; one that fails does not stop the others. */
  change(operations: readonly IpvsOperation[]): (KernelError | null)[]
  timeouts(): IpvsTimeouts
  setTimeouts(timeouts: Partial<IpvsTimeouts>): void
  daemons(): IpvsDaemon[]
  startDaemon(daemon: IpvsDaemonSettings): void
  stopDaemon(state: IpvsDaemonState): void
  close(): void
}
