// Runs packets of given flows through a program again and again, and counts those that went to the wrong real server.
import { parentPort, workerData } from 'node:worker_threads'
import { BpfProgram } from '../../agent/kernel/bpf-program.ts'

export interface WorkerTask {
  readonly programFd: number
  readonly flows: readonly { readonly packets: readonly Uint8Array[]; readonly mac: string }[]
  readonly rounds: number
}

const { programFd, flows, rounds } = workerData as WorkerTask
const program = new BpfProgram(programFd)
let wrong = 0
let sent = 0
for (let round = 0; round < rounds; round++) {
  for (const { packets, mac } of flows) {
    for (const packet of packets) {
      const out = program.testRun(Buffer.from(packet)).packet
      sent++
      if (out.toString('hex', 0, 6) !== mac) wrong++
    }
  }
}
parentPort?.postMessage({ sent, wrong })
