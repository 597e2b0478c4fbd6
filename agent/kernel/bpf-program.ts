// Programs over bpf(2): load, run on a packet, name. Source: include/uapi/linux/bpf.h (union bpf_attr, bpf_prog_info).
import { AppError } from '../../core/contract/errors.ts'
import { BpfObject, fixedText, infoByFd, kernelName } from './bpf.ts'
import { KernelError, isErrno } from './errno.ts'
import { ArgumentBlock, bpfCall, closeFd } from './syscall.ts'

const command = { load: 5, testRun: 10, fdById: 13 } as const

export const programType = { schedCls: 3, xdp: 6 } as const
/** BPF_XDP: the attach type that a program for an XDP link is loaded with. */
export const attachType = { xdp: 37, tcxIngress: 46 } as const

export interface ProgramCode {
  readonly name: string
  readonly type: number
  readonly expectedAttachType: number
  readonly instructions: Buffer
  readonly license: string
}

/** What one packet became. */
export interface TestRun {
  /** The program's return value as a signed number: TC_ACT_UNSPEC is -1. */
  readonly result: number
  readonly packet: Buffer
  /** Mean of the repetitions. */
  readonly durationNs: number
}

const instructionSize = 8
const maxAttempts = 10
const firstLog = 1 << 20
const largestLog = 1 << 26

export class BpfProgram extends BpfObject {
  /** Runs the program on a packet, `repeat` times on the same bytes: later rounds see what earlier ones wrote. */
  testRun(packet: Buffer, options: { repeat?: number; context?: Buffer; cpu?: number } = {}): TestRun {
    const output = Buffer.alloc(packet.length + 256)
    const block = new ArgumentBlock(80)
      .u32(0, this.fd)
      .u32(8, packet.length)
      .u32(12, output.length)
      .pointer(16, packet)
      .pointer(24, output)
      .u32(32, options.repeat ?? 1)
    if (options.context !== undefined) block.u32(40, options.context.length).pointer(48, options.context)
    bpfCall(command.testRun, block, 'a test run')
    return {
      result: block.bytes.readInt32LE(4),
      packet: output.subarray(0, block.bytes.readUInt32LE(12)),
      durationNs: block.bytes.readUInt32LE(36),
    }
  }

  get id(): number {
    return infoByFd(this.fd, 80, 'a program').readUInt32LE(4)
  }
}

/**
 * Loads a program. A refusal by the verifier gives one line that says why, with the whole log in `details.verifierLog`.
 */
export function loadProgram(code: ProgramCode): BpfProgram {
  for (let attempt = 1; ; attempt++) {
    try {
      return new BpfProgram(bpfCall(command.load, loadBlock(code, null), `program ${code.name}`))
    } catch (error) {
      // The verifier gives up with EAGAIN where a signal is pending (bpf_check); libbpf tries again just so.
      if (isErrno(error, 'EAGAIN') && attempt < maxAttempts) continue
      if (!(error instanceof KernelError) || isErrno(error, 'EPERM', 'ENOMEM')) throw error
      throw verifierError(code, error.errno)
    }
  }
}

function loadBlock(code: ProgramCode, log: Buffer | null): ArgumentBlock {
  const block = new ArgumentBlock(128)
    .u32(0, code.type)
    .u32(4, code.instructions.length / instructionSize)
    .pointer(8, code.instructions)
    .pointer(16, Buffer.from(`${code.license}\0`, 'latin1'))
    .u32(68, code.expectedAttachType)
  block.bytes.write(kernelName(code.name), 48, 'latin1')
  if (log !== null) block.u32(24, 1).u32(28, log.length).pointer(32, log)
  return block
}

function verifierError(code: ProgramCode, errno: string): AppError {
  const log = verifierLog(code)
  const reason = verifierReason(log)
  return new AppError(
    'KERNEL',
    `The kernel refused program ${code.name}: ${errno}${reason === '' ? '' : `, ${reason}`}.`,
    {
      details: { errno, call: `program ${code.name}`, verifierLog: log },
    },
  )
}

function verifierLog(code: ProgramCode): string {
  for (let size = firstLog; size <= largestLog; size *= 8) {
    const log = Buffer.alloc(size)
    try {
      closeFd(bpfCall(command.load, loadBlock(code, log), `program ${code.name}`))
      return ''
    } catch (error) {
      // ENOSPC: the log did not fit; a larger one is worth a try.
      if (!isErrno(error, 'ENOSPC') || size * 8 > largestLog) return fixedText(log)
    }
  }
  return ''
}

/** The last line of a verifier log that is a reason and no statistics. */
export function verifierReason(log: string): string {
  const lines = log.split('\n').filter((line) => line.trim() !== '')
  const reasons = lines.filter((line) => !/^(processed \d+ insns|verification time|stack depth|peak_states)/.test(line))
  return (reasons.at(-1) ?? '').trim().slice(0, 200)
}

export interface ProgramFacts {
  readonly id: number
  readonly type: number
  readonly name: string
}

/** Name of a loaded program, or null where it has gone meanwhile. EPERM without CAP_SYS_ADMIN. */
export function programById(id: number): ProgramFacts | null {
  let fd: number
  try {
    fd = bpfCall(command.fdById, new ArgumentBlock(12).u32(0, id), `program ${id}`)
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return null
    throw error
  }
  try {
    const info = infoByFd(fd, 80, `program ${id}`)
    return { type: info.readUInt32LE(0), id: info.readUInt32LE(4), name: fixedText(info.subarray(64, 80)) }
  } finally {
    closeFd(fd)
  }
}
