import fs from 'node:fs'
import { createRequire } from 'node:module'
import os from 'node:os'
import path from 'node:path'
import { flipFuses, FuseV1Options, FuseVersion, getCurrentFuseWire } from '@electron/fuses'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { parse } from 'yaml'
import { fuses, packedBinary } from '../../../scripts/after-pack.mjs'

const root = path.resolve(import.meta.dirname, '../../..')
let dir: string
beforeEach(() => {
  dir = fs.mkdtempSync(path.join(os.tmpdir(), 'signalbox-packaging-'))
})
afterEach(() => fs.rmSync(dir, { recursive: true, force: true }))

/** A file with the fuse wire that Electron's binary carries: sentinel, version, length, one digit per fuse. */
function standInElectron(wire: string): string {
  const file = path.join(dir, 'electron')
  const sentinel = Buffer.from('dL7pKGdnNz796PbbjQWNKmHXBZaB9tsX')
  const header = Buffer.from([1, wire.length])
  fs.writeFileSync(
    file,
    Buffer.concat([Buffer.alloc(4096, 7), sentinel, header, Buffer.from(wire), Buffer.alloc(4096, 9)]),
  )
  return file
}

test('all nine fuses are set and read back from the binary', async () => {
  const electron = standInElectron('100011001')
  await flipFuses(electron, fuses)
  const wire = await getCurrentFuseWire(electron)
  const on = '1'.charCodeAt(0)
  const state = Object.fromEntries(
    Object.entries(FuseV1Options)
      .filter((entry): entry is [string, FuseV1Options] => typeof entry[1] === 'number')
      .map(([name, index]) => [name, wire[index] === on]),
  )
  expect(wire.version).toBe(FuseVersion.V1)
  expect(state).toEqual({
    RunAsNode: false,
    EnableCookieEncryption: true,
    EnableNodeOptionsEnvironmentVariable: false,
    EnableNodeCliInspectArguments: false,
    EnableEmbeddedAsarIntegrityValidation: true,
    OnlyLoadAppFromAsar: true,
    LoadBrowserProcessSpecificV8Snapshot: false,
    GrantFileProtocolExtraPrivileges: false,
    WasmTrapHandlers: true,
  })
})

test('a fuse that a newer Electron adds stops the packing', async () => {
  await expect(flipFuses(standInElectron('1000110010'), fuses)).rejects.toThrow(/fuse/i)
})

test('the packed binary is found on each platform', () => {
  const of = (electronPlatformName: string) =>
    packedBinary({ appOutDir: '/out', electronPlatformName, productName: 'Signalbox', executableName: 'signalbox' })
  expect([of('linux'), of('win32'), of('darwin')]).toEqual([
    '/out/signalbox',
    '/out/Signalbox.exe',
    '/out/Signalbox.app/Contents/MacOS/Signalbox',
  ])
})

test("electron-builder's own schema accepts the packaging configuration, and refuses a wrong key", async () => {
  // Through electron-builder: these two are its dependencies, not ours.
  const requireOfBuilder = createRequire(createRequire(import.meta.url).resolve('electron-builder/package.json'))
  const { validateConfiguration } = requireOfBuilder('app-builder-lib/out/util/config/config.js') as {
    validateConfiguration: (config: unknown, logger: unknown) => Promise<void>
  }
  const { DebugLogger } = requireOfBuilder('builder-util') as { DebugLogger: new (isEnabled: boolean) => unknown }
  const config = parse(fs.readFileSync(path.join(root, 'electron-builder.yml'), 'utf8')) as Record<string, unknown>
  await validateConfiguration(config, new DebugLogger(false))
  await expect(validateConfiguration({ ...config, asarr: true }, new DebugLogger(false))).rejects.toThrow(/asarr/)
})
