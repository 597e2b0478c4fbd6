import type { IpFamily } from '../../core/model/address.ts'
import type { BpfProgram } from '../../agent/kernel/bpf-program.ts'
import type { Hook } from './harness.ts'

/** A balancer that is set up for the traffic of the bench, at one hook. */
export interface Target {
  readonly name: string
  readonly title: string
  readonly hook: Hook
  readonly program: BpfProgram
  /** What the program returns for a packet that it forwards, and for one that is not its own. */
  readonly returns: { readonly forward: number; readonly pass: number }
  readonly family: IpFamily
  /** Packets so far whose flow it did not know. */
  readonly misses: () => number
}
