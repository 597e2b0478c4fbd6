import { expect, test } from 'vitest'
import { AppError } from '../../../core/contract/errors.ts'
import type { Fix } from '../../../core/diagnosis/finding.ts'
import { carryOut, takeBack } from '../../../main/console/checks/carry-out.ts'
import { chooseFixes } from '../../../main/console/checks/choose-fixes.ts'
import { createFixStore } from '../../../main/console/checks/fix-store.ts'
import { createHostLocks } from '../../../main/console/checks/host-locks.ts'
import { mergeJobs } from '../../../main/console/checks/merge-streams.ts'
import type { HostCommand, HostShell } from '../../../main/console/hosts.ts'
import type { ClockPort, StorePort } from '../../../main/console/ports.ts'
import { judgeRealServer, realServer } from './hosts.ts'

/**
 * A host that keeps a set of words: `add X` fails where X is there, `del X` removes it, `fail` always fails, `cut` loses
 * the connection after the word was added.
 */
function wordHost(): { shell: HostShell; words: Set<string>; typed: string[] } {
  const words = new Set<string>()
  const typed: string[] = []
  const run = async (command: HostCommand) => {
    const line = 'script' in command ? command.script : command.join(' ')
    typed.push(line)
    const [verb = '', word = ''] = line.split(' ')
    if (verb === 'cut') {
      words.add(word)
      throw new AppError('CLOSED', 'The connection ended.')
    }
    const failed = verb === 'fail' || (verb === 'add' && words.has(word))
    if (verb === 'add') words.add(word)
    if (verb === 'del') words.delete(word)
    return { code: failed ? 3 : 0, signal: null, stdout: '', stderr: failed ? 'no\n' : '' }
  }
  return { shell: { host: '192.0.2.11', user: 'root', canBeRoot: async () => true, run }, words, typed }
}

const fixOf = (commands: string[], undo: string[]): Fix => ({
  id: 'DR5@192.0.2.11',
  rule: 'DR5',
  host: '192.0.2.11',
  commands,
  undo,
  files: [],
  survivesReboot: true,
  requires: [],
})
const signal = new AbortController().signal

test('a fix that fails names command, exit code and stderr, and what came before is gone', async () => {
  const { shell, words } = wordHost()
  const failing = carryOut(shell, fixOf(['add a', 'add b', 'fail'], ['del c', 'del b', 'del a']), signal)
  await expect(failing).rejects.toMatchObject({
    message: 'On 192.0.2.11 "fail" ended with exit code 3: no',
    details: { command: 'fail', exitCode: '3', stderr: 'no' },
  })
  expect([...words]).toEqual([])
})

test('what cannot be taken back is named', async () => {
  const { shell, words } = wordHost()
  const failing = carryOut(shell, fixOf(['add a', 'add b', 'fail'], ['true', 'fail b', 'del a']), signal)
  await expect(failing).rejects.toMatchObject({ details: { notUndone: 'fail b' } })
  expect([...words]).toEqual(['b'])
})

test('a line whose end nobody knows is taken back too', async () => {
  const { shell, words } = wordHost()
  const failing = carryOut(shell, fixOf(['add a', 'cut b'], ['del b', 'del a']), signal)
  await expect(failing).rejects.toMatchObject({ code: 'CLOSED' })
  expect([...words]).toEqual([])
})

test('a fix that is called off before it starts runs nothing', async () => {
  const { shell, typed } = wordHost()
  const failing = carryOut(shell, fixOf(['add a'], ['del a']), AbortSignal.abort())
  await expect(failing).rejects.toMatchObject({ code: 'CANCELLED' })
  expect(typed).toEqual([])
})

test('an undo stops at the first line that fails', async () => {
  const { shell, typed } = wordHost()
  await expect(takeBack(shell, fixOf([], ['del b', 'fail', 'del a']))).rejects.toMatchObject({ code: 'REFUSED' })
  expect(typed).toEqual(['del b', 'fail'])
})

test('fixes are chosen in their order, and well rows are passed over', () => {
  const findings = judgeRealServer(realServer({ settings: { 'all.arp_announce': 2 } }))
  const ids = ['DR4@192.0.2.11', 'DR6@192.0.2.11', 'DR5@192.0.2.11']
  expect(chooseFixes(ids, findings, undefined).map(({ rule }) => rule)).toEqual(['DR5', 'DR4'])
})

test('a fix that does not exist, has no command or needs another one is refused', () => {
  const findings = judgeRealServer(realServer({ listeners: [] }))
  const refusal = (id: string) => () => chooseFixes([id], findings, undefined)
  expect(refusal('constructor@192.0.2.11')).toThrow(/found "constructor@192.0.2.11"/)
  expect(refusal('DR8@192.0.2.11')).toThrow(/no command that cures DR8/)
  expect(refusal('DR4@192.0.2.11')).toThrow(/DR5 and DR6 must be fixed before DR4/)
})

test('no more jobs than the limit run at once, and their items come as they are made', async () => {
  let [running, most] = [0, 0]
  const gates = Array.from({ length: 6 }, () => Promise.withResolvers<void>())
  const jobs = gates.map((gate, i) => async (emit: (item: string) => void) => {
    most = Math.max(most, ++running)
    emit(`start ${i}`)
    await gate.promise
    running--
    emit(`end ${i}`)
  })
  const items: string[] = []
  for await (const item of mergeJobs(jobs, 2)) {
    items.push(item)
    // The later of those that run ends first.
    if (item === 'start 1') gates[1]?.resolve()
    if (item === 'end 1') gates[0]?.resolve()
    if (item === 'start 2') for (const gate of gates.slice(2)) gate.resolve()
  }
  expect(most).toBe(2)
  expect(items.slice(0, 3)).toEqual(['start 0', 'start 1', 'end 1'])
  expect(items.length).toBe(12)
})

test('the first failure ends the stream, after what runs has ended', async () => {
  let isDone = false
  const jobs = [
    async () => {
      throw new Error('broken')
    },
    async () => {
      await Promise.resolve()
      isDone = true
    },
  ]
  await expect(async () => {
    for await (const _ of mergeJobs<never>(jobs, 2));
  }).rejects.toThrow('broken')
  expect(isDone).toBe(true)
})

test('work on one host takes turns, also after a failure', async () => {
  const locks = createHostLocks()
  const order: string[] = []
  const first = locks.exclusively('a', async () => {
    await Promise.resolve()
    order.push('first')
    throw new Error('no')
  })
  const second = locks.exclusively('a', async () => void order.push('second'))
  await expect(first).rejects.toThrow('no')
  await second
  expect(order).toEqual(['first', 'second'])
})

const clock = { nowMs: () => 1000 } as unknown as ClockPort

test('applied fixes outlive a restart, each under its own id', async () => {
  const documents = new Map<string, unknown>()
  const store: StorePort = {
    read: async (name) => documents.get(name),
    write: async (name, document) => void documents.set(name, JSON.parse(JSON.stringify(document))),
    setAside: async () => 'elsewhere',
  }
  const fixes = createFixStore(store, clock, () => {})
  const fix = fixOf(['add a'], ['del a'])
  const [one, two] = [
    await fixes.add('lb1', 'tcp/192.0.2.100:80', fix),
    await fixes.add('lb1', 'tcp/192.0.2.100:80', fix),
  ]
  expect(one.id).not.toBe(two.id)
  await fixes.markUndone(one.id)
  const restarted = createFixStore(store, clock, () => {})
  expect((await restarted.list('lb1')).map(({ id, undoneAtMs }) => [id, undoneAtMs])).toEqual([
    [one.id, 1000],
    [two.id, null],
  ])
  expect(await restarted.list('lb2')).toEqual([])
  await restarted.drop(two.id)
  expect((await restarted.list('lb1')).length).toBe(1)
})
