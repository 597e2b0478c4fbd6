// The dataplane alone in a process, driven by lines of JSON: `director.ts HOOK`. Answers each with one line.
import { createInterface } from 'node:readline'
import type { DataplaneEvent, DataplaneStep, FlowQuery } from '../../../agent/dataplane/dataplane.ts'
import { EbpfDataplane } from '../../../agent/dataplane/ebpf/ebpf-dataplane.ts'
import { announceAddress, probeAddress } from '../../../agent/kernel/arp.ts'
import { RouteSocket } from '../../../agent/kernel/route.ts'
import { AppError, toWireError } from '../../../core/contract/errors.ts'
import { ConnectionQuery } from '../../../core/model/connection.ts'
import { DataplaneHook, type NewFlows } from '../../../core/model/observed.ts'

export type Request =
  | { readonly execute: DataplaneStep }
  | { readonly observe: true }
  | { readonly read: true }
  | { readonly sweep: true }
  | { readonly capabilities: string }
  | { readonly flow: FlowQuery }
  | { readonly connections: Partial<ConnectionQuery> }
  | { readonly newFlows: NewFlows }
  | { readonly health: { readonly service: string; readonly realServer: string; readonly isUp: boolean } }
  | { readonly events: true }
  | { readonly announce: string }
  | { readonly probe: { readonly address: string; readonly waitMs: number } }
  | { readonly takeDown: true }

const say = (message: unknown): void => {
  process.stdout.write(`${JSON.stringify(message ?? null)}\n`)
}

const hooks = process.argv[2] === undefined ? {} : { hooks: [DataplaneHook.parse(process.argv[2])] }
let dataplane: EbpfDataplane
try {
  dataplane = new EbpfDataplane({ ...hooks, log: (message) => process.stderr.write(`${message}\n`) })
} catch (error) {
  say({ refused: toWireError(error) })
  process.exit(1)
}
const events: DataplaneEvent[] = []
dataplane.onEvent((event) => events.push(event))
const routes = new RouteSocket()

function arpInterface(): { index: number; mac: string } {
  const link = routes.linkByName('eth0')
  if (link === null || link.mac === null) throw new Error('no eth0')
  return { index: link.index, mac: link.mac }
}

async function answer(request: Request): Promise<unknown> {
  if ('execute' in request) {
    const { failure } = await dataplane.execute([request.execute])
    if (failure !== null) throw failure.error
    return null
  }
  if ('observe' in request) return { services: dataplane.observe(), attachments: dataplane.attachments() }
  if ('read' in request) return dataplane.read()
  if ('sweep' in request) return dataplane.sweep()
  if ('capabilities' in request) return dataplane.capabilities(request.capabilities)
  if ('flow' in request) return dataplane.lookupFlow(request.flow)
  if ('connections' in request) return dataplane.connections(ConnectionQuery.parse(request.connections))
  if ('newFlows' in request) return dataplane.setNewFlows(request.newFlows)
  if ('health' in request) {
    return dataplane.setHealth(request.health.service, request.health.realServer, request.health.isUp)
  }
  if ('events' in request) return events.splice(0)
  if ('announce' in request) return announceAddress(arpInterface(), request.announce)
  if ('probe' in request) return probeAddress(arpInterface(), request.probe.address, request.probe.waitMs)
  return dataplane.takeDown()
}

say({ ready: true })
for await (const line of createInterface({ input: process.stdin })) {
  try {
    say(await answer(JSON.parse(line) as Request))
  } catch (error) {
    say({ failed: error instanceof AppError ? toWireError(error) : String(error) })
  }
}
