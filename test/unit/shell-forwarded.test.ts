import { expect, test } from 'vitest'
import { agentContract } from '../../core/contract/agent.ts'
import { consoleContract } from '../../core/contract/console.ts'
import { type Contract, timeoutOf } from '../../core/contract/define.ts'

test('everything that an agent can do can be asked of the console, for one director', () => {
  const offered: Contract = consoleContract
  for (const [name, own] of Object.entries(agentContract)) {
    const entry = offered[`director.${name}`]
    expect([name, entry?.kind, entry?.access]).toEqual([name, own.kind, own.access])
    if (entry?.kind === 'method' && own.kind === 'method') {
      expect(entry.output).toBe(own.output)
      // The core's TIMEOUT, which names the director, comes before the page gives up.
      expect(timeoutOf(entry)).toBeGreaterThan(timeoutOf(own))
    }
    expect(entry?.input.safeParse({ directorId: '../etc', input: {} }).success).toBe(false)
    expect(entry?.input.safeParse({ input: {} }).success).toBe(false)
  }
})

test('the agent’s input is parsed on the way, with its fields named from the call’s root', () => {
  const { input } = consoleContract['director.flow.lookup']
  const result = input.safeParse({ directorId: 'lb1', input: { clientPort: 70000, vip: '192.0.2.1', port: 80 } })
  expect(result.error?.issues.map(({ path }) => path)).toContainEqual(['input', 'clientPort'])
})
