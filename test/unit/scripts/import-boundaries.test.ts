import { spawnSync } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'

const root = path.resolve(import.meta.dirname, '../../..')
let dir: string
let found: ReadonlyMap<string, string>

/** File → the import that it must not have, or may have. */
const refused: Record<string, string> = {
  'core/model/a.ts': 'node:fs',
  'core/model/b.ts': 'yaml',
  'core/model/c.ts': '../../agent/x.ts',
  'core/formats/a.ts': 'ssh2',
  'agent/a.ts': '../main/x.ts',
  'agent/b.ts': 'koffi',
  'agent/c.ts': 'node:child_process',
  'main/console/a.ts': '../../renderer/x.ts',
  'main/console/b.ts': 'ssh2',
  'main/console/c.ts': 'ssh2/lib/agent.js',
  'main/headless.ts': 'electron',
  'main/console/ssh/a.ts': 'child_process',
  'preload/a.ts': '../main/x.ts',
  'renderer/views/a.ts': '../../main/x.ts',
  'renderer/views/b.ts': 'node:fs',
  'renderer/views/c.ts': '../../core/formats/x.ts',
}
const allowed: Record<string, string> = {
  'core/model/ok.ts': 'zod',
  'core/model/ok2.ts': '../contract/agent.ts',
  'core/formats/ok.ts': 'yaml',
  'agent/kernel/ok.ts': 'koffi',
  'agent/ok.ts': '../core/contract/agent.ts',
  'main/console/ssh/ok.ts': 'ssh2',
  'main/electron.ts': 'electron',
  'main/shell/electron-window.ts': 'electron',
  'preload/ok.ts': 'electron',
  'renderer/views/ok.ts': '../../core/contract/agent.ts',
}

/** Runs the project's own lint configuration over a small tree of files that only import. */
beforeAll(() => {
  dir = fs.mkdtempSync(path.join(os.tmpdir(), 'signalbox-boundaries-'))
  fs.copyFileSync(path.join(root, 'oxlint.config.ts'), path.join(dir, 'oxlint.config.ts'))
  fs.symlinkSync(path.join(root, 'node_modules'), path.join(dir, 'node_modules'))
  for (const [file, source] of Object.entries({ ...refused, ...allowed })) {
    fs.mkdirSync(path.dirname(path.join(dir, file)), { recursive: true })
    fs.writeFileSync(path.join(dir, file), `export const load = () => import('${source}')\n`)
  }
  const oxlint = path.join(root, 'node_modules/oxlint/bin/oxlint')
  const { stdout } = spawnSync(process.execPath, [oxlint, '--format', 'json'], { cwd: dir, encoding: 'utf8' })
  const { diagnostics } = JSON.parse(stdout) as { diagnostics: { code: string; filename: string; help: string }[] }
  found = new Map(
    diagnostics.filter(({ code }) => code.includes('no-restricted-imports')).map((each) => [each.filename, each.help]),
  )
})
afterAll(() => fs.rmSync(dir, { recursive: true, force: true }))

test.each(Object.entries(refused))('%s may not import %s, and the message says what to do instead', (file) => {
  expect(found.get(file)).toMatch(/\. (Put|Take|Use|Pass|A program)|: call|Ask the console core|Take the rest/)
})

test.each(Object.entries(allowed))('%s may import %s', (file) => {
  expect(found.get(file)).toBeUndefined()
})
