import fc from 'fast-check'
import { createServer } from 'node:net'
import { expect, test } from 'vitest'
import { targetsOf } from '../../../agent/health/targets.ts'
import { probeTcp } from '../../../agent/health/tcp-probe.ts'
import { judge, unknown, type Verdict } from '../../../agent/health/verdict.ts'
import { FakeDirector, service, specOf } from '../../fakes/agent.ts'
import { realServerConfig, serviceConfig } from '../../fixtures/configs.ts'

const check = { type: 'tcp' as const, intervalMs: 1000, timeoutMs: 800, rise: 2, fall: 2 }
const key = 'tcp/192.0.2.10:80'
const dead = { isUp: false, error: 'ECONNREFUSED' } as const

async function serving(): Promise<FakeDirector> {
  const director = new FakeDirector()
  await director.start()
  await director.apply(specOf(service({ check })))
  await director.clock.advance(2_500)
  return director
}
const isUp = (director: FakeDirector, address: string): boolean | undefined =>
  director.kernel.services.get(key)?.realServers.find((one) => one.address === address)?.isUp
const shown = (director: FakeDirector, address: string) =>
  director.agent.sampler.take().services[0]?.realServers.find((one) => one.address === address)
const eventsOf = (director: FakeDirector) =>
  director.agent
    .state()
    .events.filter((event) => event.kind === 'health')
    .map(({ message, realServer, params }) => ({ message, realServer, error: params['error'] }))

test('a dead real server is out of the ring within fall checks, and back after rise checks', async () => {
  const director = await serving()
  expect(shown(director, '192.0.2.21')).toMatchObject({ health: 'up', checkLatencyMs: 1, checkError: null })
  director.checks.set('192.0.2.21:80', dead)
  await director.clock.advance(1_000)
  expect(isUp(director, '192.0.2.21')).toBe(true)
  await director.clock.advance(1_000)
  expect(isUp(director, '192.0.2.21')).toBe(false)
  expect(isUp(director, '192.0.2.20')).toBe(true)
  expect(shown(director, '192.0.2.21')).toMatchObject({
    health: 'down',
    checkLatencyMs: null,
    checkError: 'ECONNREFUSED',
  })
  director.checks.delete('192.0.2.21:80')
  await director.clock.advance(2_000)
  expect(isUp(director, '192.0.2.21')).toBe(true)
  expect(eventsOf(director)).toEqual([
    { message: 'health.down', realServer: '192.0.2.21:80', error: 'ECONNREFUSED' },
    { message: 'health.up', realServer: '192.0.2.21:80', error: undefined },
  ])
})

test('a newcomer that is dead is out after its first check', async () => {
  const director = await serving()
  director.checks.set('192.0.2.22:80', dead)
  await director.apply(
    specOf(service({ check, realServers: [...service().realServers, { address: '192.0.2.22', port: 80 }] })),
  )
  await director.clock.advance(100)
  expect(isUp(director, '192.0.2.22')).toBe(false)
})

test('one endpoint in two services is checked once, and both are told', async () => {
  const director = await serving()
  await director.apply(specOf(service({ check }), service({ check, name: 'b', vip: '192.0.2.11' })))
  director.checks.set('192.0.2.21:80', dead)
  await director.clock.advance(2_100)
  expect(director.kernel.history.filter((call) => call.startsWith('health'))).toEqual([
    'health tcp/192.0.2.10:80 192.0.2.21:80 down',
    'health tcp/192.0.2.11:80 192.0.2.21:80 down',
  ])
})

test('an agent that comes back neither raises the dead nor drops the living at its first failed check', async () => {
  const director = await serving()
  director.checks.set('192.0.2.21:80', dead)
  await director.clock.advance(2_100)
  director.kill()
  director.checks.set('192.0.2.20:80', dead)
  await director.start()
  expect(isUp(director, '192.0.2.21')).toBe(false)
  expect(isUp(director, '192.0.2.20')).toBe(true)
  await director.clock.advance(1_100)
  expect(isUp(director, '192.0.2.20')).toBe(false)
})

test('an offline real server is not checked, one in drain is', async () => {
  const [first, second] = service().realServers
  const spec = specOf(
    service({
      check,
      realServers: [
        { ...first, state: 'offline' },
        { ...second, state: 'drain' },
      ],
    }),
  )
  const director = await serving()
  await director.apply(spec)
  await director.clock.advance(3_000)
  expect([...targetsOf(director.agent.reconciler.observed.services).keys()]).toEqual(['192.0.2.21:80'])
  expect(shown(director, '192.0.2.20')?.health).toBe('unknown')
  expect(shown(director, '192.0.2.21')?.health).toBe('up')
})

test('a check that is switched off leaves nobody down', async () => {
  const director = await serving()
  director.checks.set('192.0.2.21:80', dead)
  await director.clock.advance(2_100)
  await director.apply(specOf(service()))
  await director.clock.advance(100)
  expect(isUp(director, '192.0.2.21')).toBe(true)
})

test('of two checks for one endpoint the shorter interval counts', () => {
  const of = (intervalMs: number, vip: string) => ({
    ...serviceConfig({ vip, check: { ...check, intervalMs } }),
    ringDigest: '',
    isForeign: false,
    realServers: [{ ...realServerConfig(), isUp: true }],
  })
  for (const order of [
    [of(2000, '192.0.2.10'), of(1000, '192.0.2.11')],
    [of(1000, '192.0.2.10'), of(2000, '192.0.2.11')],
  ]) {
    const target = targetsOf(order).get('192.0.2.20:80')
    expect(target?.check.intervalMs).toBe(1000)
    expect(target?.services).toEqual(['tcp/192.0.2.10:80', 'tcp/192.0.2.11:80'])
  }
})

test('a state changes only after that many results against it in a row', () => {
  fc.assert(
    fc.property(
      fc.array(fc.boolean()),
      fc.integer({ min: 1, max: 5 }),
      fc.integer({ min: 1, max: 5 }),
      (results, rise, fall) => {
        let verdict: Verdict = unknown
        let against = 0
        for (const [i, passed] of results.entries()) {
          const before = verdict.isUp
          verdict = judge(verdict, passed ? { isUp: true, latencyMs: 1 } : dead, { rise, fall })
          if (i === 0) expect(verdict.isUp).toBe(passed)
          else {
            against = passed === before ? 0 : against + 1
            const isDue = against >= (passed ? rise : fall)
            expect(verdict.isUp).toBe(against > 0 && isDue ? passed : before)
            if (isDue) against = 0
          }
        }
      },
    ),
  )
})

test('a listener is up, a closed port is refused', async () => {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  expect(await probeTcp('127.0.0.1', port, 1000)).toMatchObject({ isUp: true })
  await new Promise((resolve) => server.close(resolve))
  expect(await probeTcp('127.0.0.1', port, 1000)).toEqual({ isUp: false, error: 'ECONNREFUSED' })
})
