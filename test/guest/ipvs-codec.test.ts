import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { errnoRows, syncInterface, tables } from '../fixtures/ipvs-scenarios.ts'
import { type Guest, startGuest } from '../lab/guest/guest.ts'
import { golden } from '../unit/ipvs/golden.ts'
import type { IpvsFacts } from './ipvs/codec-program.ts'
import { installProgram } from './ipvs/install-program.ts'

// Every command of IPVS on a real kernel: what is set comes back, and each refusal has the errno that the agent explains.

let guest: Guest
let facts: IpvsFacts
beforeAll(async () => {
  guest = await startGuest()
  const program = await installProgram(guest, 'test/guest/ipvs/codec-program.ts')
  // A namespace of its own: services and daemons of other tests are not in it.
  await guest.run(`ip netns add codec
    ip -n codec link set lo up
    ip -n codec link add ${syncInterface} type dummy
    ip -n codec addr add 198.51.100.1/24 dev ${syncInterface}
    ip -n codec link set ${syncInterface} up`)
  const ran = await guest.exec(['node', program], { host: 'codec', timeoutMs: 120_000 })
  if (ran.code !== 0) throw new Error(ran.stderr)
  facts = JSON.parse(ran.stdout) as IpvsFacts
})
afterAll(() => guest?.stop())

const rows = errnoRows.map((row, index) => ({ ...row, index }))

describe('IPVS of a real kernel', () => {
  test.each(rows)('$action: $situation gives $errno', ({ index, errno }) => {
    expect(facts.errnos[index]).toBe(errno)
  })

  test('every attribute of services and real servers comes back as it was set', () => {
    expect(facts.refused.filter((refusal) => refusal !== null)).toEqual([])
    expect(facts.table).toHaveLength(tables.length)
    for (const { service, destinations } of tables) {
      const found = facts.table.find(({ id }) => JSON.stringify(id) === JSON.stringify(service.id))
      expect(found).toMatchObject({ ...service, destinations: destinations.toReversed() })
    }
  })

  test('sync daemons keep what they were started with; a message size is raised to what the kernel needs', () => {
    const common = { interface: syncInterface }
    expect(facts.daemons).toEqual([
      { ...common, state: 'master', syncId: 7, maxLength: 1472, group: '224.0.0.81', port: 8848, ttl: 1 },
      { ...common, state: 'backup', syncId: 255, maxLength: 1024, group: '239.1.2.3', port: 9000, ttl: 3 },
    ])
  })

  test('a timeout that is left out stays', () => {
    expect(facts.timeouts).toEqual([
      { tcpSec: 900, tcpFinSec: 120, udpSec: 300 },
      { tcpSec: 800, tcpFinSec: 120, udpSec: 10 },
    ])
  })

  test('the recorded answers of the unit tests are what this kernel answers', () => {
    for (const [name, command] of Object.entries({
      services: 1,
      destinations: 5,
      daemons: 9,
      timeouts: 12,
      info: 14,
    })) {
      const recorded = golden(`all-${name}-6.1`).map(({ attributes }) => attributes.toString('hex'))
      expect(facts.recorded[command]?.map((hex) => hex.slice(8)).toSorted(), name).toEqual(recorded.toSorted())
    }
  })

  test('without its module, and without permission, IPVS gives other answers than an empty table', async () => {
    const program = await installProgram(guest, 'test/guest/ipvs/open-program.ts')
    const ask = async (...before: string[]) =>
      JSON.parse(await guest.run([...before, 'node', program].join(' '))) as unknown
    const noCapabilities = ['setpriv', '--bounding-set=-all', '--inh-caps=-all', '--']
    expect(await ask()).toMatchObject({ availability: 'ready', services: 0 })
    expect(await ask(...noCapabilities)).toMatchObject({ availability: 'no-permission' })
    // The kernel loads the module when it is asked for the family: only where it may not is it "not loaded".
    await guest.run("ip netns del codec; rmmod $(lsmod | grep -o '^ip_vs_[a-z_]*'); rmmod xt_ipvs ip_vs")
    expect(await ask()).toMatchObject({ availability: 'ready', services: 0 })
    await guest.run("ipvsadm -C; rmmod ip_vs; echo 'install ip_vs /bin/false' > /etc/modprobe.d/no-ipvs.conf")
    expect(await ask()).toMatchObject({ availability: 'module-not-loaded', hint: /modprobe/ })
    await guest.run('rm -r /lib/modules/*/kernel/net/netfilter/ipvs; depmod')
    expect(await ask()).toMatchObject({ availability: 'module-missing' })
  })
})
