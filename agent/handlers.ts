import { arch, release } from 'node:os'
import { type AgentContract, agentContractVersion, type InterfaceFacts } from '../core/contract/agent.ts'
import type { Handlers } from '../core/contract/define.ts'
import { AppError } from '../core/contract/errors.ts'
import { isInNetwork } from '../core/model/address.ts'
import type { Agent } from './agent.ts'

/** What the agent answers, on a socket with this right. */
export function agentHandlers(agent: Agent, access: 'view' | 'change'): Handlers<AgentContract> {
  const { reconciler, store, sampler } = agent
  const { clock, dataplane, network, version, hostname } = agent.options
  return {
    'agent.hello': async () => {
      const { isAvailable, reason, hooks } = dataplane.capabilities()
      const ipvs = dataplane.ipvsOffer()
      return {
        version,
        contractVersion: agentContractVersion,
        hostname,
        kernel: release(),
        architecture: arch(),
        bootId: clock.bootId,
        startedAtMs: agent.startedAtMs,
        access,
        interfaces: await network.interfaces(),
        families: [...network.families()],
        dataplane: { isAvailable, reason, hooks: hooks.map((hook) => ({ ...hook })) },
        ipvs,
        nowMs: clock.nowMs(),
        monotonicMs: clock.monotonicMs(),
      }
    },
    'director.watch': (_input, { signal }) => agent.watchState(signal),
    'cluster.plan': (request) => reconciler.plan(request),
    'cluster.apply': (request) => reconciler.apply(request),
    'cluster.confirm': ({ revision }) => reconciler.confirm(revision),
    'cluster.revert': ({ revision }) => reconciler.revert(revision),
    'cluster.history': ({ limit }) => store.history(limit),
    'cluster.revision': ({ revision }) => {
      const stored = store.get(revision)
      if (stored === undefined) throw new AppError('NOT_FOUND', `There is no revision ${revision} on this director.`)
      const { interfaces: _interfaces, ...shown } = stored
      return shown
    },
    'stats.watch': (_input, { signal }) => agent.watchSamples(signal),
    'stats.history': () => sampler.history(),
    'director.setRole': ({ role }) => reconciler.setRole(role),
    'dataplane.setNewFlows': ({ newFlows }) => agent.setNewFlows(newFlows),
    'connections.list': (query) => dataplane.connections(query),
    'flow.lookup': (query) => dataplane.lookupFlow(query),
    'arp.probe': async ({ address, interface: named, waitMs }) => {
      const name = probeInterface(await network.interfaces(), address, named)
      return { interface: name, answers: await network.probeArp(address, name, waitMs) }
    },
    'agent.retire': ({ keepTraffic }) => (keepTraffic ? { detached: false, vipsLowered: [] } : reconciler.retire()),
  }
}

function probeInterface(interfaces: readonly InterfaceFacts[], address: string, named: string | undefined): string {
  const known = interfaces.filter((one) => one.name !== 'lo')
  if (named !== undefined) {
    if (known.some((one) => one.name === named)) return named
    throw new AppError('BAD_INPUT', `The director has no interface ${named}.`, {
      issues: [
        {
          path: ['interface'],
          found: JSON.stringify(named),
          expectation: 'interfaceOfDirector',
          params: { names: known.map((one) => one.name).join(', ') },
        },
      ],
    })
  }
  const holds = (one: InterfaceFacts) =>
    one.addresses.some((own) => own.prefixLength < 32 && isInNetwork(address, own.address, own.prefixLength))
  const found = known.find((one) => one.isUp && holds(one))
  if (found !== undefined) return found.name
  throw new AppError('BAD_INPUT', `No interface of the director has a network that holds ${address}.`, {
    issues: [{ path: ['address'], found: JSON.stringify(address), expectation: 'interfaceForVip' }],
  })
}
