import { afterAll, beforeAll, expect, test } from 'vitest'
import { writeClusterYaml } from '../../core/formats/yaml/write.ts'
import { type Lab, startLab } from '../lab/lab.ts'
import {
  agentPid,
  emptyDocument,
  installAgent,
  labSpec,
  signalbox,
  status,
  statusWhere,
  traces,
} from './agent-in-lab.ts'

let lab: Lab
let before: string
beforeAll(async () => {
  const accounts = [
    { name: 'operator1', groups: ['signalbox'] },
    { name: 'viewer1', groups: ['signalbox-view'] },
    { name: 'nobody1' },
  ]
  lab = await startLab({ realServers: 1, httpServers: false, director: { accounts } })
  before = await traces(lab)
})
afterAll(() => lab?.stop())

const as = (user: string, args: string[], stdin = '') =>
  lab.exec('director', ['runuser', '-u', user, '--', 'signalbox', ...args], { stdin })
const sh = (script: string) => lab.exec('director', ['sh', '-ec', script], { mustSucceed: true })

test('a member of the group changes, a viewer reads, others get neither; nobody needs root', async () => {
  await installAgent(lab)
  const document = writeClusterYaml(labSpec(lab, ['rs1'], { check: { type: 'none' } }))
  expect(await as('operator1', ['apply', '-'], document)).toMatchObject({ code: 0, stderr: '' })
  const history = JSON.parse((await as('viewer1', ['history', '--json'])).stdout) as unknown
  expect(history).toMatchObject([{ revision: 1, author: { user: 'operator1', via: 'cli' } }])
  const refused = await as('viewer1', ['apply', '-'], emptyDocument)
  expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining('may only read')])
  const outside = await as('nobody1', ['status'])
  expect([outside.code, outside.stderr]).toEqual([3, expect.stringContaining('may not be opened by this user')])
  expect((await status(lab)).state.revision).toBe(1)
  expect((await as('operator1', ['setup'])).stderr).toContain('needs root')
  expect((await as('operator1', ['teardown'])).stderr).toContain('needs root')
})

test('teardown leaves groups alone that setup did not make', async () => {
  expect((await signalbox(lab, ['teardown'])).code).toBe(0)
  expect(await traces(lab)).toBe(before)
  expect(before).toContain('signalbox-view:')
})

test('setup replaces an agent whose supervisor is gone', async () => {
  await installAgent(lab)
  const orphan = await agentPid(lab)
  await sh('kill -9 "$(cat /run/signalbox/supervisor.pid)"')
  expect(await agentPid(lab)).toBe(orphan)
  await installAgent(lab)
  expect(await agentPid(lab)).not.toBe(orphan)
  expect((await signalbox(lab, ['teardown'])).code).toBe(0)
  expect(await traces(lab)).toBe(before)
})

test('a crashed agent is started again by its supervisor', async () => {
  await installAgent(lab)
  const first = await agentPid(lab)
  await sh(`kill -SEGV ${first}`)
  await expect.poll(async () => [0, first].includes(await agentPid(lab)), { timeout: 15_000 }).toBe(false)
  await statusWhere(lab, () => true)
  expect((await signalbox(lab, ['teardown'])).code).toBe(0)
})

test('a program of that name that is not ours stays in its place', async () => {
  await sh('echo "#!/bin/sh" >/usr/local/bin/signalbox')
  const stdout = await installAgent(lab)
  expect(stdout).toContain('/usr/local/bin/signalbox is there and not ours: call /opt/signalbox/current/signalbox')
  await sh('/opt/signalbox/current/signalbox teardown')
  expect((await sh('cat /usr/local/bin/signalbox')).stdout).toBe('#!/bin/sh\n')
  await sh('rm /usr/local/bin/signalbox')
  expect(await traces(lab)).toBe(before)
})

/**
 * Stands in for systemd, which cannot run here: keeps what was enabled and starts what ExecStart says. It shows which
 * calls are made and that the unit's command works; what systemd makes of the hardening it does not show.
 */
const systemctl = `#!/bin/sh
echo "$*" >>/run/systemctl.log
unit=/etc/systemd/system/signalbox.service
case $1 in
  restart)
    [ -f /run/unit.pid ] && kill "$(cat /run/unit.pid)"
    setsid sh -c "exec $(sed -n 's/^ExecStart=//p' $unit)" >/run/unit.log 2>&1 </dev/null &
    echo $! >/run/unit.pid ;;
  disable)
    [ -f /run/unit.pid ] && kill "$(cat /run/unit.pid)" && rm /run/unit.pid
    while ps -eo args | grep -q '[s]ignalbox.mjs agent'; do sleep 0.05; done ;;
esac
exit 0
`
test('where systemd runs, setup writes the unit and hands the agent to it; teardown takes both away', async () => {
  await lab.exec('director', ['sh', '-ec', 'mkdir -p /run/systemd/system; cat >/usr/local/bin/systemctl'], {
    stdin: systemctl,
    mustSucceed: true,
  })
  await sh('chmod 755 /usr/local/bin/systemctl')
  expect(await installAgent(lab)).toContain('started the agent by systemd')
  expect((await sh('cat /run/systemctl.log')).stdout).toBe(
    'daemon-reload\nenable signalbox.service\nrestart signalbox.service\n',
  )
  expect((await sh('cat /etc/systemd/system/signalbox.service')).stdout).toContain(
    'ExecStart=/opt/signalbox/current/signalbox agent\n',
  )
  expect((await signalbox(lab, ['status'])).code).toBe(0)
  const { stdout } = await signalbox(lab, ['teardown'])
  expect(stdout).toContain('/etc/systemd/system/signalbox.service\n')
  expect((await sh('tail -n 2 /run/systemctl.log')).stdout).toBe('disable --now signalbox.service\ndaemon-reload\n')
  expect(await traces(lab)).toBe(before)
})
