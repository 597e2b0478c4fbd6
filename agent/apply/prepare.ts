import { writeClusterYaml } from '../../core/formats/yaml/write.ts'
import { AppError } from '../../core/contract/errors.ts'
import type { ClusterSpec } from '../../core/model/cluster-spec.ts'
import { formatIssue, type Issue } from '../../core/model/issue.ts'
import type { ObservedState } from '../../core/model/observed.ts'
import type { Plan, PlannedStep } from '../../core/model/plan.ts'
import { realServerKey, serviceKey } from '../../core/model/service.ts'
import { applyCommand } from '../../core/reconcile/commands.ts'
import { type Desired, type DesiredService, desiredOf } from '../../core/reconcile/desired.ts'
import { ipvsadmCommands } from '../../core/reconcile/ipvsadm-commands.ts'
import { type DirectorContext, normalize, type Normalized } from '../../core/reconcile/normalize.ts'
import { configOf, plan, realServerConfigOf } from '../../core/reconcile/plan.ts'
import { type RingMember, riskOf } from '../../core/reconcile/risk.ts'
import type { StepTargets } from './execute.ts'
import { type Observation, observe } from './observe.ts'

/** A document fitted to this director, with the steps that lead to it. */
export interface Prepared {
  readonly normalized: Normalized
  readonly observation: Observation
  readonly steps: readonly PlannedStep[]
}

export interface PrepareRequest {
  readonly spec: ClusterSpec
  readonly adopt: readonly string[]
  readonly drainSec: number
  readonly protectedAddresses: readonly string[]
}

/**
 * Throws AppError BAD_INPUT with issues where the director has something against the document.
 *
 * @param inForce what the kernel was last told
 */
export async function prepare(request: PrepareRequest, inForce: Desired, targets: StepTargets): Promise<Prepared> {
  const { spec, adopt, drainSec, protectedAddresses } = request
  const everywhere = Object.fromEntries(spec.services.map((service) => [serviceKey(service), '']))
  // The document's own word comes last: it is not in the kernel yet, but its VIPs and settings are looked for.
  const observation = await observe(targets, [inForce, desiredOf(spec, everywhere)])
  const { services, ipvs } = observation.state
  const context: DirectorContext = {
    interfaces: observation.interfaces,
    ownVips: targets.ownVips.list(),
    protectedAddresses,
    foreignServices: services.filter((service) => service.isForeign).map(serviceKey),
    adopt,
    writers: ipvs.writers,
    role: inForce.role,
    families: targets.network.families(),
    ...kernelOf(spec, targets),
  }
  const first = normalize(spec, context)
  // Networks of the interfaces answer for nearly all real servers; only the others are worth a look-up of their route.
  const offLink = first.issues.filter((issue) => issue.expectation === 'onLink')
  const normalized = offLink.length === 0 ? first : await withRoutes(spec, context, offLink, targets)
  if (normalized.issues.length > 0) throw unfit(normalized.issues)
  const release = managedByOthers(observation.state)
  const steps = plan(normalized.desired, observation.state, { adopt: new Set(adopt), drainSec, release })
  return { normalized, observation, steps }
}

/** Services of ours that another program manages too: left out of the document, they stay and are no longer ours. */
function managedByOthers({ services, ipvs }: ObservedState): Map<string, DesiredService> {
  const managed = new Set(ipvs.writers.flatMap(({ manages = [] }) => manages))
  return new Map(
    services
      .filter((service) => !service.isForeign && service.dataplane === 'ipvs' && managed.has(serviceKey(service)))
      .map((service) => [
        serviceKey(service),
        { config: configOf(service), realServers: service.realServers.map(realServerConfigOf) },
      ]),
  )
}

/** Asked only where it matters: the answer takes a look at the module folder. */
function kernelOf(spec: ClusterSpec, { dataplane }: StepTargets): Pick<DirectorContext, 'ipvsKernel'> {
  if (!spec.services.some((service) => service.dataplane === 'ipvs')) return {}
  const { availability, schedulers, tunnels } = dataplane.ipvsOffer()
  // Without the module it has nothing at all, which is one thing to say and not one for each field.
  if (availability === 'module-missing') return {}
  return {
    ipvsKernel: {
      schedulers: schedulers.filter((one) => one.isAvailable).map((one) => one.name),
      tunnels: tunnels.filter((one) => one.isAvailable).map((one) => one.type),
    },
  }
}

async function withRoutes(
  spec: ClusterSpec,
  context: DirectorContext,
  offLink: readonly Issue[],
  { network }: StepTargets,
): Promise<Normalized> {
  const asked = new Set(offLink.flatMap((issue) => addressAt(spec, issue.path)))
  const behindGateway = new Set<string>()
  for (const address of asked) if (!(await network.isOnLink(address))) behindGateway.add(address)
  return normalize(spec, { ...context, isOnLink: (address) => !behindGateway.has(address) })
}

function addressAt(spec: ClusterSpec, path: Issue['path']): string[] {
  const realServer = spec.services[Number(path[1])]?.realServers[Number(path[3])]
  return realServer === undefined ? [] : [realServer.address]
}

const unfit = (issues: readonly Issue[]): AppError =>
  new AppError('BAD_INPUT', `The document does not fit this director: ${issues.map(formatIssue).join('; ')}`, {
    issues: [...issues],
  })

/** The plan as the contract has it. */
export async function describePlan(
  spec: ClusterSpec,
  baseRevision: number,
  { normalized, observation, steps }: Prepared,
  { dataplane, ringOf }: StepTargets & { ringOf: (members: readonly RingMember[]) => readonly string[] },
): Promise<Plan> {
  const flows = new Map<string, number>()
  for (const { step } of steps) {
    if (step.kind !== 'realServer.remove') continue
    const key = realServerKey(step.before)
    flows.set(`${step.service} ${key}`, await dataplane.countFlows(step.service, key))
  }
  return {
    baseRevision,
    steps: [...steps],
    risk: riskOf(
      observation.state,
      steps.map(({ step }) => step),
      { ringOf, countFlows: (service, realServer) => flows.get(`${service} ${realServerKey(realServer)}`) ?? null },
    ),
    commands: [
      applyCommand(writeClusterYaml(spec)),
      ...ipvsadmCommands(
        steps.map(({ step }) => step),
        [...observation.state.services, ...normalized.desired.services.map(({ config }) => config)],
      ),
    ],
    warnings: [...normalized.warnings],
  }
}
