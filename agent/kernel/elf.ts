// Reads the little-endian ELF64 object that clang makes for the bpf target. Source: elf(5), "BPF ELF" of libbpf.
import { ByteReader, MalformedError } from './bytes.ts'

export interface ElfSection {
  readonly index: number
  readonly name: string
  readonly type: number
  /** The section that it belongs to: of relocations, the one that they change. */
  readonly info: number
  readonly link: number
  readonly size: number
  /** Empty for a section without bytes in the file (.bss). */
  readonly data: Buffer
}

export interface ElfSymbol {
  readonly name: string
  /** Low nibble of st_info: 1 object, 2 function, 3 section. */
  readonly type: number
  readonly section: number
  readonly value: number
  readonly size: number
}

export interface ElfRelocation {
  readonly offset: number
  readonly symbol: ElfSymbol
}

export interface ElfObject {
  readonly sections: readonly ElfSection[]
  readonly symbols: readonly ElfSymbol[]
  section(name: string): ElfSection | undefined
  /** Relocations that change the given section. */
  relocationsOf(section: ElfSection): readonly ElfRelocation[]
}

const machineBpf = 247
const relocatable = 1
const sectionType = { symbols: 2, noBits: 8, relocations: 9 } as const
const sectionHeaderSize = 64
const symbolSize = 24
const relocationSize = 16

/** Parses an object. Throws MalformedError for everything that is not one, whatever the bytes. */
export function parseElf(bytes: Buffer, fileName: string): ElfObject {
  const reader = new ByteReader(bytes, fileName)
  if (reader.u32(0) !== 0x464c457f) throw new MalformedError(fileName, 'no ELF file')
  if (reader.u8(4) !== 2 || reader.u8(5) !== 1) throw new MalformedError(fileName, 'no little-endian ELF64')
  if (reader.u16(16) !== relocatable || reader.u16(18) !== machineBpf) {
    throw new MalformedError(fileName, `no BPF object (type ${reader.u16(16)}, machine ${reader.u16(18)})`)
  }
  if (reader.u16(58) !== sectionHeaderSize) throw new MalformedError(fileName, 'unknown size of section headers')
  const sections = readSections(reader)
  const symbols = readSymbols(reader, sections)
  return {
    sections,
    symbols,
    section: (name) => sections.find((section) => section.name === name),
    relocationsOf: (section) => readRelocations(reader.what, sections, symbols, section),
  }
}

function readSections(reader: ByteReader): ElfSection[] {
  const start = reader.size64(40)
  const count = reader.u16(60)
  const header = (index: number): number => start + index * sectionHeaderSize
  const nameIndex = reader.u16(62)
  if (nameIndex >= count) throw new MalformedError(reader.what, 'the section of section names is missing')
  const namesAt = reader.size64(header(nameIndex) + 24)
  const namesEnd = namesAt + reader.size64(header(nameIndex) + 32)
  return Array.from({ length: count }, (_, index) => {
    const at = header(index)
    const type = reader.u32(at + 4)
    const size = reader.size64(at + 32)
    const isEmpty = type === sectionType.noBits || type === 0
    return {
      index,
      name: reader.text(namesAt + reader.u32(at), namesEnd),
      type,
      size,
      link: reader.u32(at + 40),
      info: reader.u32(at + 44),
      data: isEmpty ? Buffer.alloc(0) : reader.slice(reader.size64(at + 24), size),
    }
  })
}

function readSymbols(reader: ByteReader, sections: readonly ElfSection[]): ElfSymbol[] {
  const table = sections.find((section) => section.type === sectionType.symbols)
  if (table === undefined) throw new MalformedError(reader.what, 'no symbol table')
  const names = sections[table.link]
  if (names === undefined) throw new MalformedError(reader.what, 'the symbol table has no names')
  const symbols = new ByteReader(table.data, `${reader.what}, symbols`)
  const texts = new ByteReader(names.data, `${reader.what}, symbol names`)
  return Array.from({ length: Math.floor(table.size / symbolSize) }, (_, index) => {
    const at = index * symbolSize
    return {
      name: texts.text(symbols.u32(at)),
      type: symbols.u8(at + 4) & 15,
      section: symbols.u16(at + 6),
      value: symbols.size64(at + 8),
      size: symbols.size64(at + 16),
    }
  })
}

function readRelocations(
  what: string,
  sections: readonly ElfSection[],
  symbols: readonly ElfSymbol[],
  target: ElfSection,
): ElfRelocation[] {
  const tables = sections.filter((section) => section.type === sectionType.relocations && section.info === target.index)
  return tables.flatMap((table) => {
    const reader = new ByteReader(table.data, `${what}, ${table.name}`)
    return Array.from({ length: Math.floor(table.size / relocationSize) }, (_, index) => {
      const symbol = symbols[Number(reader.u64(index * relocationSize + 8) >> 32n)]
      if (symbol === undefined) throw new MalformedError(reader.what, `relocation ${index} names no symbol`)
      return { offset: reader.size64(index * relocationSize), symbol }
    })
  })
}
