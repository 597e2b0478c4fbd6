// Maps and pins over bpf(2). Source of all numbers and offsets: include/uapi/linux/bpf.h (union bpf_attr).
import { ArgumentBlock, type SharedMemory, bpfCall, closeFd, mapShared4k } from './syscall.ts'
import { isErrno } from './errno.ts'

const command = {
  mapCreate: 0,
  mapLookup: 1,
  mapUpdate: 2,
  mapDelete: 3,
  mapNextKey: 4,
  pin: 6,
  getPinned: 7,
  infoByFd: 15,
  mapFreeze: 22,
  batchLookup: 24,
  batchUpdate: 26,
  batchDelete: 27,
} as const

export const mapType = { hash: 1, array: 2 } as const
export const mapFlag = { noPreallocate: 1, readOnlyProgram: 128, mappable: 1024 } as const

export interface MapDefinition {
  readonly name: string
  readonly type: number
  readonly keySize: number
  readonly valueSize: number
  readonly maxEntries: number
  readonly flags: number
}

/** The kernel cuts object names at 15 characters and takes letters, digits, `_` and `.` only. */
export function kernelName(name: string): string {
  return name.replaceAll(/[^A-Za-z0-9_.]/g, '_').slice(0, 15)
}

/** A path for the kernel, with its final NUL. */
const pathBytes = (path: string): Buffer => Buffer.from(`${path}\0`, 'utf8')

/** Holds one descriptor; closing it twice is harmless. */
export class BpfObject {
  readonly fd: number
  #isOpen = true

  constructor(fd: number) {
    this.fd = fd
  }

  /** Pins it under a path of a bpffs, so that it outlives this process. EEXIST where the path is taken. */
  pin(path: string): void {
    bpfCall(command.pin, new ArgumentBlock(16).pointer(0, pathBytes(path)).u32(8, this.fd), `pinning ${path}`)
  }

  close(): void {
    if (!this.#isOpen) return
    this.#isOpen = false
    closeFd(this.fd)
  }
}

/** Descriptor of what is pinned there. ENOENT where nothing is. */
export function getPinned(path: string): number {
  return bpfCall(command.getPinned, new ArgumentBlock(16).pointer(0, pathBytes(path)), `opening the pin ${path}`)
}

/** Reads what the kernel tells about a map, program or link into a block of the given size. */
export function infoByFd(fd: number, size: number, what: string): Buffer {
  const info = Buffer.alloc(size)
  bpfCall(command.infoByFd, new ArgumentBlock(16).u32(0, fd).u32(4, size).pointer(8, info), `facts about ${what}`)
  return info
}

/** Text of a fixed field that may have no NUL. */
export function fixedText(bytes: Buffer): string {
  const end = bytes.indexOf(0)
  return bytes.toString('latin1', 0, end < 0 ? bytes.length : end)
}

/** ARRAY values stand at multiples of 8 bytes. Source: array_map_alloc, round_up(value_size, 8). */
export const arrayStride = (valueSize: number): number => Math.ceil(valueSize / 8) * 8

export class BpfMap extends BpfObject {
  readonly definition: MapDefinition
  #memory: SharedMemory | undefined

  constructor(fd: number, definition: MapDefinition) {
    super(fd)
    this.definition = definition
  }

  /** Null where the key is not in the map. */
  lookup(key: Buffer): Buffer | null {
    const value = Buffer.alloc(this.definition.valueSize)
    const block = new ArgumentBlock(32).u32(0, this.fd).pointer(8, key).pointer(16, value)
    try {
      bpfCall(command.mapLookup, block, `a look-up in ${this.definition.name}`)
      return value
    } catch (error) {
      if (isErrno(error, 'ENOENT')) return null
      throw error
    }
  }

  /** `flags`: 0 any, 1 must not exist (EEXIST), 2 must exist (ENOENT). */
  update(key: Buffer, value: Buffer, flags: 0 | 1 | 2 = 0): void {
    const block = new ArgumentBlock(32).u32(0, this.fd).pointer(8, key).pointer(16, value)
    bpfCall(command.mapUpdate, block.u64(24, BigInt(flags)), `an entry of ${this.definition.name}`)
  }

  /** False where the key was not in the map. */
  delete(key: Buffer): boolean {
    try {
      bpfCall(
        command.mapDelete,
        new ArgumentBlock(32).u32(0, this.fd).pointer(8, key),
        `removing from ${this.definition.name}`,
      )
      return true
    } catch (error) {
      if (isErrno(error, 'ENOENT')) return false
      throw error
    }
  }

  /** All keys; of a map that changes meanwhile, those that were met. */
  keys(): Buffer[] {
    const found: Buffer[] = []
    for (let key = this.#nextKey(null); key !== null; key = this.#nextKey(key)) {
      found.push(key)
      if (found.length > this.definition.maxEntries) break
    }
    return found
  }

  #nextKey(after: Buffer | null): Buffer | null {
    const next = Buffer.alloc(this.definition.keySize)
    try {
      const block = new ArgumentBlock(32).u32(0, this.fd).pointer(8, after).pointer(16, next)
      bpfCall(command.mapNextKey, block, `the next key of ${this.definition.name}`)
      return next
    } catch (error) {
      if (isErrno(error, 'ENOENT')) return null
      throw error
    }
  }

  /** Writes many entries with one call; keys and values one after the other. */
  updateBatch(keys: Buffer, values: Buffer): void {
    this.#batch(command.batchUpdate, keys, values, `entries of ${this.definition.name}`)
  }

  deleteBatch(keys: Buffer): void {
    this.#batch(command.batchDelete, keys, null, `removing entries of ${this.definition.name}`)
  }

  #batch(of: number, keys: Buffer, values: Buffer | null, what: string): void {
    const count = keys.length / this.definition.keySize
    if (count === 0) return
    bpfCall(of, new ArgumentBlock(56).pointer(16, keys).pointer(24, values).u32(32, count).u32(36, this.fd), what)
  }

  /** Up to `limit` entries in the kernel's order. */
  lookupBatch(limit: number): { keys: Buffer; values: Buffer; count: number } {
    const keys = Buffer.alloc(limit * this.definition.keySize)
    const values = Buffer.alloc(limit * this.definition.valueSize)
    const cursor = Buffer.alloc(Math.max(4, this.definition.keySize))
    const block = new ArgumentBlock(56).pointer(8, cursor).pointer(16, keys).pointer(24, values)
    block.u32(32, limit).u32(36, this.fd)
    try {
      bpfCall(command.batchLookup, block, `entries of ${this.definition.name}`)
    } catch (error) {
      // The end of the map; what was found is in the blocks.
      if (!isErrno(error, 'ENOENT')) throw error
    }
    const count = block.bytes.readUInt32LE(32)
    return {
      keys: keys.subarray(0, count * this.definition.keySize),
      values: values.subarray(0, count * this.definition.valueSize),
      count,
    }
  }

  /** Memory of an ARRAY made with the flag `mappable`; mapped once, shared by all callers. */
  memory(): ArrayBuffer {
    const { name, valueSize, maxEntries } = this.definition
    this.#memory ??= mapShared4k(this.fd, arrayStride(valueSize) * maxEntries, `map ${name}`)
    return this.#memory.buffer
  }

  freeze(): void {
    bpfCall(command.mapFreeze, new ArgumentBlock(4).u32(0, this.fd), `freezing ${this.definition.name}`)
  }

  override close(): void {
    this.#memory?.unmap()
    super.close()
  }
}

/** `inner`: for a map of maps, one that looks as all do that it will hold. */
export function createMap(definition: MapDefinition, inner?: BpfMap): BpfMap {
  const block = new ArgumentBlock(72)
  const { type, keySize, valueSize, maxEntries, flags } = definition
  for (const [i, value] of [type, keySize, valueSize, maxEntries, flags].entries()) block.u32(i * 4, value)
  if (inner !== undefined) block.u32(20, inner.fd)
  block.bytes.write(kernelName(definition.name), 28, 'latin1')
  return new BpfMap(bpfCall(command.mapCreate, block, `map ${definition.name}`), definition)
}

/** Opens a pinned map; its definition is what the kernel says, not what anybody expected. */
export function openPinnedMap(path: string): BpfMap {
  const fd = getPinned(path)
  try {
    return new BpfMap(fd, mapFacts(fd))
  } catch (error) {
    closeFd(fd)
    throw error
  }
}

/** struct bpf_map_info: type, id, key_size, value_size, max_entries, map_flags, name[16]. */
function mapFacts(fd: number): MapDefinition {
  const info = infoByFd(fd, 80, 'a map')
  return {
    type: info.readUInt32LE(0),
    keySize: info.readUInt32LE(8),
    valueSize: info.readUInt32LE(12),
    maxEntries: info.readUInt32LE(16),
    flags: info.readUInt32LE(20),
    name: fixedText(info.subarray(24, 40)),
  }
}
