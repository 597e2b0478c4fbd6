// The one place that calls foreign code. Everything above speaks Buffers and numbers.
import koffi from 'koffi'
import { KernelError, errnoName } from './errno.ts'

type Address = bigint
type Call<A extends unknown[], R> = (...args: A) => R

const libc = koffi.load('libc.so.6')
const bind = <A extends unknown[], R>(definition: string): Call<A, R> => libc.func(definition) as Call<A, R>

const rawSyscall = bind<[number, number, Buffer, number], number>('long syscall(long, long, void*, long)')
const rawMmap = bind<[null, number, number, number, number, number], Address | null>(
  'void* mmap(void*, size_t, int, int, int, int64_t)',
)
const rawMunmap = bind<[Address, number], number>('int munmap(void*, size_t)')
const rawClose = bind<[number], number>('int close(int)')
const rawSocket = bind<[number, number, number], number>('int socket(int, int, int)')
const rawBind = bind<[number, Buffer, number], number>('int bind(int, const void*, uint32_t)')
const rawSendTo = bind<[number, Buffer, number, number, Buffer | null, number], number>(
  'long sendto(int, const void*, size_t, int, const void*, uint32_t)',
)
const rawReceive = bind<[number, Buffer, number, number], number>('long recv(int, void*, size_t, int)')
const rawSetSockOpt = bind<[number, number, number, Buffer, number], number>(
  'int setsockopt(int, int, int, const void*, uint32_t)',
)
const rawGetSockOpt = bind<[number, number, number, Buffer, Buffer], number>(
  'int getsockopt(int, int, int, void*, void*)',
)
const rawGetSockName = bind<[number, Buffer, Buffer], number>('int getsockname(int, void*, void*)')
const rawMount = bind<[string, string, string, number, null], number>(
  'int mount(const char*, const char*, const char*, unsigned long, const void*)',
)
const rawStatFs = bind<[string, Buffer], number>('int statfs(const char*, void*)')
const rawFlock = bind<[number, number], number>('int flock(int, int)')
const rawGetRes = bind<[number, Buffer], number>('int clock_getres(int, void*)')

/** syscall(2) numbers of bpf. Source: arch/x86/entry/syscalls/syscall_64.tbl, include/uapi/asm-generic/unistd.h. */
const bpfNumbers: Readonly<Record<string, number>> = { x64: 321, arm64: 280 }

const failed = (call: string): KernelError => new KernelError(call, errnoName(koffi.errno()))

function checked(result: number | bigint, call: string): number {
  const value = Number(result)
  if (value < 0) throw failed(call)
  return value
}

/**
 * The argument block of a system call that holds pointers. It keeps every Buffer that it points to, so that none is
 * collected while the kernel reads or writes it: an address alone does not keep memory alive.
 */
export class ArgumentBlock {
  readonly bytes: Buffer
  readonly #held: Buffer[] = []

  constructor(size: number) {
    this.bytes = Buffer.alloc(size)
  }

  u32(offset: number, value: number): this {
    this.bytes.writeUInt32LE(value >>> 0, offset)
    return this
  }

  u64(offset: number, value: bigint): this {
    this.bytes.writeBigUInt64LE(value, offset)
    return this
  }

  /** Writes the address of `target`; null or an empty Buffer give a null pointer. */
  pointer(offset: number, target: Buffer | null): this {
    if (target === null || target.length === 0) return this
    this.#held.push(target)
    return this.u64(offset, koffi.address(target))
  }

  /** Bytes held for the kernel; read after the call, which also keeps them alive until then. */
  get heldBytes(): number {
    return this.#held.reduce((sum, buffer) => sum + buffer.length, 0)
  }
}

/** bpf(2). `what` completes the sentence "The kernel refused …". */
export function bpfCall(command: number, block: ArgumentBlock, what: string): number {
  const number = bpfNumbers[process.arch]
  if (number === undefined) throw new KernelError(what, 'ENOSYS', { says: `no bpf(2) number for ${process.arch}` })
  const result = rawSyscall(number, command, block.bytes, block.bytes.length)
  // Also the liveness point of everything that the block points to.
  if (result < 0 || block.heldBytes < 0) throw failed(what)
  return Number(result)
}

/** Memory that the kernel shares. After `unmap` its views are empty: a late read finds nothing, never a fault. */
export interface SharedMemory {
  readonly buffer: ArrayBuffer
  unmap(): void
}

const pageSize = 4096
const protReadWrite = 1 | 2
const mapShared = 1
const mapFailed = 0xffff_ffff_ffff_ffffn

/** Maps `bytes` (rounded up to pages) of a descriptor. Pages of 16 or 64 kB round up in the kernel by themselves. */
export function mapShared4k(fd: number, bytes: number, what: string): SharedMemory {
  const length = Math.ceil(bytes / pageSize) * pageSize
  const address = rawMmap(null, length, protReadWrite, mapShared, fd, 0)
  if (address === null || BigInt.asUintN(64, address) === mapFailed) throw failed(`mmap of ${what}`)
  const buffer = koffi.view(address, length)
  return {
    buffer,
    unmap: () => {
      if (buffer.detached) return
      buffer.transfer(0)
      rawMunmap(address, length)
    },
  }
}

export function closeFd(fd: number): void {
  rawClose(fd)
}

// Source: include/linux/socket.h, include/linux/net.h (x86 and arm64 alike).
export const family = { unspecified: 0, inet: 2, inet6: 10, netlink: 16, packet: 17 } as const
export const socketType = { datagram: 2, raw: 3 } as const
const socketFlags = 0o2000000 | 0o4000 // SOCK_CLOEXEC | SOCK_NONBLOCK
const dontWait = 0x40
const truncate = 0x20

/** A non-blocking socket that is bound to nothing: to ask the kernel for something of its family. */
export const openUnboundSocket = (domain: number, type: number, protocol: number, what: string): number =>
  checked(rawSocket(domain, type | socketFlags, protocol), `a socket for ${what}`)

/** A non-blocking socket that is bound to the given sockaddr. */
export function openSocket(domain: number, type: number, protocol: number, address: Buffer, what: string): number {
  const fd = openUnboundSocket(domain, type, protocol, what)
  if (rawBind(fd, address, address.length) < 0) {
    const error = failed(`bind of ${what}`)
    rawClose(fd)
    throw error
  }
  return fd
}

/** What was tried, in words: made only where they are needed, since some calls come by the ten thousand. */
const said = (what: string | (() => string)): string => (typeof what === 'string' ? what : what())

/** Sends the first `length` bytes. */
export function sendTo(
  fd: number,
  bytes: Buffer,
  address: Buffer | null,
  what: string | (() => string),
  length: number = bytes.length,
): number {
  const sent = rawSendTo(fd, bytes, length, 0, address, address?.length ?? 0)
  return Number(sent) < 0 ? checked(sent, said(what)) : Number(sent)
}

/**
 * One datagram, or null where none waits. A datagram that is longer than `into` counts as an error (EMSGSIZE), never as
 * a shorter message.
 */
export function receive(fd: number, into: Buffer, what: string): Buffer | null {
  const length = receiveLength(fd, into, what)
  return length < 0 ? null : into.subarray(0, length)
}

/** The same without a Buffer of its own: how many bytes of `into` were filled, -1 where nothing waits. */
export function receiveLength(fd: number, into: Buffer, what: string | (() => string)): number {
  const length = Number(rawReceive(fd, into, into.length, dontWait | truncate))
  if (length < 0) {
    const errno = errnoName(koffi.errno())
    if (errno === 'EAGAIN' || errno === 'EINTR') return -1
    throw new KernelError(said(what), errno)
  }
  if (length > into.length)
    throw new KernelError(said(what), 'EMSGSIZE', { says: `${length} bytes, room for ${into.length}` })
  return length
}

/** Sets an int option of a socket. */
export function setSocketOption(fd: number, level: number, name: number, value: number, what: string): void {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32LE(value)
  checked(rawSetSockOpt(fd, level, name, bytes, 4), what)
}

/** An int option of a socket. */
export function socketOption(fd: number, level: number, name: number, what: string): number {
  const bytes = Buffer.alloc(4)
  const length = Buffer.alloc(4)
  length.writeUInt32LE(bytes.length)
  checked(rawGetSockOpt(fd, level, name, bytes, length), what)
  return bytes.readInt32LE(0)
}

/** An option that is a question and its answer in one block, as old interfaces have them. False where the kernel refuses. */
export function askSocket(fd: number, level: number, name: number, block: Buffer): boolean {
  blockLength.writeUInt32LE(block.length)
  return rawGetSockOpt(fd, level, name, block, blockLength) === 0
}

const blockLength = Buffer.alloc(4)

/** The address that the kernel gave a socket. */
export function socketName(fd: number, size: number): Buffer {
  const name = Buffer.alloc(size)
  const length = Buffer.alloc(4)
  length.writeUInt32LE(size)
  checked(rawGetSockName(fd, name, length), 'the name of a socket')
  return name
}

/**
 * Calls back from the event loop whenever the descriptor has something to read; uses libuv's own poll, no thread.
 * Returns the function that ends it. Does not keep the process alive.
 */
export function onReadable(fd: number, listener: () => void): () => void {
  const guarded = (): void => {
    try {
      listener()
    } catch (error) {
      // koffi calls without a frame that could take an exception: it becomes one of the event loop.
      setImmediate(() => {
        throw error
      })
    }
  }
  // The object must be held for as long as the poll shall last: collected, it closes itself.
  const handle = koffi.node.poll(fd, { readable: true }, guarded)
  handle.unref()
  let isOpen = true
  return () => {
    if (!isOpen) return
    isOpen = false
    handle.close()
  }
}

/** Magic number of the file system that holds `path`. Source: statfs(2); f_type is the first word. */
export function fileSystemMagic(path: string): number {
  const result = Buffer.alloc(256)
  checked(rawStatFs(path, result), `statfs of ${path}`)
  return result.readUInt32LE(0)
}

export function mountFileSystem(source: string, target: string, type: string): void {
  checked(rawMount(source, target, type, 0, null), `mounting ${type} on ${target}`)
}

/** Resolution of a clock in nanoseconds. CLOCK_MONOTONIC_COARSE (6) ticks with the kernel's jiffies. */
export function clockResolutionNs(clock: number): number {
  const timespec = Buffer.alloc(16)
  checked(rawGetRes(clock, timespec), `the resolution of clock ${clock}`)
  return Number(timespec.readBigInt64LE(0)) * 1e9 + Number(timespec.readBigInt64LE(8))
}

/** Takes the file's lock for as long as the descriptor is open, or says that another process has it. Source: flock(2). */
export function tryLock(fd: number): boolean {
  const exclusive = 2
  const nonBlocking = 4
  if (rawFlock(fd, exclusive | nonBlocking) === 0) return true
  const error = failed('a lock')
  if (error.errno === 'EAGAIN') return false
  throw error
}
