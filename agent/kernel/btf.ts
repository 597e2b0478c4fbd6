// BPF Type Format: what clang knows about types, read from the object. Source: Documentation/bpf/btf.rst.
import { ByteReader, MalformedError } from './bytes.ts'

const kind = {
  int: 1,
  pointer: 2,
  array: 3,
  struct: 4,
  union: 5,
  enum: 6,
  forward: 7,
  typedef: 8,
  volatile: 9,
  const: 10,
  restrict: 11,
  function: 12,
  functionProto: 13,
  variable: 14,
  dataSection: 15,
  float: 16,
  declTag: 17,
  typeTag: 18,
  enum64: 19,
} as const

export interface BtfMember {
  readonly name: string
  readonly type: number
  readonly bitOffset: number
}
export interface BtfSectionVariable {
  readonly type: number
  readonly offset: number
  readonly size: number
}
export interface BtfType {
  readonly name: string
  readonly kind: number
  /** Size in bytes, or the type referred to, as the kind has it. */
  readonly sizeOrType: number
  readonly members: readonly BtfMember[]
  readonly array: { readonly element: number; readonly length: number } | null
  readonly variables: readonly BtfSectionVariable[]
  readonly values: readonly { readonly name: string; readonly value: number }[]
}

/** One field of a struct, its type with names and qualifiers resolved. */
export interface BtfField {
  readonly name: string
  readonly offset: number
  readonly size: number
  /** Size of one element where it is an array, else of the field. */
  readonly elementSize: number
  readonly length: number
}

/** One member of a map definition in section .maps. */
export interface BtfMapDefinition {
  readonly name: string
  /** From `__uint(name, value)`. */
  readonly numbers: Readonly<Record<string, number>>
  /** From `__type(name, type)`. */
  readonly types: Readonly<Record<string, number>>
}

const maxDepth = 64
const magic = 0xeb9f
const noArray = null

export class Btf {
  readonly types: readonly BtfType[]
  readonly #what: string

  constructor(types: readonly BtfType[], what: string) {
    this.types = types
    this.#what = what
  }

  /** The type behind typedefs and qualifiers. */
  resolve(id: number): BtfType {
    let type = this.#at(id)
    for (let depth = 0; depth < maxDepth; depth++) {
      if (!isAlias(type.kind)) return type
      type = this.#at(type.sizeOrType)
    }
    throw new MalformedError(this.#what, `type ${id} refers to itself`)
  }

  sizeOf(id: number, depth = 0): number {
    if (depth > maxDepth) throw new MalformedError(this.#what, `type ${id} contains itself`)
    const type = this.resolve(id)
    if (type.kind === kind.pointer) return 8
    if (type.array !== null) {
      const size = this.sizeOf(type.array.element, depth + 1) * type.array.length
      if (!Number.isSafeInteger(size)) throw new MalformedError(this.#what, `type ${id} is larger than memory`)
      return size
    }
    return type.sizeOrType
  }

  struct(name: string): { size: number; fields: BtfField[] } {
    const type = this.types.find((each) => each.kind === kind.struct && each.name === name)
    if (type === undefined) throw new MalformedError(this.#what, `no struct ${name}`)
    return { size: type.sizeOrType, fields: type.members.map((member) => this.#field(name, member)) }
  }

  /** Name of the struct that a map's key or value is, or null where it is none. */
  structName(id: number): string | null {
    const type = this.resolve(id)
    return type.kind === kind.struct ? type.name : null
  }

  enumValues(name: string): ReadonlyMap<string, number> {
    const type = this.types.find((each) => each.kind === kind.enum && each.name === name)
    if (type === undefined) throw new MalformedError(this.#what, `no enum ${name}`)
    return new Map(type.values.map((value) => [value.name, value.value]))
  }

  /** Variables of a data section (.maps, .rodata, .bss …) by name. */
  sectionVariables(section: string): { name: string; type: number }[] {
    const type = this.types.find((each) => each.kind === kind.dataSection && each.name === section)
    return (type?.variables ?? []).map((each) => {
      const variable = this.#at(each.type)
      return { name: variable.name, type: variable.sizeOrType }
    })
  }

  /** Map definitions as `__uint` and `__type` of bpf_helpers.h write them. */
  mapDefinitions(): BtfMapDefinition[] {
    return this.sectionVariables('.maps').map(({ name, type }) => {
      const numbers: Record<string, number> = {}
      const types: Record<string, number> = {}
      for (const member of this.resolve(type).members) {
        const pointer = this.resolve(member.type)
        // `__array(values, t)`: what the maps look like that this one holds. Whoever creates it brings one of them.
        if (pointer.array !== null && member.name === 'values') continue
        if (pointer.kind !== kind.pointer)
          throw new MalformedError(this.#what, `map ${name}: ${member.name} is no pointer`)
        const target = this.#at(pointer.sizeOrType)
        // `__uint(name, n)` is a pointer to int[n]; `__type(name, t)` a pointer to t.
        if (target.array !== null && member.name !== 'key' && member.name !== 'value') {
          numbers[member.name] = target.array.length
        } else types[member.name] = pointer.sizeOrType
      }
      return { name, numbers, types }
    })
  }

  #field(struct: string, member: BtfMember): BtfField {
    if (member.bitOffset % 8 !== 0) throw new MalformedError(this.#what, `${struct}.${member.name} is a bit field`)
    const type = this.resolve(member.type)
    const size = this.sizeOf(member.type)
    const length = type.array?.length ?? 1
    return {
      name: member.name,
      offset: member.bitOffset / 8,
      size,
      length,
      elementSize: length === 0 ? 0 : size / length,
    }
  }

  #at(id: number): BtfType {
    const type = this.types[id]
    if (type === undefined) throw new MalformedError(this.#what, `type ${id} does not exist`)
    return type
  }
}

function isAlias(of: number): boolean {
  return of === kind.typedef || of === kind.volatile || of === kind.const || of === kind.restrict || of === kind.typeTag
}

/** Bytes that follow the 12 bytes of each type, by kind. */
function extraSize(of: number, count: number): number | null {
  switch (of) {
    case kind.int:
    case kind.variable:
    case kind.declTag:
      return 4
    case kind.array:
      return 12
    case kind.struct:
    case kind.union:
    case kind.dataSection:
    case kind.enum64:
      return 12 * count
    case kind.enum:
    case kind.functionProto:
      return 8 * count
    case kind.pointer:
    case kind.forward:
    case kind.typedef:
    case kind.volatile:
    case kind.const:
    case kind.restrict:
    case kind.function:
    case kind.float:
    case kind.typeTag:
      return 0
    default:
      return null
  }
}

/** Parses the section .BTF. Throws MalformedError for everything that is none. */
export function parseBtf(bytes: Buffer, what: string): Btf {
  const reader = new ByteReader(bytes, what)
  if (reader.u16(0) !== magic) throw new MalformedError(what, 'no BTF')
  const headerSize = reader.u32(4)
  const typesAt = headerSize + reader.u32(8)
  const typesEnd = typesAt + reader.u32(12)
  const textsAt = headerSize + reader.u32(16)
  const textsEnd = textsAt + reader.u32(20)
  if (typesEnd > bytes.length || textsEnd > bytes.length) throw new MalformedError(what, 'BTF is cut off')
  const name = (offset: number): string => reader.text(textsAt + offset, textsEnd)
  const types: BtfType[] = [
    { name: 'void', kind: 0, sizeOrType: 0, members: [], array: noArray, variables: [], values: [] },
  ]
  for (let at = typesAt; at < typesEnd; ) {
    const info = reader.u32(at + 4)
    const of = (info >>> 24) & 31
    const count = info & 0xffff
    const extra = extraSize(of, count)
    if (extra === null) throw new MalformedError(what, `unknown BTF kind ${of}`)
    const body = at + 12
    if (body + extra > typesEnd) throw new MalformedError(what, 'a BTF type is cut off')
    // With the flag in bit 31, the upper byte of a member's offset is the size of a bit field.
    const offsetMask = info >>> 31 === 1 ? 0xffffff : 0xffffffff
    const each = <T>(size: number, read: (offset: number) => T): T[] =>
      Array.from({ length: count }, (_, i) => read(body + i * size))
    const isComposite = of === kind.struct || of === kind.union
    types.push({
      name: name(reader.u32(at)),
      kind: of,
      sizeOrType: reader.u32(at + 8),
      members: isComposite
        ? each(12, (m) => ({
            name: name(reader.u32(m)),
            type: reader.u32(m + 4),
            bitOffset: (reader.u32(m + 8) & offsetMask) >>> 0,
          }))
        : [],
      array: of === kind.array ? { element: reader.u32(body), length: reader.u32(body + 8) } : noArray,
      variables:
        of === kind.dataSection
          ? each(12, (v) => ({ type: reader.u32(v), offset: reader.u32(v + 4), size: reader.u32(v + 8) }))
          : [],
      values: of === kind.enum ? each(8, (v) => ({ name: name(reader.u32(v)), value: reader.i32(v + 4) })) : [],
    })
    at = body + extra
  }
  return new Btf(types, what)
}
