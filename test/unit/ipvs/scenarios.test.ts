import { expect, test } from 'vitest'
import { IpvsClient } from '../../../agent/dataplane/ipvs/client.ts'
import { FakeIpvsKernel } from '../../fakes/ipvs-kernel.ts'
import { errnoRows, operationsFor, startingTable, syncInterface, tables } from '../../fixtures/ipvs-scenarios.ts'

// The fake refuses what the kernel refuses: the guest lane runs the same rows against Linux 6.1.

function start(): IpvsClient {
  const kernel = new FakeIpvsKernel()
  kernel.interfaces.add(syncInterface)
  return new IpvsClient(kernel)
}

test.each(errnoRows)('$action: $situation gives $errno', ({ act, errno }) => {
  const client = start()
  client.change(startingTable)
  expect(act(client)).toBe(errno)
})

test('tables with every attribute come back as they were set', () => {
  const client = start()
  expect(client.change(operationsFor(tables)).every((error) => error === null)).toBe(true)
  expect(client.table()).toMatchObject(
    tables.map(({ service, destinations }) => ({ ...service, destinations: destinations.toReversed() })),
  )
})
