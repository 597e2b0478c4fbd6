import { z } from 'zod'
import { DirectorId } from '../model/ssh.ts'
import type { Contract, MethodDef, StreamDef } from './define.ts'

type WithDirector<I extends z.ZodType> = z.ZodObject<{ directorId: typeof DirectorId; input: I }, z.core.$strict>

/** The entries of an agent's contract as the console offers them: `director.<name>`, with the director to send them to. */
export type Forwarded<C extends Contract> = {
  readonly [K in keyof C & string as `director.${K}`]: C[K] extends MethodDef<infer I, infer O>
    ? MethodDef<WithDirector<I>, O>
    : C[K] extends StreamDef<infer I, infer O>
      ? StreamDef<WithDirector<I>, O>
      : never
}

export function forwarded<C extends Contract>(contract: C): Forwarded<C> {
  return Object.fromEntries(
    Object.entries(contract).map(([name, definition]) => [
      `director.${name}`,
      { ...definition, input: z.strictObject({ directorId: DirectorId, input: definition.input }) },
    ]),
  ) as unknown as Forwarded<C>
}
