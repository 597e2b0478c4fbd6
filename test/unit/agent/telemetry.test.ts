import { expect, test } from 'vitest'
import { EventLog } from '../../../agent/events.ts'
import { LatestValue } from '../../../agent/latest-value.ts'
import { eventSentence, eventTemplates } from '../../../core/model/event-sentences.ts'
import { FakeDirector, service, specOf } from '../../fakes/agent.ts'
import { FakeClock } from '../../fakes/clock.ts'
import { Sampler } from '../../../agent/telemetry/sampler.ts'
import { serviceKey } from '../../../core/model/service.ts'
import { realServerConfig, serviceConfig } from '../../fixtures/configs.ts'

test('samples are taken each second and at most 300 are kept, oldest first', async () => {
  const director = new FakeDirector()
  const agent = await director.start()
  await director.apply(specOf(service()))
  await director.clock.advance(400_000)
  const samples = agent.sampler.history()
  expect(samples).toHaveLength(300)
  for (const [i, sample] of samples.slice(1).entries()) expect(sample.monotonicMs - samples[i]!.monotonicMs).toBe(1000)
  expect(samples.at(-1)).toMatchObject({
    counterEpoch: 'epoch-1',
    verdicts: { LB_DROP_FRAGMENT: 0 },
    services: [{ key: 'tcp/192.0.2.10:80', counters: { packetsOut: null } }],
  })
})

test('a slow watcher gets the newest value, not all of them', async () => {
  const latest = new LatestValue<number>()
  const abort = new AbortController()
  const seen: number[] = []
  const watching = (async () => {
    for await (const value of latest.watch(abort.signal)) {
      seen.push(value)
      for (let turn = 0; turn < 10; turn++) await Promise.resolve()
    }
  })()
  for (let value = 1; value <= 100; value++) {
    latest.set(value)
    await Promise.resolve()
  }
  await new Promise((resolve) => setImmediate(resolve))
  abort.abort()
  await watching
  expect(seen.at(-1)).toBe(100)
  expect(seen.length).toBeLessThan(50)
})

test('at most 200 events are kept, with ids that go on', () => {
  const events = new EventLog(new FakeClock(), () => {})
  for (let i = 0; i < 250; i++) events.add('drift.gone', { params: { revision: i } })
  expect(events.list()).toHaveLength(200)
  expect(events.list().at(-1)).toMatchObject({ id: 250, kind: 'drift', params: { revision: 249 } })
})

test('every event has its words in both languages, with the same places', () => {
  const places = (text: string) => [...text.matchAll(/\{\w+\}/g)].map(([place]) => place).toSorted()
  expect(Object.keys(eventTemplates['zh-CN'])).toEqual(Object.keys(eventTemplates.en))
  for (const [key, text] of Object.entries(eventTemplates.en)) {
    expect(places(eventTemplates['zh-CN'][key as keyof typeof eventTemplates.en])).toEqual(places(text))
  }
  const params = { realServer: '192.0.2.20:80', error: 'ETIMEDOUT' }
  expect(eventSentence({ message: 'health.down', params })).toBe('Real server 192.0.2.20:80 is down: ETIMEDOUT')
  expect(eventSentence({ message: 'of.a.newer.agent', params: {} })).toBe('of.a.newer.agent')
})

test('what has not moved is one object in all samples, and a large cluster has a short history', async () => {
  const counters = { connections: 1, packetsIn: 1, bytesIn: 1, packetsOut: 1, bytesOut: 1 }
  const realServers = Array.from({ length: 1000 }, (_, i) => ({
    ...realServerConfig({ address: `10.0.${i >> 8}.${i & 255}` }),
    isUp: true,
  }))
  const observed = { ...serviceConfig(), realServers, ringDigest: null, isForeign: false }
  let packets = 0
  const clock = new FakeClock()
  const sampler = new Sampler({
    clock,
    health: { status: () => ({ health: 'up', checkLatencyMs: 1, checkError: null, sinceMs: 1 }) },
    services: () => [observed],
    dataplane: {
      read: () => ({
        counterEpoch: 'one',
        verdicts: {},
        flowTable: null,
        services: [
          {
            key: serviceKey(observed),
            ringDigest: null,
            counters: { ...counters },
            rates: null,
            realServers: realServers.map(({ address, port }) => ({
              address,
              port,
              activeFlows: 0,
              inactiveFlows: null,
              persistentFlows: null,
              ringShare: null,
              counters: { ...counters, packetsIn: packets },
              rates: null,
            })),
          },
        ],
      }),
    },
  })
  for (let i = 0; i < 300; i++) sampler.take()
  const idle = sampler.history()
  expect(idle).toHaveLength(300)
  expect(new Set(idle.flatMap(({ services }) => services.flatMap((one) => one.realServers))).size).toBe(1000)
  for (let i = 0; i < 300; i++) {
    packets += 1
    sampler.take()
  }
  const busy = sampler.history()
  expect(busy).toHaveLength(40)
  expect(busy.at(-1)?.services[0]?.realServers[0]?.counters.packetsIn).toBe(300)
})
