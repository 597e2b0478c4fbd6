// Steps on services as changes of the kernel. Pure.
import { realServerKey } from '../../../core/model/service.ts'
import type { ServiceStep } from '../dataplane.ts'
import type { IpvsRemedy } from './errors.ts'
import type { IpvsOperation, IpvsServiceId } from './types.ts'
import { destinationIdOf, destinationOf, serviceIdOf, serviceIdOfKey, serviceOf } from './wanted.ts'

type KernelStep = Exclude<ServiceStep, { kind: 'service.adopt' | 'service.release' }>

/**
 * The one change that does each step. Edits send everything: SET_DEST overwrites what is left out, tunnel included
 * (ip_vs_ctl.c zeroes the request before it reads it).
 */
export function changesOf(
  steps: readonly KernelStep[],
  isUp: (service: string, realServer: string) => boolean,
): IpvsOperation[] {
  // Steps on one service follow each other, and name it by its key alone.
  let key = ''
  let id: IpvsServiceId | null = null
  const idOf = (service: string): IpvsServiceId => {
    if (id === null || service !== key) id = serviceIdOfKey(service)
    key = service
    return id
  }
  return steps.map((step) => changeOf(step, isUp, idOf))
}

function changeOf(
  step: KernelStep,
  isUp: (service: string, realServer: string) => boolean,
  idOf: (service: string) => IpvsServiceId,
): IpvsOperation {
  const up = (realServer: { address: string; port: number }) => isUp(step.service, realServerKey(realServer))
  switch (step.kind) {
    case 'service.add':
      return { kind: 'service.add', service: serviceOf(step.after) }
    case 'service.change':
      return { kind: 'service.set', service: serviceOf(step.after) }
    case 'service.remove':
      return { kind: 'service.delete', id: serviceIdOf(step.before) }
    case 'realServer.add':
      return {
        kind: 'destination.add',
        service: idOf(step.service),
        destination: destinationOf(step.after, up(step.after)),
      }
    case 'realServer.change':
      return {
        kind: 'destination.set',
        service: idOf(step.service),
        destination: destinationOf(step.after, up(step.after)),
      }
    case 'realServer.remove':
      return {
        kind: 'destination.delete',
        service: idOf(step.service),
        destination: destinationIdOf(step.before),
      }
  }
}

/**
 * What is there already, or gone already, was done by a step that a crash left half known, or by somebody's hand a
 * moment ago: the other form of the same change brings it to what is wanted. Null where there is none.
 *
 * @param wasOurs whether the service was ours before: one that somebody else was faster with stays theirs
 */
export function otherForm(operation: IpvsOperation, remedy: IpvsRemedy, wasOurs: boolean): IpvsOperation | null {
  switch (operation.kind) {
    case 'service.add':
      return remedy === 'change-instead' && wasOurs ? { ...operation, kind: 'service.set' } : null
    case 'destination.add':
      return remedy === 'change-instead' ? { ...operation, kind: 'destination.set' } : null
    case 'destination.set':
      return remedy === 'add-instead' ? { ...operation, kind: 'destination.add' } : null
    default:
      return null
  }
}
