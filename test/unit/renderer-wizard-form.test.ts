import { expect, test } from 'vitest'
import { formatIssue } from '../../core/model/issue.ts'
import { checkRequestOf, dependenciesOf, emptyForm, issuesOfStep, serviceOf } from '../../renderer/views/wizard/form.ts'
import { rowsOfPaste } from '../../renderer/views/wizard/paste.ts'

const ids = () => {
  let next = 0
  return () => `row-${next++}`
}
const webForm = (paste = '192.0.2.21\n192.0.2.22') => ({
  ...emptyForm(),
  name: 'web',
  vip: '192.0.2.10',
  realServers: rowsOfPaste(paste, ids()).rows,
})

test('ten pasted lines become ten rows', () => {
  const text = Array.from({ length: 10 }, (_, i) => `192.0.2.${20 + i}:80 ${i + 1}`).join('\n')
  const { rows, unread } = rowsOfPaste(text, ids())
  expect(rows).toHaveLength(10)
  expect(rows[9]).toMatchObject({ id: 'row-9', address: '192.0.2.29', port: '80', weight: '10' })
  expect(unread).toEqual([])
})

test('what cannot be read is named by its line, the rest is kept', () => {
  expect(rowsOfPaste('# pool\n192.0.2.21 2 # first\n\n1 2 3 4\n', ids())).toMatchObject({
    rows: [{ address: '192.0.2.21', port: '', weight: '2' }],
    unread: [{ line: 4, text: '1 2 3 4' }],
  })
})

test('port and weight left out are those of the service and 1', () => {
  expect(serviceOf(webForm())).toMatchObject({
    ok: true,
    value: { realServers: [{ address: '192.0.2.21', port: 80, weight: 1 }, { port: 80 }] },
  })
})

test('a typed port that is no number shows as typed in the error, at the step that has the field', () => {
  const form = { ...webForm(), port: '8o' }
  expect(issuesOfStep(form, 'what').map(formatIssue)).toEqual([
    'port: found "8o", expected a whole number from 1 to 65535, or 0 for every port',
  ])
})

test('a form without real servers asks for one where they are entered', () => {
  expect(issuesOfStep(webForm(''), 'addresses').map(formatIssue)).toEqual([
    'realServers: found nothing, expected a value; the field is missing',
  ])
})

test('a changed VIP makes every host stale, a changed real server only itself and the director', () => {
  const before = checkRequestOf(webForm(), 'lb1')
  const vip = checkRequestOf({ ...webForm(), vip: '192.0.2.11' }, 'lb1')
  const server = checkRequestOf(webForm('192.0.2.21\n192.0.2.23'), 'lb1')
  if (before === null || vip === null || server === null) throw new Error('the forms are complete')
  const stale = (now: typeof before, host: string) => dependenciesOf(before, host) !== dependenciesOf(now, host)
  expect(['director', '192.0.2.21', '192.0.2.22'].map((host) => stale(vip, host))).toEqual([true, true, true])
  expect(['director', '192.0.2.21'].map((host) => stale(server, host))).toEqual([true, false])
})
