import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Guest, startGuest } from '../lab/guest/guest.ts'
import { documentOf, GuestAgent, installAgent } from './support/agent.ts'
import {
  allCells,
  type Cell,
  cellName,
  clientAddresses,
  clientOf,
  guestSchedulers,
  localVips,
  portOf,
  serviceOf,
  sharedVips,
  vipOf,
} from './support/cells.ts'
import { judge, requestsPerCell } from './support/judge.ts'
import { addAddresses, layNetwork, serve, takeVips } from './support/network.ts'
import { coverPairs } from './support/pairwise.ts'
import { disagreements, resultTable, tableIn, withTable } from './support/result-table.ts'
import { request } from './support/traffic.ts'

const isLong = process.env['SIGNALBOX_LONG'] === '1'
const withRr = allCells.filter(({ scheduler }) => scheduler === 'rr')
/**
 * Where a client port comes again while its old connection is remembered by IPVS and by conntrack, the kernel drops the
 * first packet on purpose and takes the next one as new (`conn_reuse_mode` 1 with `conntrack` 1,
 * net/netfilter/ipvs/ip_vs_core.c); SCTP sends its INIT again after 3 s. The client waits for that.
 */
const answerWithinMs = 10_000
const cells = isLong ? allCells : [...new Set([...withRr, ...coverPairs(allCells)])]

const documentFile = fileURLToPath(new URL('../../docs/testing.md', import.meta.url))
const artifacts = fileURLToPath(new URL('../../artifacts/', import.meta.url))

let guest: Guest
const results = new Map<string, string>()
beforeAll(async () => {
  guest = await startGuest()
  await layNetwork(guest)
  await addAddresses(guest, 'client', clientAddresses)
  await takeVips(guest, sharedVips)
  const ports = guestSchedulers.map((scheduler) => portOf({ scheduler }))
  await serve(guest, ['in1', 'in2'], ports)
  await serve(guest, ['rs1', 'rs2'], ports, sharedVips)
  await installAgent(guest)
  const agent = await GuestAgent.start(guest)
  await agent.apply(documentOf(cells.map((cell) => serviceOf(cell))))
  // The VIPs are there now.
  await serve(guest, ['director'], ports, localVips)
  const requests = cells.map((cell) => ({
    protocol: cell.protocol,
    vip: vipOf(cell),
    port: portOf(cell),
    count: requestsPerCell,
    more: [`source=${clientOf(cell)}`, `timeout=${answerWithinMs}`],
  }))
  const outcomes = await request(guest, requests)
  for (const [i, cell] of cells.entries()) {
    results.set(cellName(cell), judge(cell, outcomes[i] ?? { answers: [], failures: [] }))
  }
  mkdirSync(artifacts, { recursive: true })
  writeFileSync(`${artifacts}traffic-matrix.md`, `${resultTable(results)}\n`)
}, 600_000)
afterAll(() => guest?.stop())

const failed = (some: readonly Cell[]): string[] =>
  some.map(cellName).flatMap((name) => (results.get(name) === 'pass' ? [] : [`${name}: ${results.get(name)}`]))

test('every mode balances every family and protocol evenly by rr, and shows the client that it promises', () => {
  expect(withRr).toHaveLength(66)
  expect(failed(withRr)).toEqual([])
})

test(`${isLong ? 'every combination' : 'every pair'} of mode, family, protocol and scheduler carries traffic`, () => {
  expect(failed(cells)).toEqual([])
})

test('the table of docs/testing.md says what this run has found', () => {
  const document = readFileSync(documentFile, 'utf8')
  const told = isLong ? withTable(document, resultTable(results)) : document
  if (told !== document) writeFileSync(documentFile, told)
  expect(disagreements(tableIn(told), results)).toEqual([])
})
