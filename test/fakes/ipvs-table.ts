import { explained } from '../../agent/dataplane/ipvs/errors.ts'
import type { IpvsKernel } from '../../agent/dataplane/ipvs/ipvs-kernel.ts'
import type {
  IpvsDaemon,
  IpvsDaemonSettings,
  IpvsDestination,
  IpvsDestinationId,
  IpvsOperation,
  IpvsServiceId,
  IpvsServiceSettings,
  IpvsStats,
  IpvsTableEntry,
  IpvsTimeouts,
} from '../../agent/dataplane/ipvs/types.ts'
import { KernelError } from '../../agent/kernel/errno.ts'

const nothing: IpvsStats = {
  connections: 0,
  inPackets: 0,
  outPackets: 0,
  inBytes: 0,
  outBytes: 0,
  connectionsPerSec: 0,
  inPacketsPerSec: 0,
  outPacketsPerSec: 0,
  inBytesPerSec: 0,
  outBytesPerSec: 0,
}

interface Row {
  service: IpvsServiceSettings
  destinations: Map<string, IpvsDestination>
}

const serviceText = (id: IpvsServiceId): string =>
  JSON.stringify(Object.entries(id).toSorted(([a], [b]) => (a < b ? -1 : 1)))
const destinationText = (id: IpvsDestinationId): string => `${id.address} ${id.port}`

/** IPVS with the answers that were measured on 6.1 (the errno table of the netlink notes), no more forgiving. */
export class FakeIpvs implements IpvsKernel {
  readonly rows = new Map<string, Row>()
  readonly history: string[] = []
  running: IpvsDaemon[] = []
  times: IpvsTimeouts = { tcpSec: 900, tcpFinSec: 120, udpSec: 300 }
  schedulers: ReadonlySet<string> = new Set(['rr', 'wrr', 'lc', 'wlc', 'sh', 'mh'])
  /** Asked before each operation; an errno refuses it. */
  refuse: (operation: IpvsOperation) => string | null = () => null

  info() {
    return { version: '1.2.1', connectionTableSize: 4096 }
  }

  /** In the kernel's order: newest first. */
  table(): IpvsTableEntry[] {
    return [...this.rows.values()].toReversed().map(({ service, destinations }) => ({
      ...structuredClone(service),
      stats: nothing,
      destinations: [...destinations.values()].toReversed().map((one) => structuredClone(one)),
    }))
  }

  change(operations: readonly IpvsOperation[]): (KernelError | null)[] {
    return operations.map((operation) => {
      const errno = this.refuse(operation) ?? this.#answer(operation)
      this.history.push(`${operation.kind}${errno === null ? '' : ` ${errno}`}`)
      return errno === null ? null : explained(operation.kind, new KernelError(operation.kind, errno))
    })
  }

  #answer(operation: IpvsOperation): string | null {
    const key = serviceText(idOf(operation))
    const row = this.rows.get(key)
    switch (operation.kind) {
      case 'service.add':
        if (row !== undefined) return 'EEXIST'
        if (!this.schedulers.has(operation.service.scheduler)) return 'ENOENT'
        this.rows.set(key, { service: operation.service, destinations: new Map() })
        return null
      case 'service.set':
        if (row === undefined) return 'ESRCH'
        if (!this.schedulers.has(operation.service.scheduler)) return 'ENOENT'
        row.service = operation.service
        return null
      case 'service.delete':
        return this.rows.delete(key) ? null : 'ESRCH'
      case 'destination.add':
      case 'destination.set': {
        if (row === undefined) return 'ESRCH'
        const name = destinationText(operation.destination.id)
        const isThere = row.destinations.has(name)
        if (operation.kind === 'destination.add' && isThere) return 'EEXIST'
        if (operation.kind === 'destination.set' && !isThere) return 'ENOENT'
        const counted = { activeConnections: 0, inactiveConnections: 0, persistentConnections: 0, stats: nothing }
        row.destinations.set(name, { ...counted, ...operation.destination })
        return null
      }
      case 'destination.delete':
        if (row === undefined) return 'ESRCH'
        return row.destinations.delete(destinationText(operation.destination)) ? null : 'ENOENT'
    }
  }

  timeouts(): IpvsTimeouts {
    return this.times
  }

  setTimeouts(timeouts: Partial<IpvsTimeouts>): void {
    this.times = { ...this.times, ...timeouts }
  }

  daemons(): IpvsDaemon[] {
    return [...this.running]
  }

  startDaemon({ state, interface: name, syncId, group, port, ttl }: IpvsDaemonSettings): void {
    if (this.running.some((one) => one.state === state)) throw new KernelError('to start a daemon', 'EEXIST')
    const defaults = { maxLength: 1500, group: group ?? '224.0.0.81', port: port ?? 8848, ttl: ttl ?? 1 }
    this.running = [...this.running, { state, interface: name, syncId, ...defaults }]
  }

  stopDaemon(state: IpvsDaemonSettings['state']): void {
    if (!this.running.some((one) => one.state === state)) throw new KernelError('to stop a daemon', 'ESRCH')
    this.running = this.running.filter((one) => one.state !== state)
  }

  close(): void {}
}

function idOf(operation: IpvsOperation): IpvsServiceId {
  switch (operation.kind) {
    case 'service.delete':
      return operation.id
    case 'service.add':
    case 'service.set':
      return operation.service.id
    default:
      return operation.service
  }
}
