import type { IpvsOffer } from '../../core/contract/agent.ts'
import type { Draft, ServiceForm, WizardStep } from '../../core/model/draft.ts'
import { emptyForm } from '../../renderer/views/wizard/form.ts'
import { rowsOfPaste } from '../../renderer/views/wizard/paste.ts'
import { make, type Scenario } from './console-scenarios.ts'
import type { ConsoleSetup } from './fake-console.ts'
import { TrafficKernel } from './traffic-kernel.ts'

/** Services in the making, one of each kind, as an operator would have filled them in. */
const forms = {
  dr: { name: 'web-80', vip: '192.0.2.50' },
  nat: {
    name: 'shop',
    port: '443',
    vip: '192.0.2.50',
    portsDiffer: true,
    forwarding: 'nat',
    dataplane: 'ipvs',
    scheduler: 'wlc',
    persistence: { isOn: true, timeoutSec: '600', prefixLength: '24', isSip: false },
  },
  gue: {
    name: 'far-web',
    vip: '192.0.2.50',
    placement: 'otherSite',
    forwarding: 'tun',
    dataplane: 'ipvs',
    scheduler: 'mh',
    schedulerFlags: ['fallback'],
    tunnel: { type: 'gue', port: '6080', checksum: 'csum' },
  },
  fullnat: {
    name: 'mixed-pool',
    vip: '192.0.2.50',
    needsClientAddress: false,
    forwarding: 'fullnat',
    dataplane: 'ipvs',
    scheduler: 'wrr',
    localAddresses: ['192.0.2.2'],
  },
  udp6: {
    name: 'resolver',
    protocol: 'udp',
    port: '53',
    vip: '2001:db8:1234:5678:9abc:def0:1234:5678',
    announce: 'route',
    forwarding: 'nat',
    dataplane: 'ipvs',
    scheduler: 'rr',
    onePacket: true,
    check: { type: 'none' },
  },
  fwmark: {
    name: 'marked',
    matchBy: 'fwmark',
    fwmark: '7',
    forwarding: 'dr',
    dataplane: 'ipvs',
    scheduler: 'wrr',
    check: { type: 'none' },
  },
} as const satisfies Record<string, unknown>
export type WizardFormName = keyof typeof forms

const pools: Partial<Record<WizardFormName, string>> = {
  nat: '192.0.2.71:8443 3\n192.0.2.72:8443\n192.0.2.73:9443',
  gue: '198.51.100.71\n198.51.100.72 2',
  udp6: '[2001:db8:1234:5678:9abc:def0:4321:5a01]:5353\n2001:db8:1234:5678:9abc:def0:4321:5a02 2',
}

/** A draft at one step. */
export function wizardDraft(name: WizardFormName, step: WizardStep, change: Partial<ServiceForm> = {}): Draft {
  const empty = emptyForm()
  const own = forms[name] as Partial<ServiceForm>
  let next = 0
  const { rows } = rowsOfPaste(pools[name] ?? '192.0.2.71\n192.0.2.72 2', () => `row-${next++}`)
  return {
    id: `${name}-${step}`,
    directorId: 'lab',
    step,
    form: { ...empty, ...own, check: { ...empty.check, ...own.check }, realServers: rows, ...change },
    accepted: [],
    appliedRevision: null,
    updatedAtMs: 1,
  }
}

/** A director whose IPVS is as `offer` says. */
class OfferingKernel extends TrafficKernel {
  readonly #offer: Partial<IpvsOffer>

  constructor(offer: Partial<IpvsOffer>, ...rest: ConstructorParameters<typeof TrafficKernel>) {
    super(...rest)
    this.#offer = offer
    if (offer.availability !== undefined) this.ipvs = { ...this.ipvs, availability: offer.availability }
    this.settings.set('net.ipv6.conf.all.forwarding', '0')
    this.nics[1]?.addresses.push({ address: '2001:db8:1234:5678:9abc:def0:1:2', prefixLength: 64 })
  }

  override ipvsOffer(): IpvsOffer {
    return { ...super.ipvsOffer(), ...this.#offer }
  }
}

export const withoutIpvs: Partial<IpvsOffer> = {
  availability: 'module-missing',
  reason: 'There is no module ip_vs for the kernel 6.1.0-13-cloud-amd64.',
  version: null,
  schedulers: [],
  tunnels: [],
  sysctls: {},
  timeouts: null,
}

/** A console with this draft open, on a director whose IPVS is as `offer` says. */
export const draftScenario = (
  draft: Draft,
  offer: Partial<IpvsOffer> = {},
  more: Pick<ConsoleSetup, 'unprepared' | 'behindDirector'> = {},
): Promise<Scenario> =>
  make(`/d/lab/new/${draft.id}`, {
    ...more,
    pastMs: 0,
    drafts: [draft],
    makeKernel: (trafficOf, nowMs) => new OfferingKernel(offer, trafficOf, nowMs),
  })
