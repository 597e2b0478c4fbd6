import { EventEmitter } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import Conf from 'conf'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { pipeChannel } from '../../core/rpc/pipe.ts'
import type * as pageFiles from '../../main/shell/page-files.ts'
import { askInstance } from '../../main/shell/instance-socket.ts'
import { FakeContents, FakeSafeStorage, FakeSession, preventable } from '../fakes/electron.ts'

const world = vi.hoisted(() => ({ userData: '', order: [] as string[] }))

class FakeWindow extends EventEmitter {
  static readonly all: FakeWindow[] = []
  readonly webContents = new FakeContents()
  readonly options: { webPreferences: { preload: string } }
  readonly loaded: string[] = []
  focused = 0
  isShown = false

  constructor(options: { webPreferences: { preload: string } }) {
    super()
    this.options = options
    FakeWindow.all.push(this)
  }
  loadURL = async (url: string) => void this.loaded.push(url)
  isMinimized = () => false
  focus = () => void this.focused++
  show = () => void (this.isShown = true)
  maximize = () => {}
  isMaximized = () => false
  getNormalBounds = () => ({ x: 10, y: 20, width: 1300, height: 850 })
}

/** Ready only after the entry module has ended, as in Electron. */
const ready = Promise.withResolvers<void>()
const app = Object.assign(new EventEmitter(), {
  enableSandbox: () => void world.order.push('sandbox'),
  requestSingleInstanceLock: () => true,
  getPath: () => world.userData,
  whenReady: () => ready.promise,
  quit: () => void world.order.push('quit'),
  exit: () => void world.order.push('exit'),
})
const session = { defaultSession: new FakeSession() }
const ipcMain = new EventEmitter()
const protocol = {
  schemes: [] as { scheme: string }[],
  handler: undefined as ((request: Request) => Response) | undefined,
  registerSchemesAsPrivileged: (schemes: { scheme: string }[]) => void protocol.schemes.push(...schemes),
  handle: (_scheme: string, handler: (request: Request) => Response) => void (protocol.handler = handler),
}
const errors: string[] = []

vi.mock('electron', () => ({
  app,
  session,
  ipcMain,
  protocol,
  BrowserWindow: FakeWindow,
  safeStorage: new FakeSafeStorage(),
  dialog: { showErrorBox: (...words: string[]) => errors.push(words.join(': ')) },
  Menu: { buildFromTemplate: (template: unknown) => template, setApplicationMenu: () => {} },
  screen: { getAllDisplays: () => [{ workArea: { x: 0, y: 0, width: 1920, height: 1080 } }] },
}))
// electron-store is conf with Electron's default folder, and imports electron by itself.
vi.mock('electron-store', () => ({
  default: class extends Conf {
    constructor({ name, ...options }: { name: string; cwd: string }) {
      super({ ...options, configName: name, projectName: 'test' })
    }
  },
}))
vi.mock('../../main/shell/page-files.ts', async (original) => ({
  ...(await original<typeof pageFiles>()),
  loadPageFiles: async () => ({
    respond: (pathname: string) => (pathname === '/' ? { body: Buffer.from('the page'), headers: {} } : null),
  }),
}))

beforeAll(async () => {
  world.userData = await mkdtemp(path.join(os.tmpdir(), 'signalbox-desktop-'))
  await import('../../main/electron.ts')
  // Whatever must be done before `ready` has been done, and nothing waits for it.
  expect(world.order).toEqual(['sandbox'])
  expect(protocol.schemes).toMatchObject([{ scheme: 'app' }])
  expect(FakeWindow.all).toEqual([])
  ready.resolve()
  await vi.waitFor(() => expect(FakeWindow.all.length + errors.length).toBeGreaterThan(0), { timeout: 10_000 })
})
afterAll(() => rm(world.userData, { recursive: true, force: true }))

const window = () => FakeWindow.all[0]!
const say = (message: unknown, url = 'app://console/') =>
  ipcMain.emit(pipeChannel, { sender: window().webContents, senderFrame: { url, parent: null } }, message)

test('one window opens on the page, with the built preload script', () => {
  expect(errors).toEqual([])
  expect(FakeWindow.all).toHaveLength(1)
  expect(window().loaded).toEqual(['app://console/'])
  expect(window().options.webPreferences.preload).toMatch(/dist\/preload\/index\.cjs$/)
  expect(window().isShown).toBe(false)
  window().emit('ready-to-show')
  expect(window().isShown).toBe(true)
})

test('the page comes from the map of files', async () => {
  const answer = protocol.handler?.(new Request('app://console/'))
  expect(await answer?.text()).toBe('the page')
  expect(protocol.handler?.(new Request('app://console/etc/passwd')).status).toBe(404)
})

test('the session is guarded', () => {
  expect(session.defaultSession.requests('media', 'app://console/')).toBe(false)
  expect(session.defaultSession.requests('clipboard-sanitized-write', 'app://console/')).toBe(true)
})

test('the page is answered by the console core, a foreign frame is not', async () => {
  const { sent } = window().webContents
  say({ t: 'req', id: 1, m: 'app.info', i: {} }, 'https://evil.example/')
  say({ t: 'req', id: 2, m: 'app.info', i: {} })
  say({ t: 'req', id: 3, m: 'constructor', i: {} })
  await expect.poll(() => sent.length).toBe(2)
  expect(sent).toContainEqual([
    pipeChannel,
    'message',
    expect.objectContaining({
      t: 'ok',
      id: 2,
      v: expect.objectContaining({ capabilities: { keepsSecrets: true, keepsSecretsReason: null } }) as unknown,
    }),
  ])
  expect(sent).toContainEqual([pipeChannel, 'message', expect.objectContaining({ t: 'err', id: 3 })])
})

test('a second start brings the window to the front, from either shell', async () => {
  app.emit('second-instance')
  expect(window().focused).toBe(1)
  expect(await askInstance(world.userData, 'link')).toEqual({ shell: 'desktop', pid: process.pid, url: null })
  expect(window().focused).toBe(2)
  expect(FakeWindow.all).toHaveLength(1)
})

test('closing the window remembers its place; quitting closes the core first', async () => {
  window().emit('close')
  expect(existsSync(path.join(world.userData, 'window.json'))).toBe(true)
  const first = preventable({})
  app.emit('before-quit', first)
  expect(first.isPrevented).toBe(true)
  await expect.poll(() => world.order).toContain('quit')
  expect(window().webContents.sent.at(-1)).toEqual([pipeChannel, 'close', undefined])
  const second = preventable({})
  app.emit('before-quit', second)
  expect(second.isPrevented).toBe(false)
  expect(existsSync(path.join(world.userData, 'control.sock'))).toBe(false)
})
