import { readFileSync } from 'node:fs'
import { wordsOf } from '../../../agent/kernel/attributes.ts'
import { type GenericMessage, decodeGeneric } from '../../../agent/kernel/genl.ts'
import type { ReadMessage } from '../../../agent/kernel/netlink-socket.ts'

/** Messages that a real kernel answered, one a line in hex; lines with # say which and when. */
export function golden(name: string): GenericMessage[] {
  const text = readFileSync(new URL(`../../fixtures/ipvs/${name}.hex`, import.meta.url), 'utf8')
  return text
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => decodeGeneric(Buffer.from(line, 'hex')))
}

/** The decoder for a Buffer that holds nothing else. */
export const over =
  <T>(read: ReadMessage<T>) =>
  (bytes: Buffer): T =>
    read(wordsOf(bytes), 0, bytes.length)
