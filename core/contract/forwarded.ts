import { z } from 'zod'
import { DirectorId } from '../model/ssh.ts'
import { type Contract, type MethodDef, type StreamDef, timeoutOf } from './define.ts'

type WithDirector<I extends z.ZodType> = z.ZodObject<{ directorId: typeof DirectorId; input: I }, z.core.$strict>

/** The entries of an agent's contract as the console offers them: `director.<name>`, with the director to send them to. */
export type Forwarded<C extends Contract> = {
  readonly [K in keyof C & string as `director.${K}`]: C[K] extends MethodDef<infer I, infer O>
    ? MethodDef<WithDirector<I>, O>
    : C[K] extends StreamDef<infer I, infer O>
      ? StreamDef<WithDirector<I>, O>
      : never
}

/**
 * What the console grants on top of the agent's own time limit: the core's TIMEOUT, which says which director was slow,
 * comes back before the page gives up.
 */
const forwardingMs = 5_000

/** A new entry of the agent's contract needs nothing here, nor in the core that forwards it. */
export function forwarded<C extends Contract>(contract: C): Forwarded<C> {
  return Object.fromEntries(
    Object.entries(contract).map(([name, definition]) => [
      `director.${name}`,
      {
        ...definition,
        input: z.strictObject({ directorId: DirectorId, input: definition.input }),
        ...(definition.kind === 'method' ? { timeoutMs: timeoutOf(definition) + forwardingMs } : {}),
      },
    ]),
  ) as unknown as Forwarded<C>
}
