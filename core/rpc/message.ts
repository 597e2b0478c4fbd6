import { z } from 'zod'
import { WireError } from '../contract/errors.ts'

/** Most items that a reader may be ready to take. */
export const maxCredit = 1024

const Id = z.int().nonnegative()

/** From the caller. `credit` allows that many further items of a stream. What a newer caller adds is left out. */
export const Request = z.discriminatedUnion('t', [
  z.object({ t: z.literal('req'), id: Id, m: z.string().max(128), i: z.unknown() }),
  z.object({ t: z.literal('cancel'), id: Id }),
  z.object({ t: z.literal('credit'), id: Id, n: z.int().min(1).max(maxCredit) }),
])

/**
 * To the caller. `ok` ends a method, `end` a stream, `err` either; `fatal` is the last message of a side that closes the
 * wire because of what it got.
 */
export const Response = z.discriminatedUnion('t', [
  z.object({ t: z.literal('ok'), id: Id, v: z.unknown() }),
  z.object({ t: z.literal('item'), id: Id, v: z.unknown() }),
  z.object({ t: z.literal('end'), id: Id }),
  z.object({ t: z.literal('err'), id: Id, e: WireError }),
  z.object({ t: z.literal('fatal'), e: WireError }),
])

/** Items that may be under way on a stream before the reader has taken any. */
export const initialCredit = 8

export type Request = z.infer<typeof Request>
export type Response = z.infer<typeof Response>
