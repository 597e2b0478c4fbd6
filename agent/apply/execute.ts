import { AppError } from '../../core/contract/errors.ts'
import type { Step } from '../../core/model/plan.ts'
import type { Clock } from '../clock.ts'
import type { Dataplanes, DataplaneStep, Execution } from '../dataplane/dataplane.ts'
import type { Network } from '../network.ts'
import type { OwnVipRecord } from './own-vips.ts'

const drainLookMs = 500

/** What steps are carried out on. */
export interface StepTargets {
  readonly dataplane: Dataplanes
  readonly network: Network
  readonly ownVips: OwnVipRecord
  readonly clock: Pick<Clock, 'monotonicMs' | 'after'>
  /** Told of what went wrong without stopping a step. */
  readonly log: (message: string) => void
}

/**
 * Carries out steps that belong together (see run-steps.ts): those of a dataplane as they are, any other one alone. One
 * whose effect is there already is done again without harm, as long as it was we who did it: an unfinished journal may
 * be replayed.
 */
export async function executeSteps(steps: readonly Step[], targets: StepTargets): Promise<Execution> {
  const [step] = steps
  if (step === undefined) return { done: [], failure: null }
  switch (step.kind) {
    case 'vip.raise':
      await raise(step, targets)
      return { done: [0], failure: null }
    case 'vip.lower':
      await lower(step, targets)
      return { done: [0], failure: null }
    case 'drain.wait':
      await waitForDrain(step, targets)
      return { done: [0], failure: null }
    default:
      return targets.dataplane.execute(steps.filter((one) => isDataplaneStep(one)))
  }
}

const isDataplaneStep = (step: Step): step is DataplaneStep =>
  step.kind !== 'vip.raise' && step.kind !== 'vip.lower' && step.kind !== 'drain.wait'

/** Looks twice a second, since neither dataplane tells of the last connection that ends. */
async function waitForDrain(
  { seconds, realServers }: Extract<Step, { kind: 'drain.wait' }>,
  { dataplane, clock }: StepTargets,
): Promise<void> {
  const endsAt = clock.monotonicMs() + seconds * 1000
  const isBusy = async () => {
    for (const { service, realServer } of realServers) {
      if ((await dataplane.countFlows(service, realServer)) > 0) return true
    }
    return false
  }
  while (clock.monotonicMs() < endsAt && (await isBusy())) {
    await new Promise<void>((resolve) => {
      clock.after(drainLookMs, resolve)
    })
  }
}

async function raise(step: Extract<Step, { kind: 'vip.raise' }>, targets: StepTargets): Promise<void> {
  const { network, ownVips, log } = targets
  const isKnown = ownVips.list().some((own) => own.address === step.address && own.interface === step.interface)
  if (!isKnown && (await stands(step, network))) {
    // Not ours: taking it into the record would have a revert take it down.
    throw new AppError('KERNEL', `${step.address} stands on ${step.interface} already, set up by somebody else.`, {
      details: { errno: 'EEXIST' },
    })
  }
  await ownVips.add(step)
  try {
    await network.addAddress(step)
  } catch (error) {
    if (errnoOf(error) !== 'EEXIST' || !isKnown) {
      await ownVips.remove(step)
      throw error
    }
  }
  if (step.announce !== 'arp') return
  try {
    await network.announce(step)
  } catch (error) {
    // The address answers without it; neighbours learn it at their next ARP request.
    log(`${step.address} could not be announced on ${step.interface}: ${String(error)}`)
  }
}

async function lower(step: Extract<Step, { kind: 'vip.lower' }>, { network, ownVips }: StepTargets): Promise<void> {
  try {
    await network.removeAddress(step)
  } catch (error) {
    const errno = errnoOf(error)
    if (errno !== 'EADDRNOTAVAIL' && errno !== 'ENODEV') throw error
  }
  await ownVips.remove(step)
}

async function stands(place: { address: string; interface: string }, network: Network): Promise<boolean> {
  const interfaces = await network.interfaces()
  return interfaces.some(
    (one) => one.name === place.interface && one.addresses.some(({ address }) => address === place.address),
  )
}

/** Name of the errno that an error carries, or null. */
export const errnoOf = (error: unknown): string | null =>
  error instanceof AppError ? (error.details?.['errno'] ?? null) : null
