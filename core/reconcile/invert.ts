import type { Step } from '../model/plan.ts'

/** The step that takes this one back. */
export function invert(step: Step): Step {
  switch (step.kind) {
    case 'module.load':
      return { ...step, kind: 'module.unload' }
    case 'module.unload':
      return { ...step, kind: 'module.load' }
    case 'setting.set':
      return { ...step, before: step.after, after: step.before, wasOurs: step.isOurs, isOurs: step.wasOurs }
    case 'nat.set':
      return { ...step, before: step.after, after: step.before }
    case 'sync.start':
      return { ...step, kind: 'sync.stop' }
    case 'sync.stop':
      return { ...step, kind: 'sync.start' }
    case 'service.adopt':
      return { ...step, kind: 'service.release' }
    case 'service.release':
      return { ...step, kind: 'service.adopt' }
    case 'drain.wait':
      // What has ended does not come back; there is nothing to wait for on the way back.
      return { ...step, seconds: 0 }
    case 'dataplane.attach':
      return { ...step, kind: 'dataplane.detach' }
    case 'dataplane.detach':
      return { ...step, kind: 'dataplane.attach' }
    case 'service.add':
      return { kind: 'service.remove', service: step.service, before: step.after }
    case 'service.remove':
      return { kind: 'service.add', service: step.service, after: step.before }
    case 'service.change':
      return { ...step, before: step.after, after: step.before }
    case 'realServer.add':
      return { kind: 'realServer.remove', service: step.service, dataplane: step.dataplane, before: step.after }
    case 'realServer.remove':
      return { kind: 'realServer.add', service: step.service, dataplane: step.dataplane, after: step.before }
    case 'realServer.change':
      return { ...step, before: step.after, after: step.before }
    case 'vip.raise':
      return { ...step, kind: 'vip.lower' }
    case 'vip.lower':
      return { ...step, kind: 'vip.raise' }
  }
}

/** What takes these steps back when all of them have run: the inverses, last step first. */
export const undoOf = (steps: readonly Step[]): Step[] => steps.toReversed().map(invert)
