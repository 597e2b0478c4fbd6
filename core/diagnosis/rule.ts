import type { IpFamily } from '../model/address.ts'
import type { DataplaneName, ForwardingMethod, Protocol } from '../model/dataplane.ts'
import type { Announce } from '../model/service.ts'
import type { HostFacts } from './facts.ts'
import type { Finding, HostRole } from './finding.ts'

/** What the checks are made for: the service that is to be, or that is live. */
export interface CheckParameters {
  readonly vip: string
  /** 0 = every port. */
  readonly port: number
  readonly protocol: Protocol
  readonly forwarding: ForwardingMethod
  readonly dataplane: DataplaneName
  readonly announce: Announce
  /** True where the service is live already: then the director must own the VIP. */
  readonly isLive: boolean
  readonly allowOwnAddress: boolean
  readonly realServers: readonly { readonly address: string; readonly port: number }[]
}

/** What the director's question "who has the VIP?" brought. `macs` is empty where nobody answered. */
export type ArpAnswers =
  | { readonly kind: 'answers'; readonly interface: string; readonly macs: readonly string[] }
  | { readonly kind: 'notAsked'; readonly reason: string }

/** All that a rule may look at. Nothing else is in scope: rules are pure. */
export interface CheckSubject {
  readonly request: CheckParameters
  /** `director`, or the address of the real server that is judged. */
  readonly host: string
  /** Of the host that is judged. */
  readonly facts: HostFacts
  /** Null where the director could not be read. */
  readonly director: HostFacts | null
  /** Real servers that were read, by address. */
  readonly realServers: ReadonlyMap<string, HostFacts>
  /** Only rules of the director see it. */
  readonly arp: ArpAnswers
}

export interface FixStep {
  /** One POSIX shell line. */
  readonly run: string
  /** Takes exactly that back, also when it runs twice. */
  readonly undo: string
}

export interface FixDraft {
  readonly steps: readonly FixStep[]
  readonly files: readonly string[]
  readonly survivesReboot: boolean
}

export interface Judgement<Cause extends string = string> {
  readonly status: 'ok' | 'missing' | 'warning'
  /** Which of the rule's sentences tells what was found; left out where all is well. */
  readonly cause?: Cause
  /** As read, in the words of the tools. */
  readonly found: string
  readonly params?: Finding['params']
  readonly fix?: FixDraft | null
}

/** One row of the catalogue (docs/diagnosis.md): data, and one pure function. */
export interface Rule<Cause extends string = string> {
  readonly id: RuleId
  readonly role: HostRole
  readonly severity: Finding['severity']
  /** Forwarding methods and dataplanes that it holds for. */
  readonly forwarding: readonly ForwardingMethod[]
  readonly dataplanes: readonly DataplaneName[]
  /** Families and protocols that it can judge; for the others its row reads `notChecked`, never ok. */
  readonly families: readonly IpFamily[]
  readonly protocols: readonly Protocol[]
  /** Facts that it reads: what an operator has to bring where the probe cannot. */
  readonly needs: readonly FactGroup[]
  /** What it wants, in a few words that need no translation. `{param}` is filled from the judgement's parameters. */
  readonly expected: string
  /** Keys of the sentences for what can be wrong. */
  readonly causes: readonly Cause[]
  /** Rules whose fixes must come before this one's, on the same host. */
  readonly fixAfter?: readonly RuleId[]
  /** Where the knowledge comes from. */
  readonly source: string
  /** Null where the rule does not apply. Throws {@link MissingFact} where a fact was not read. */
  readonly judge: (subject: CheckSubject) => Judgement<Cause> | null
}

/** In the order in which findings are listed; fixes shown or pasted in this order are safe (see `fixAfter`). */
export const ruleIds = [
  'V1',
  'V2',
  'D04',
  'DR1',
  'DR2',
  'DR7',
  'D16-btf',
  'D16-bpffs',
  'D16-jit',
  'D16-programs',
  'RS1',
  'DR5',
  'DR6',
  'DR4',
  'DR8',
  'DR9',
  'DR10',
] as const
export type RuleId = (typeof ruleIds)[number]

export type FactGroup = 'interfaces' | 'sysctls' | 'routes' | 'listeners' | 'arp' | 'extra'

/** Keeps the causes' literal types, so that a judgement cannot name one that has no sentence. */
export function defineRule<const Cause extends string>(rule: Rule<Cause>): Rule<Cause> {
  return rule
}

/** A fact that a rule needs was not read; the finding becomes `unknown` and names it. */
export class MissingFact extends Error {
  readonly fact: string

  constructor(fact: string) {
    super(`${fact} was not read`)
    this.name = 'MissingFact'
    this.fact = fact
  }
}
