import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Btf, parseBtf } from '../../../agent/kernel/btf.ts'
import { MalformedError } from '../../../agent/kernel/bytes.ts'
import { parseElf } from '../../../agent/kernel/elf.ts'
import { verifierReason } from '../../../agent/kernel/bpf-program.ts'
import { KernelError, errnoName, isErrno } from '../../../agent/kernel/errno.ts'
import { bindRecord, viewOf } from '../../../agent/kernel/record.ts'

/** BTF of `struct sample { __u8 small; __u8 mac[6]; __be16 port; __u32 number; __u64 large; char name[8]; }`. */
function sampleBtf(fields: readonly (readonly [name: string, type: number, offset: number])[]): Buffer {
  const texts = ['', 'u8', 'u16', 'u32', 'u64', 'sample', ...fields.map(([name]) => name)]
  const offsets = texts.map((_, i) => texts.slice(0, i).reduce((sum, text) => sum + text.length + 1, 0))
  const words: number[] = []
  const type = (name: string, kind: number, count: number, size: number, ...rest: number[]) =>
    words.push(offsets[texts.indexOf(name)]!, (kind << 24) | count, size, ...rest)
  for (const [name, size] of [
    ['u8', 1],
    ['u16', 2],
    ['u32', 4],
    ['u64', 8],
  ] as const)
    type(name, 1, 0, size, size * 8) // 1 to 4
  type('', 3, 0, 0, 1, 1, 6) // 5: u8[6]
  type('', 3, 0, 0, 1, 1, 8) // 6: u8[8]
  type(
    'sample',
    4,
    fields.length,
    32,
    ...fields.flatMap(([name, of, at]) => [offsets[texts.indexOf(name)]!, of, at * 8]),
  )
  const typeBytes = Buffer.from(Uint32Array.from(words).buffer)
  const textBytes = Buffer.from(`${texts.join('\0')}\0`)
  const header = Buffer.alloc(24)
  header.writeUInt16LE(0xeb9f, 0)
  header.writeUInt8(1, 2)
  header.writeUInt32LE(24, 4)
  header.writeUInt32LE(typeBytes.length, 12)
  header.writeUInt32LE(typeBytes.length, 16)
  header.writeUInt32LE(textBytes.length, 20)
  return Buffer.concat([header, typeBytes, textBytes])
}

const fields = [
  ['small', 1, 0],
  ['mac', 5, 1],
  ['port', 2, 8],
  ['number', 3, 12],
  ['large', 4, 16],
  ['name', 6, 24],
] as const
const shape = { small: 'u8', mac: 'mac', port: 'be16', number: 'u32', large: 'u64', name: 'text' } as const
const sample = () => bindRecord(parseBtf(sampleBtf(fields), 'sample'), 'sample', shape)

describe('structs bound to BTF', () => {
  test('offsets and sizes come from the type information', () => {
    expect(sample().size).toBe(32)
    expect(sample().offsetOf('number')).toBe(12)
  })

  test('records come back as they were written', () => {
    const record = fc.record({
      small: fc.integer({ min: 0, max: 255 }),
      mac: fc
        .uint8Array({ minLength: 6, maxLength: 6 })
        .map((octets) => [...octets].map((octet) => octet.toString(16).padStart(2, '0')).join(':')),
      port: fc.integer({ min: 0, max: 65535 }),
      number: fc.integer({ min: 0, max: 0xffffffff }),
      large: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
      name: fc.stringMatching(/^[a-z0-9]{0,7}$/),
    })
    const layout = sample()
    fc.assert(
      fc.property(record, (values) => {
        expect(layout.decode(layout.encode(values))).toEqual(values)
      }),
    )
  })

  test('a port stands in network order, a number in the machine’s', () => {
    const bytes = sample().encode({ port: 80, number: 80 })
    expect(bytes.subarray(8, 10).toString('hex')).toBe('0050')
    expect(bytes.subarray(12, 16).toString('hex')).toBe('50000000')
  })

  test('fields that are not given stay', () => {
    const layout = sample()
    const bytes = layout.encode({ port: 80, number: 7 })
    layout.write(viewOf(bytes), 0, { number: 8 })
    expect(layout.decode(bytes)).toMatchObject({ port: 80, number: 8 })
  })

  test('a field that is missing, of another size or unknown to TypeScript is refused', () => {
    const btf = (of: Parameters<typeof sampleBtf>[0]) => parseBtf(sampleBtf(of), 'sample')
    expect(() => bindRecord(btf(fields.slice(1)), 'sample', shape)).toThrow('no field small')
    const wider = fields.map((field) => (field[0] === 'number' ? (['number', 4, 12] as const) : field))
    expect(() => bindRecord(btf(wider), 'sample', shape)).toThrow('number has 1 x 8 bytes, not a u32')
    expect(() => bindRecord(btf([...fields, ['extra', 1, 31]]), 'sample', shape)).toThrow('unknown field extra')
    expect(() => bindRecord(btf([...fields, ['pad', 1, 31]]), 'sample', shape)).not.toThrow()
    expect(() => bindRecord(btf(fields), 'other', shape)).toThrow('no struct other')
  })
})

describe('objects that nobody vouches for', () => {
  const refusesOrReads = (read: () => unknown): void => {
    try {
      read()
    } catch (error) {
      expect(error).toBeInstanceOf(MalformedError)
    }
  }

  test('any bytes give type information or a refusal', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        refusesOrReads(() => parseBtf(Buffer.from(bytes), 'bytes'))
        refusesOrReads(() => parseElf(Buffer.from(bytes), 'bytes'))
      }),
      { numRuns: 500 },
    )
  })

  test('type information with any byte changed is read or refused', () => {
    const whole = sampleBtf(fields)
    for (let at = 0; at < whole.length; at++) {
      for (const value of [0, 0x7f, 0xff]) {
        const bytes = Buffer.from(whole)
        bytes[at] = value
        refusesOrReads(() => {
          const btf = parseBtf(bytes, 'bytes')
          for (let id = 0; id < btf.types.length; id++) refusesOrReads(() => btf.sizeOf(id))
          refusesOrReads(() => btf.struct('sample'))
          refusesOrReads(() => btf.mapDefinitions())
        })
      }
    }
  })

  test('types that contain themselves end in a refusal', () => {
    const type = (kind: number, sizeOrType: number, element: number | null) => ({
      name: '',
      kind,
      sizeOrType,
      members: [],
      array: element === null ? null : { element, length: 2 },
      variables: [],
      values: [],
    })
    const loop = new Btf([type(8, 0, null), type(3, 0, 1)], 'loop')
    expect(() => loop.sizeOf(0)).toThrow('refers to itself')
    expect(() => loop.sizeOf(1)).toThrow(MalformedError)
  })
})

describe('what the kernel says no with', () => {
  test('numbers have the names that manuals use', () => {
    expect([1, 2, 11, 16, 17, 22, 95, 524].map(errnoName)).toEqual([
      'EPERM',
      'ENOENT',
      'EAGAIN',
      'EBUSY',
      'EEXIST',
      'EINVAL',
      'EOPNOTSUPP',
      'ENOTSUPP',
    ])
    expect(errnoName(4711)).toBe('errno 4711')
  })

  test('an error of the kernel carries code, call and number by name', () => {
    const error = new KernelError('map lb_x', 'EPERM', { says: 'no capability' })
    expect(error).toMatchObject({ code: 'KERNEL', details: { errno: 'EPERM', call: 'map lb_x' } })
    expect(error.message).toBe('The kernel refused map lb_x: EPERM (no capability).')
    expect([isErrno(error, 'ENOENT'), isErrno(error, 'ENOENT', 'EPERM')]).toEqual([false, true])
  })

  test('of a verifier log the line that is the reason is told', () => {
    const log = [
      '0: R1=ctx()',
      '1: (61) r0 = *(u32 *)(r1 +999)',
      'invalid bpf_context access off=999 size=4',
      'processed 2 insns (limit 1000000)',
      '',
    ].join('\n')
    expect(verifierReason(log)).toBe('invalid bpf_context access off=999 size=4')
    expect(verifierReason('')).toBe('')
  })
})
