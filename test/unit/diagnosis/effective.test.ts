import { expect, test } from 'vitest'
import { type CombinedSysctl, effectiveValue } from '../../../core/diagnosis/effective.ts'

/** [all, interface, effective] for each rule; the maxima and the or of accept_local were tried on a kernel. */
const tables: [string, CombinedSysctl[], [number, number, number][]][] = [
  [
    'the greater value counts',
    ['rp_filter', 'arp_ignore', 'arp_announce', 'arp_notify', 'arp_accept'],
    [
      [0, 0, 0],
      [1, 0, 1],
      [0, 1, 1],
      [1, 2, 2],
      [2, 1, 2],
      [8, 1, 8],
    ],
  ],
  [
    'either switches on',
    ['accept_local', 'send_redirects', 'log_martians', 'arp_filter', 'proxy_arp', 'promote_secondaries'],
    [
      [0, 0, 0],
      [1, 0, 1],
      [0, 1, 1],
      [1, 1, 1],
    ],
  ],
  [
    'both are needed',
    ['accept_source_route', 'mc_forwarding', 'bc_forwarding', 'arp_evict_nocarrier'],
    [
      [0, 0, 0],
      [1, 0, 0],
      [0, 1, 0],
      [1, 1, 1],
    ],
  ],
  [
    'the interface alone counts',
    ['forwarding'],
    [
      [0, 0, 0],
      [1, 0, 0],
      [0, 1, 1],
      [1, 1, 1],
    ],
  ],
]

for (const [rule, names, rows] of tables) {
  test.each(names)(`${rule}: %s`, (name) => {
    for (const [all, own, effective] of rows) {
      expect([all, own, effectiveValue(name, all, own)]).toEqual([all, own, effective])
    }
  })
}
