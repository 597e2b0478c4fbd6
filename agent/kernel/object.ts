// Our own object loader: ELF and BTF in, maps and programs in the kernel out. Needs no libbpf on the director.
import { AppError } from '../../core/contract/errors.ts'
import { type BpfMap, type MapDefinition, createMap, mapFlag, mapType } from './bpf.ts'
import { type BpfProgram, type ProgramCode, attachType, loadProgram, programType } from './bpf-program.ts'
import { type Btf, parseBtf } from './btf.ts'
import { MalformedError } from './bytes.ts'
import { type ElfObject, type ElfSection, parseElf } from './elf.ts'

/** Section names that programs may stand in. */
const programSections: Readonly<Record<string, { type: number; attach: number }>> = {
  tc: { type: programType.schedCls, attach: 0 },
  xdp: { type: programType.xdp, attach: attachType.xdp },
}

/** BPF_LD | BPF_IMM | BPF_DW, and the source registers that say what its immediate is. */
const loadImmediate64 = 0x18
const pseudoMapFd = 1
const pseudoMapValue = 2

const sectionSymbol = 3
const functionSymbol = 2

/** An object that was read, not loaded. */
export interface ObjectFile {
  readonly name: string
  readonly elf: ElfObject
  readonly btf: Btf
  /** Maps that section .maps defines, as they stand there. */
  readonly maps: readonly MapDefinition[]
}

export function readObject(bytes: Buffer, name: string): ObjectFile {
  try {
    const elf = parseElf(bytes, name)
    const section = elf.section('.BTF')
    if (section === undefined) throw new MalformedError(name, 'no section .BTF')
    const btf = parseBtf(section.data, `${name}, .BTF`)
    return { name, elf, btf, maps: mapDefinitions(btf) }
  } catch (error) {
    if (!(error instanceof MalformedError)) throw error
    throw new AppError('REFUSED', `The dataplane's object is damaged: ${error.message}.`, {
      cause: error,
      hint: 'Install the agent again.',
    })
  }
}

function mapDefinitions(btf: Btf): MapDefinition[] {
  return btf.mapDefinitions().map(({ name, numbers, types }) => ({
    name,
    type: numbers['type'] ?? 0,
    keySize: types['key'] === undefined ? (numbers['key_size'] ?? 0) : btf.sizeOf(types['key']),
    valueSize: types['value'] === undefined ? (numbers['value_size'] ?? 0) : btf.sizeOf(types['value']),
    maxEntries: numbers['max_entries'] ?? 0,
    flags: numbers['map_flags'] ?? 0,
  }))
}

/**
 * Loads every program of the object onto the given maps. `constants` replaces bytes of .rodata by variable name; the
 * kernel sees them as constants, since the section is frozen before the programs are loaded. Whatever was made is
 * closed again where a later part fails.
 */
export function loadPrograms(
  object: ObjectFile,
  maps: ReadonlyMap<string, BpfMap>,
  constants: ReadonlyMap<string, Buffer>,
): Map<string, BpfProgram> {
  const sections = new Map<number, BpfMap>()
  const programs = new Map<string, BpfProgram>()
  try {
    for (const section of object.elf.sections) {
      if (isDataSection(section)) sections.set(section.index, loadDataSection(object, section, constants))
    }
    for (const code of programCode(object, maps, sections)) programs.set(code.name, loadProgram(code))
    return programs
  } catch (error) {
    for (const program of programs.values()) program.close()
    throw error
  } finally {
    // The programs hold what they refer to.
    for (const map of sections.values()) map.close()
  }
}

function isDataSection(section: ElfSection): boolean {
  return section.size > 0 && /^\.(rodata|data|bss)/.test(section.name)
}

function loadDataSection(object: ObjectFile, section: ElfSection, constants: ReadonlyMap<string, Buffer>): BpfMap {
  const isReadOnly = section.name.startsWith('.rodata')
  const map = createMap({
    name: `lb${section.name}`,
    type: mapType.array,
    keySize: 4,
    valueSize: section.size,
    maxEntries: 1,
    flags: isReadOnly ? mapFlag.readOnlyProgram : 0,
  })
  try {
    const value = Buffer.alloc(section.size)
    section.data.copy(value)
    if (isReadOnly) for (const [name, bytes] of constants) writeConstant(object, section, value, name, bytes)
    map.update(Buffer.alloc(4), value)
    if (isReadOnly) map.freeze()
    return map
  } catch (error) {
    map.close()
    throw error
  }
}

function writeConstant(object: ObjectFile, section: ElfSection, value: Buffer, name: string, bytes: Buffer): void {
  const symbol = object.elf.symbols.find((each) => each.name === name && each.section === section.index)
  if (symbol === undefined || symbol.size !== bytes.length || symbol.value + symbol.size > value.length) {
    throw new MalformedError(object.name, `no constant ${name} of ${bytes.length} bytes`)
  }
  bytes.copy(value, symbol.value)
}

function* programCode(
  object: ObjectFile,
  maps: ReadonlyMap<string, BpfMap>,
  sections: ReadonlyMap<number, BpfMap>,
): Generator<ProgramCode> {
  const license = object.elf.section('license')?.data
  if (license === undefined) throw new MalformedError(object.name, 'no section license')
  for (const section of object.elf.sections) {
    if (!Object.hasOwn(programSections, section.name)) continue
    const place = programSections[section.name]
    if (place === undefined) continue
    const code = relocated(object, section, maps, sections)
    for (const symbol of object.elf.symbols) {
      if (symbol.section !== section.index || symbol.type !== functionSymbol) continue
      if (symbol.value + symbol.size > code.length) throw new MalformedError(object.name, `${symbol.name} is cut off`)
      yield {
        name: symbol.name,
        type: place.type,
        expectedAttachType: place.attach,
        instructions: Buffer.from(code.subarray(symbol.value, symbol.value + symbol.size)),
        license: license.toString('latin1').replace(/\0.*$/s, ''),
      }
    }
  }
}

/** The section's code with map descriptors and places in data sections filled in. */
function relocated(
  object: ObjectFile,
  section: ElfSection,
  maps: ReadonlyMap<string, BpfMap>,
  sections: ReadonlyMap<number, BpfMap>,
): Buffer {
  const code = Buffer.from(section.data)
  const mapsSection = object.elf.section('.maps')?.index
  for (const { offset, symbol } of object.elf.relocationsOf(section)) {
    if (offset + 16 > code.length || code[offset] !== loadImmediate64) {
      throw new MalformedError(object.name, `a relocation for ${symbol.name} that is no 64-bit load (not inlined?)`)
    }
    const data = sections.get(symbol.section)
    const register = (code[offset + 1] ?? 0) & 15
    if (symbol.section === mapsSection && symbol.type !== sectionSymbol) {
      const map = maps.get(symbol.name)
      if (map === undefined) throw new MalformedError(object.name, `no map ${symbol.name}`)
      code[offset + 1] = register | (pseudoMapFd << 4)
      code.writeInt32LE(map.fd, offset + 4)
    } else if (data !== undefined) {
      const place = symbol.value + code.readInt32LE(offset + 4)
      code[offset + 1] = register | (pseudoMapValue << 4)
      code.writeInt32LE(data.fd, offset + 4)
      code.writeInt32LE(place, offset + 12)
    } else throw new MalformedError(object.name, `a relocation for ${symbol.name} in an unknown section`)
  }
  return code
}
