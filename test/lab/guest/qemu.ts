/** QEMU's command line. A snapshot can only be restored into a machine with the same devices and the same QEMU. */
import { imageNames } from './places.ts'

export interface Machine {
  readonly imageDir: string
  /** Where it puts its console, its monitor socket and its process number. */
  readonly stateDir: string
  /** The disk that keeps what the guest writes; it changes the devices, so such a guest starts cold. */
  readonly keptDisk?: string
  /** Continue from the snapshot. */
  readonly restore?: boolean
  /** Load everything and warm up, to be made a snapshot of. */
  readonly prepare?: boolean
  /** Further words of the kernel's command line. */
  readonly kernelWords?: readonly string[]
}

export const machineFiles = (stateDir: string) => ({
  console: `${stateDir}/console`,
  monitor: `${stateDir}/monitor`,
})

/** What the guest prints when it can be used, and what comes before a reason why it cannot. */
export const readyMarker = 'lab: ready'
export const failureMarker = 'lab: failed'

/**
 * Software emulation: the labs run where there is no KVM. The kernel's words leave out what costs time under it:
 * mitigations, self tests, watchdogs, timer calibration, and RCU's patience (which every removal of a network namespace
 * waits for).
 */
const kernelWords = [
  'console=ttyS0 quiet loglevel=4 panic=-1 mitigations=off nokaslr audit=0 apparmor=0 cryptomgr.notests',
  'random.trust_cpu=on rcupdate.rcu_expedited=1 nowatchdog no_timer_check tsc=reliable',
]

const hardware = [
  '-machine q35 -accel tcg,thread=multi -cpu qemu64,+rdrand -smp 2 -m 1024',
  '-nodefaults -no-user-config -display none -no-reboot',
  // The guest reaches nothing; the machine reaches its sshd at a port that the kernel chooses.
  '-netdev user,id=net,restrict=on,hostfwd=tcp:127.0.0.1:0-10.0.2.15:22',
  '-device virtio-net-pci,netdev=net,romfile=',
].flatMap((line) => line.split(' '))

/** A comma in a value is written twice (qemu's documentation of -drive). */
const disk = (id: string, file: string, isReadOnly: boolean): string[] => [
  '-drive',
  `if=none,id=${id},file=${file.replaceAll(',', ',,')},format=raw,readonly=${isReadOnly ? 'on' : 'off'}`,
  '-device',
  `virtio-blk-pci,drive=${id}`,
]

/** To be run in the folder of the image. */
export const qemuCommand = ({ stateDir, keptDisk, restore, prepare, kernelWords: more = [] }: Machine): string[] => {
  const { console, monitor } = machineFiles(stateDir)
  const { kernel, initramfs, root, snapshot } = imageNames
  const words = [...kernelWords, ...more, ...(prepare === true ? ['lab.snapshot'] : [])].join(' ')
  return ['qemu-system-x86_64', ...hardware].concat(
    ['-serial', `file:${console}`, '-qmp', `unix:${monitor},server=on,wait=off`],
    ['-kernel', kernel, '-initrd', initramfs, '-append', words],
    disk('root', root, true),
    keptDisk === undefined ? [] : disk('kept', keptDisk, false),
    restore === true ? ['-incoming', `exec:cat ${snapshot}`] : [],
  )
}
