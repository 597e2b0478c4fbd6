import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { machineState } from '../lab/machine-state.ts'

const program = fileURLToPath(new URL('../lab/demo.ts', import.meta.url))
const start = (...args: string[]) =>
  spawn(process.execPath, [program, ...args], { stdio: ['ignore', 'pipe', 'ignore'] })

/** Links of labs that run beside this test have nothing to do with it. */
const withoutLabLinks = (state: Awaited<ReturnType<typeof machineState>>) => ({
  ...state,
  links: (state['links'] ?? []).filter((name) => !name.startsWith('sblab')),
})

test('the smoke goes the whole main path, and leaves the machine as it was', async () => {
  const before = withoutLabLinks(await machineState())
  const child = start('--smoke')
  const [output, [code]] = await Promise.all([text(child.stdout), once(child, 'exit') as Promise<[number | null]>])
  expect(JSON.parse(output)).toMatchObject({ requests: 300, failed: 0, clientAddressSeen: true })
  expect(code).toBe(0)
  expect(withoutLabLinks(await machineState())).toEqual(before)
}, 180_000)

test('a demo says when it is ready, a second one gives a link to the first, and SIGTERM leaves nothing', async () => {
  const before = withoutLabLinks(await machineState())
  const first = start('--headless', '--no-open', '--json')
  const [line] = (await once(createInterface({ input: first.stdout }), 'line')) as [string]
  const ready = JSON.parse(line) as { event: string; url: string; token: string; realServers: string[] }
  expect(ready).toMatchObject({ event: 'ready', director: { port: 22, user: 'root' } })
  expect(ready.url).toContain(ready.token)
  expect(ready.realServers).toHaveLength(3)
  const opened = await fetch(ready.url, { redirect: 'manual' })
  expect([opened.status, opened.headers.get('location')]).toEqual([303, '/'])
  expect((await fetch(ready.url, { redirect: 'manual' })).status).toBe(403)

  const second = start('--headless', '--no-open', '--json')
  const running = JSON.parse(await text(second.stdout)) as { event: string; url: string }
  expect(running.event).toBe('running')
  expect((await fetch(running.url, { redirect: 'manual' })).status).toBe(303)

  const ended = once(first, 'exit')
  first.kill('SIGTERM')
  expect(await ended).toEqual([0, null])
  expect(withoutLabLinks(await machineState())).toEqual(before)
}, 120_000)
