import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Guest, startGuest } from '../lab/guest/guest.ts'
import { GuestAgent, installAgent } from './support/agent.ts'
import { linesOf, linesOfSave, linesOfThresholds, seenBy, thresholdsOf, wantedBy } from './support/ipvsadm-listing.ts'
import { layNetwork } from './support/network.ts'
import { changingDocuments, seeded } from './support/random-document.ts'
import { Shell } from './support/shell.ts'

const seed = 20_260_411
const changes = 500

let guest: Guest
let agent: GuestAgent
let shell: Shell
beforeAll(async () => {
  guest = await startGuest()
  await layNetwork(guest)
  await installAgent(guest)
  agent = await GuestAgent.start(guest)
  shell = new Shell(guest, 'director')
}, 300_000)
afterAll(() => guest?.stop())

test(`after each of ${changes} random changes ipvsadm and the agent say the same`, async () => {
  const startedAt = performance.now()
  const documents = changingDocuments(seeded(seed))
  for (let change = 1; change <= changes; change++) {
    const { value: spec } = documents.next()
    if (spec === undefined) throw new Error('the documents have ended')
    await agent.apply(spec)
    // The agent's answer says that what it then saw is what the document wants; here is what ipvsadm sees.
    const isThorough = change % 10 === 0
    const saved = await shell.run(`ipvsadm -Sn${isThorough ? '; ipvsadm -Ln --thresholds' : ''}`)
    const [rules = '', listing = ''] = saved.split('IP Virtual Server')
    const wanted = wantedBy(spec)
    const context = `change ${change}: ${JSON.stringify(spec.services)}`
    expect(linesOfSave(rules), context).toEqual(linesOf(wanted))
    if (!isThorough) continue
    expect(linesOfThresholds(listing), context).toEqual(thresholdsOf(wanted))
    const seen = seenBy(await agent.state())
    expect([linesOf(seen), thresholdsOf(seen)], context).toEqual([linesOf(wanted), thresholdsOf(wanted)])
  }
  console.log(`${changes} changes: ${((performance.now() - startedAt) / 1000).toFixed(1)} s`)
}, 600_000)
