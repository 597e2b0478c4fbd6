// Addresses and ports that replies come from in NAT mode, as the programs ask for them before they look for a flow.
import { familyOf } from '../../../core/model/address.ts'
import { realServerKey } from '../../../core/model/service.ts'
import { familyNumber, type Layout, word } from './layout.ts'
import type { MapSet } from './map-set.ts'
import type { ServiceRow } from './tables.ts'

export interface NatEnd {
  readonly address: string
  readonly port: number
  readonly protocol: 'tcp' | 'udp'
}

/** Writes how many services have this end now, and whether any has one: counted, so that doing it twice changes nothing. */
export function countNatEnd(set: MapSet, layout: Layout, end: NatEnd, services: readonly ServiceRow[]): void {
  const { address, port, protocol } = end
  const key = layout.natKey.encode({
    addr: address,
    port,
    proto: word.protocol[protocol],
    family: familyNumber[familyOf(address)],
  })
  const endKey = realServerKey(end)
  const count = services.filter(
    ({ config, reals }) =>
      config.protocol === protocol && reals.some((real) => real.key === endKey && real.forwarding === 'nat'),
  ).length
  const isAny = services.some(({ reals }) => reals.some(({ forwarding }) => forwarding === 'nat'))
  layout.switches.write(set.rows('lb_switches').view, 0, { translates: isAny ? 1 : 0 })
  if (count === 0) set.map('lb_nat_ends').delete(key)
  else set.map('lb_nat_ends').update(key, layout.natEnd.encode({ services: count }))
}
