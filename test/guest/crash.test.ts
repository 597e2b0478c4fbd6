// The agent is cut off in the middle of an apply of 200 steps: afterwards the kernel holds the old state or the new one,
// by the eyes of ipvsadm, ip, sysctl and nft.
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { crashDocuments } from '../fixtures/crash-documents.ts'
import { type Guest, startGuest } from '../lab/guest/guest.ts'
import { makeTopology } from '../lab/guest/topology.ts'
import { installProgram } from './ipvs/install-program.ts'
import type { Cut } from './safety/crash-program.ts'
import { installAgent } from './support/agent.ts'
import { Director } from './support/director.ts'

const isLong = process.env['SIGNALBOX_LONG'] === '1'

let guest: Guest
beforeAll(async () => {
  guest = await startGuest()
  await installAgent(guest)
})
afterAll(() => guest?.stop())

/** Changes of disk and kernel in the apply, and a few behind its end. */
const changes = 240

test('cut off at one of 50 places, it ends in the old state or the new one', { timeout: 1_500_000 }, async () => {
  await makeTopology(guest)
  const program = await installProgram(guest, 'test/guest/safety/crash-program.ts')
  const steps = isLong ? changes : 56
  const places = Array.from({ length: steps }, (_, i) => Math.floor((i * changes) / (steps - 1)))
  const { code, stdout, stderr } = await guest.exec(['node', program, ...places.map(String)], {
    host: 'director',
    timeoutMs: 1_400_000,
  })
  const cuts = stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Cut)
  const ends = Object.groupBy(cuts, ({ end }) => end)
  console.log(
    `${cuts.length} cuts: ${ends.old?.length ?? 0} old, ${ends.new?.length ?? 0} new, at the end ${cuts.filter(({ at }) => at === null).length}`,
  )
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  expect(cuts.filter(({ end, drift }) => end === 'neither' || drift > 0)).toEqual([])
  expect(cuts).toHaveLength(places.length)
  expect(cuts.filter(({ at }) => at !== null).length).toBeGreaterThanOrEqual(50)
  expect(ends.new?.length).toBeGreaterThan(0)
})

/** A sequence that is the same in each run. */
function* random(seed: number): Generator<number, never> {
  for (let value = seed; ; ) {
    value = (Math.imul(value, 1_664_525) + 1_013_904_223) >>> 0
    yield value / 2 ** 32
  }
}

const times = isLong ? 50 : 4
test(`killed ${times} times with SIGKILL, it ends in the old state or the new one`, {
  timeout: 1_500_000,
}, async () => {
  await makeTopology(guest)
  const director = await new Director(guest, { host: 'director' }).start()
  const look = async (): Promise<string> =>
    (
      await guest.run(
        'ipvsadm -Sn; ip -br addr show e0; sysctl net.ipv4.ip_forward net.ipv4.vs.conntrack; nft list ruleset',
        { host: 'director' },
      )
    )
      .split('\n')
      .toSorted()
      .join('\n')
  const { before, after } = crashDocuments({ front: '10.1.0', back: '10.2.0' })
  await director.apply(before)
  const looks = { before: await look(), after: '' }
  const startedAt = performance.now()
  await director.apply(after)
  const applyMs = performance.now() - startedAt
  looks.after = await look()
  let present: 'before' | 'after' = 'after'
  const ends: string[] = []
  const fractions = random(7)
  for (let i = 0; i < times; i++) {
    const wanted = present === 'before' ? 'after' : 'before'
    const applying = director.tryApply(wanted === 'before' ? before : after).catch(() => undefined)
    await delay(fractions.next().value * applyMs)
    await director.kill()
    await applying
    await director.start()
    const { drift } = await director.state()
    const seen = await look()
    expect([looks.before, looks.after]).toContain(seen)
    expect(drift).toEqual([])
    present = seen === looks.before ? 'before' : 'after'
    ends.push(present === wanted ? 'new' : 'old')
  }
  console.log(`an apply takes ${Math.round(applyMs)} ms; ends: ${ends.join(' ')}`)
})
