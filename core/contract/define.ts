import type { z } from 'zod'

/** A request with one answer. */
export interface MethodDef<I extends z.ZodType = z.ZodType, O extends z.ZodType = z.ZodType> {
  readonly kind: 'method'
  readonly input: I
  readonly output: O
  /** The caller gives up after this time. Left out: {@link timeoutOf} says 30 s. */
  readonly timeoutMs?: number
  /** Which socket may call it: `view` may only read. */
  readonly access: 'view' | 'change'
}

/** A request with many answers, under credit-based flow control, until either side ends it. */
export interface StreamDef<I extends z.ZodType = z.ZodType, O extends z.ZodType = z.ZodType> {
  readonly kind: 'stream'
  readonly input: I
  readonly item: O
  readonly access: 'view' | 'change'
}

export type Contract = Readonly<Record<string, MethodDef | StreamDef>>

type Access = { access?: 'view' | 'change' }

export function method<I extends z.ZodType, O extends z.ZodType>(
  def: { input: I; output: O; timeoutMs?: number } & Access,
): MethodDef<I, O> {
  return { kind: 'method', access: 'view', ...def }
}

export function stream<I extends z.ZodType, O extends z.ZodType>(def: { input: I; item: O } & Access): StreamDef<I, O> {
  return { kind: 'stream', access: 'view', ...def }
}

/** How long a caller waits for the answer, in ms. */
export const timeoutOf = (definition: Pick<MethodDef, 'timeoutMs'>): number => definition.timeoutMs ?? 30_000

export type MethodName<C extends Contract> = { [K in keyof C]: C[K]['kind'] extends 'method' ? K : never }[keyof C] &
  string
export type StreamName<C extends Contract> = { [K in keyof C]: C[K]['kind'] extends 'stream' ? K : never }[keyof C] &
  string
export type InputOf<D> = D extends { input: infer I extends z.ZodType } ? z.input<I> : never
export type ParsedInputOf<D> = D extends { input: infer I extends z.ZodType } ? z.output<I> : never
export type OutputOf<D> = D extends { output: infer O extends z.ZodType } ? z.output<O> : never
export type ItemOf<D> = D extends { item: infer O extends z.ZodType } ? z.output<O> : never

/** What a handler may know of its call. */
export interface CallContext {
  /** Aborted when the caller cancels or is gone. */
  readonly signal: AbortSignal
  /** Who calls, as the transport knows it: `socket`, `view-socket`, `page`. */
  readonly peer: string
}

/** The functions that serve a contract: one for each entry, none more. */
export type Handlers<C extends Contract> = {
  readonly [K in keyof C]: C[K]['kind'] extends 'method'
    ? (input: ParsedInputOf<C[K]>, context: CallContext) => Promise<OutputOf<C[K]>> | OutputOf<C[K]>
    : (input: ParsedInputOf<C[K]>, context: CallContext) => AsyncIterable<ItemOf<C[K]>>
}
