import { afterAll, beforeAll, expect, test } from 'vitest'
import { emptySpec } from '../../core/model/cluster-spec.ts'
import { type Lab, startLab } from '../lab/lab.ts'
import { directorId, type LabConsole, openLabConsole, targetOf } from './console-in-lab.ts'

let lab: Lab
let before: string

/** What an installation may touch on the director. */
const footprint = async (): Promise<string> => {
  const script = `
    ls -A /opt /run /var/lib /var/log /usr/local/bin /sys/fs/bpf 2>/dev/null | grep -v -e '^sudo$' -e utmp
    find /etc -type f ! -name '*-' ! -name .pwd.lock -exec sha256sum {} + | sort -k 2
    getent group | sort; getent passwd | sort
    ip -brief addr; ip -brief link | awk '{print $1}'`
  return (await lab.exec('director', ['sh', '-c', script], { mustSucceed: true })).stdout
}

beforeAll(async () => {
  lab = await startLab({
    realServers: 2,
    director: {
      accounts: [{ name: 'admin', sudo: true }, { name: 'member', groups: ['signalbox'] }, { name: 'nobody-special' }],
    },
  })
  before = await footprint()
})
afterAll(() => lab.stop())

let opened: LabConsole | undefined
async function withConsole<T>(user: string, work: (console: LabConsole) => Promise<T>): Promise<T> {
  opened = await openLabConsole(lab, targetOf(lab, 'director', user))
  try {
    return await work(opened)
  } finally {
    await opened.close()
  }
}

const stepOf = (session: { steps: { id: string; detail: string | null }[] }, id: string) =>
  session.steps.find((step) => step.id === id)

test('a login without root is named before anything is changed', async () => {
  await withConsole('nobody-special', async (console) => {
    await console.client.call('directors.connect', { directorId })
    const asked = await console.until('the host key', ({ question }) => question !== null)
    expect(asked.question).toMatchObject({ kind: 'hostKey', fingerprint: lab.host('director').fingerprint })
    await console.answer(asked.question, { kind: 'accept' })
    const { error } = await console.until('the failure', ({ phase }) => phase === 'failed')
    expect(error).toMatchObject({ code: 'HOST_UNFIT' })
    expect(Object.keys(error?.details ?? {})).toEqual(['unfit.root'])
  })
  expect(await footprint()).toBe(before)
})

test('from nothing to a director that answers, and the agent speaks of this host', async () => {
  await withConsole('root', async (console) => {
    const session = await console.connectReady()
    expect(session).toMatchObject({ transport: 'stream-local', hello: { hostname: 'director' } })
    expect(console.sessions.some(({ steps }) => stepOf({ steps }, 'install')?.detail === 'uploading')).toBe(true)
    expect(Math.abs(session.clockSkewMs ?? 1e9)).toBeLessThan(500)
    expect(session.hello?.interfaces.map(({ name }) => name)).toContain('eth0')
  })
})

test('an agent that runs is used as it is', async () => {
  await withConsole('root', async (console) => {
    const session = await console.connectReady()
    expect(stepOf(session, 'install')?.detail).toBe('notNeeded')
    const spec = emptySpec('lab')
    const plan = await console.client.call('director.cluster.plan', { directorId, input: { spec } })
    expect(plan.steps).toEqual([])
  })
})

test('a member of the group goes straight to the socket, an administrator over sudo', async () => {
  await withConsole('member', async (console) => {
    expect(await console.connectReady()).toMatchObject({ transport: 'stream-local', hello: { access: 'change' } })
  })
  await withConsole('admin', async (console) => {
    const session = await console.connectReady()
    expect(session).toMatchObject({ transport: 'exec', hello: { access: 'change' } })
    expect(stepOf(session, 'handshake')?.detail).toBe('socketForbidden')
  })
})

test('a VIP equal to the address that SSH came in by is refused without the page having said so', async () => {
  await withConsole('root', async (console) => {
    await console.connectReady()
    const { management } = lab.host('director').addresses
    const service = { name: 'web', vip: management ?? '', port: 80, realServers: [], allowOwnAddress: true }
    const planning = console.client.call('director.cluster.plan', {
      directorId,
      input: { spec: { ...emptySpec('lab'), services: [service] } },
    })
    await expect(planning).rejects.toMatchObject({
      code: 'BAD_INPUT',
      issues: [{ expectation: 'notManagementAddress' }],
    })
  })
})

test('removing the agent leaves the director as it was', async () => {
  await withConsole('admin', async (console) => {
    await console.connectReady()
    const { removed } = await console.client.call('directors.removeAgent', { directorId, keepTraffic: false })
    expect(removed).toContain('/opt/signalbox')
    await console.until('disconnected', ({ phase }) => phase === 'disconnected')
  })
  expect(await footprint()).toBe(before)
})

test('an administrator without root installs over sudo, and nothing stays in the home', async () => {
  await withConsole('admin', async (console) => {
    const session = await console.connectReady()
    expect(session.transport).toBe('exec')
    const { stdout } = await lab.exec('director', ['ls', '-A', '/home/admin'], { mustSucceed: true })
    expect(stdout).not.toContain('signalbox')
    await console.client.call('directors.removeAgent', { directorId, keepTraffic: false })
  })
  expect(await footprint()).toBe(before)
})
