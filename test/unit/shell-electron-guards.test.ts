import { mkdtemp, mkdir, rm, writeFile } from 'node:fs/promises'
import { EventEmitter } from 'node:events'
import os from 'node:os'
import path from 'node:path'
import type { App, IpcMain, Session } from 'electron'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Wire } from '../../core/rpc/wire.ts'
import type { DocumentFile } from '../../main/shell/document-store.ts'
import { guardApp, guardSession, webPreferences } from '../../main/shell/electron-guards.ts'
import { menuTemplate } from '../../main/shell/electron-menu.ts'
import { isOurs, isOwnSender } from '../../main/shell/electron-origin.ts'
import { answerPageRequest, pageSchemePrivileges } from '../../main/shell/electron-protocol.ts'
import { safeStorageSecrets } from '../../main/shell/electron-secrets.ts'
import { readWindowState, windowOptions, writeWindowState } from '../../main/shell/electron-window.ts'
import { acceptPages } from '../../main/shell/electron-wire.ts'
import { loadPageFiles } from '../../main/shell/page-files.ts'
import { FakeContents, FakeSafeStorage, FakeSession, preventable } from '../fakes/electron.ts'

const foreign = [
  'https://evil.example/',
  'http://127.0.0.1/',
  'file:///etc/passwd',
  'javascript:alert(1)',
  'data:text/html,<script>1</script>',
  'about:blank',
  'blob:app://console/x',
  'app://console.evil/',
  'app://evil/console',
  'app://console@evil/',
  'app://user@console/',
  'app://console:80/',
  'app:console',
  'APPS://console/',
  '',
]

let dir: string
beforeEach(async () => {
  dir = await mkdtemp(path.join(os.tmpdir(), 'signalbox-electron-'))
})
afterEach(() => rm(dir, { recursive: true, force: true }))

function guardedApp() {
  const app = Object.assign(new EventEmitter(), { sandboxed: false, enableSandbox: () => void (app.sandboxed = true) })
  guardApp(app as unknown as App)
  const contents = new FakeContents()
  app.emit('web-contents-created', {}, contents)
  return { app, contents }
}
function guardedSession(): FakeSession {
  const session = new FakeSession()
  guardSession(session as unknown as Session)
  return session
}
function memoryFile(): DocumentFile & { value: unknown } {
  const file = {
    path: '',
    value: undefined as unknown,
    get: () => file.value,
    set: (_key: string, value: unknown) => void (file.value = value),
  }
  return file
}

test('every renderer runs in the sandbox, without Node', () => {
  expect(guardedApp().app.sandboxed).toBe(true)
  expect(webPreferences).toMatchObject({
    sandbox: true,
    contextIsolation: true,
    nodeIntegration: false,
    nodeIntegrationInWorker: false,
    nodeIntegrationInSubFrames: false,
    webSecurity: true,
    webviewTag: false,
    navigateOnDragDrop: false,
  })
})

test.each(['will-navigate', 'will-redirect', 'will-frame-navigate'])(
  '%s leads to the page and nowhere else',
  (event) => {
    const { contents } = guardedApp()
    for (const url of ['app://console/', 'app://console/#/services', 'app://console/index.html#/a?b=c']) {
      expect(contents.navigate(event, url)).toBe(true)
    }
    for (const url of [...foreign, 'app://console/assets/main.js', 'app://console/../x']) {
      expect([url, contents.navigate(event, url)]).toEqual([url, false])
    }
  },
)

test('no frame is ever loaded, not even with the page', () => {
  const { contents } = guardedApp()
  expect(contents.navigate('will-frame-navigate', 'app://console/', false)).toBe(false)
})

test('a link to a file, or anywhere, opens no window and no program', () => {
  const { contents } = guardedApp()
  for (const url of [...foreign, 'app://console/']) expect(contents.openHandler?.({ url })).toEqual({ action: 'deny' })
})

test('a webview is not attached', () => {
  const { contents } = guardedApp()
  const event = preventable({})
  contents.emit('will-attach-webview', event)
  expect(event.isPrevented).toBe(true)
})

test('a bad certificate is not excused, and no client certificate is offered', () => {
  const { app } = guardedApp()
  const event = preventable({})
  let trusted: boolean | undefined
  app.emit('certificate-error', event, null, 'https://x', 'ERR', {}, (answer: boolean) => (trusted = answer))
  expect([event.isPrevented, trusted]).toEqual([true, false])
  const select = preventable({})
  app.emit('select-client-certificate', select)
  expect(select.isPrevented).toBe(true)
})

test('one permission is granted, to the page alone', () => {
  const session = guardedSession()
  const copy = 'clipboard-sanitized-write'
  expect(session.requests(copy, 'app://console/#/x')).toBe(true)
  expect(session.requests(copy, 'app://console/', false)).toBe(false)
  for (const url of foreign) expect([url, session.requests(copy, url)]).toEqual([url, false])
  const check = (permission: string, origin: string, isMainFrame = true) =>
    session.checkHandler?.(null, permission, origin, { isMainFrame })
  expect(check(copy, 'app://console')).toBe(true)
  expect(check(copy, 'app://console/')).toBe(true)
  expect(check(copy, 'app://console', false)).toBe(false)
  expect(check(copy, 'https://evil.example')).toBe(false)
  for (const permission of [
    'clipboard-read',
    'media',
    'geolocation',
    'notifications',
    'openExternal',
    'usb',
    'fileSystem',
    'unknown',
  ]) {
    expect(session.requests(permission, 'app://console/')).toBe(false)
    expect(check(permission, 'app://console')).toBe(false)
  }
})

test('no device, no screen, no pairing, no spelling dictionary from the network', () => {
  const session = guardedSession()
  expect(session.deviceHandler?.()).toBe(false)
  const answers: unknown[] = []
  session.displayHandler?.({}, (streams) => answers.push(streams))
  session.bluetoothHandler?.({}, (response) => answers.push(response))
  expect(answers).toEqual([null, { confirmed: false }])
  expect(session.spellChecks).toBe(false)
})

test('the network and the disk are out of reach of the page', () => {
  const { blocked } = guardedSession()
  expect(blocked?.urls).toEqual(
    expect.arrayContaining(['http://*/*', 'https://*/*', 'ws://*/*', 'wss://*/*', 'file://*/*']),
  )
  const answers: unknown[] = []
  blocked?.listener({ url: 'https://evil.example/' }, (response) => answers.push(response))
  expect(answers).toEqual([{ cancel: true }])
})

test('only what the page made itself is saved', () => {
  const session = guardedSession()
  const isSaved = (url: string) => {
    const event = preventable({})
    session.emit('will-download', event, { getURL: () => url })
    return !event.isPrevented
  }
  expect(isSaved('blob:app://console/1f2e')).toBe(true)
  for (const url of [
    'https://evil.example/x.exe',
    'blob:https://evil.example/1',
    'file:///etc/shadow',
    'data:,x',
    'blob:app://console.evil/1',
  ]) {
    expect([url, isSaved(url)]).toEqual([url, false])
  }
})

test('a message counts only from the main frame of the page', () => {
  expect(isOwnSender({ url: 'app://console/#/x', parent: null })).toBe(true)
  expect(isOwnSender({ url: 'app://console/', parent: {} })).toBe(false)
  expect(isOwnSender(null)).toBe(false)
  for (const url of foreign) {
    expect(isOurs(url)).toBe(false)
    expect(isOwnSender({ url, parent: null })).toBe(false)
  }
})

function pages() {
  const ipcMain = new EventEmitter()
  const wires: Wire[] = []
  const refused: string[] = []
  const accepted = acceptPages(
    ipcMain as unknown as IpcMain,
    (wire) => wires.push(wire),
    (from) => refused.push(from),
  )
  const sendAs = (
    contents: FakeContents,
    message: unknown,
    frame: object | null = { url: 'app://console/', parent: null },
  ) => ipcMain.emit('signalbox', { sender: contents, senderFrame: frame }, message)
  return { wires, refused, accepted, sendAs }
}

test('a foreign frame’s message reaches nobody and is told to the log', () => {
  const { wires, refused, sendAs } = pages()
  const contents = new FakeContents()
  sendAs(contents, 'x', { url: 'https://evil.example/', parent: null })
  sendAs(contents, 'x', { url: 'app://console/', parent: { url: 'app://console/' } })
  sendAs(contents, 'x', null)
  expect(wires).toEqual([])
  expect(refused).toEqual(['https://evil.example/', 'app://console/', 'a frame that is gone'])
})

test('messages travel both ways on the one channel, also those before anybody listened', () => {
  const { wires, sendAs } = pages()
  const contents = new FakeContents()
  sendAs(contents, 1)
  sendAs(contents, 2)
  const got: unknown[] = []
  wires[0]?.onMessage((message) => got.push(message))
  sendAs(contents, 3)
  wires[0]?.send({ answer: 4 })
  expect(got).toEqual([1, 2, 3])
  expect(wires).toHaveLength(1)
  expect(contents.sent).toEqual([['signalbox', 'message', { answer: 4 }]])
})

test.each([
  ['loaded anew', 'did-navigate', []],
  ['crashed', 'render-process-gone', [{}, { reason: 'crashed' }]],
  ['closed', 'destroyed', []],
])('a page that is %s ends its wire; the next one starts another', (_what, event, args) => {
  const { wires, sendAs } = pages()
  const contents = new FakeContents()
  sendAs(contents, 1)
  const reasons: string[] = []
  wires[0]?.onClose((reason) => reasons.push(reason))
  contents.emit(event, ...args)
  expect(reasons).toHaveLength(1)
  wires[0]?.send('too late')
  expect(contents.sent).toEqual([])
  sendAs(contents, 2)
  expect(wires).toHaveLength(2)
  // Listeners do not pile up with each load.
  expect(contents.listenerCount(event)).toBe(1)
})

test('a window that is gone is not sent to', () => {
  const { wires, sendAs, accepted } = pages()
  const contents = new FakeContents()
  sendAs(contents, 1)
  contents.destroyed = true
  wires[0]?.send('x')
  accepted.close('the console is closing')
  expect(contents.sent).toEqual([])
})

test('the core’s end is told to every page', () => {
  const { wires, sendAs, accepted } = pages()
  const [first, second] = [new FakeContents(), new FakeContents()]
  sendAs(first, 1)
  sendAs(second, 1)
  const reasons: string[] = []
  for (const wire of wires) wire.onClose((reason) => reasons.push(reason))
  accepted.close('the console is closing')
  expect(first.sent).toEqual([['signalbox', 'close', undefined]])
  expect(second.sent).toEqual([['signalbox', 'close', undefined]])
  expect(reasons).toEqual(['the console is closing', 'the console is closing'])
})

test('the page’s files are a fixed map under the policy of the browser shell', async () => {
  await mkdir(path.join(dir, 'page/assets'), { recursive: true })
  await writeFile(path.join(dir, 'page/index.html'), '<meta name="csp-nonce" content="__CSP_NONCE__">')
  await writeFile(path.join(dir, 'page/assets/main.js'), 'page()')
  await writeFile(path.join(dir, 'secret.txt'), 'secret')
  const files = await loadPageFiles(path.join(dir, 'page'))
  const get = (url: string, method = 'GET') => answerPageRequest(files, { url, method })
  const page = get('app://console/')
  const nonce = /'nonce-([\w-]+)'/.exec(page.headers.get('content-security-policy') ?? '')?.[1] ?? 'none'
  expect(await page.text()).toContain(nonce)
  expect(page.headers.get('content-security-policy')).toContain("default-src 'none'; script-src 'self'")
  expect(await get('app://console/assets/main.js').text()).toBe('page()')
  expect(await get('app://console/', 'HEAD').text()).toBe('')
  for (const url of [
    'app://console/../secret.txt',
    'app://console/%2e%2e/secret.txt',
    'app://console/..%2fsecret.txt',
    'app://console//etc/passwd',
    'app://evil/',
    'file:///etc/passwd',
  ]) {
    expect([url, get(url).status]).toEqual([url, 404])
  }
  expect(get('app://console/', 'POST').status).toBe(405)
  expect(get('app://none/').headers.get('content-security-policy')).toContain("default-src 'none'")
})

test('the scheme has an origin and a secure context, and does not go round the policy', () => {
  expect(pageSchemePrivileges).toMatchObject({ scheme: 'app', privileges: { standard: true, secure: true } })
  expect(pageSchemePrivileges.privileges).not.toHaveProperty('bypassCSP')
})

test.each([
  ['linux', 'gnome_libsecret', true, true],
  ['linux', 'kwallet6', true, true],
  ['linux', 'basic_text', true, false],
  ['linux', 'unknown', true, false],
  ['linux', 'gnome_libsecret', false, false],
  ['darwin', 'unknown', true, true],
  ['win32', 'unknown', true, true],
  ['darwin', 'unknown', false, false],
] as const)('on %s with %s (encryption: %s) secrets are kept: %s', async (platform, backend, isAvailable, keeps) => {
  const storage = Object.assign(new FakeSafeStorage(), { backend, isAvailable })
  const file = memoryFile()
  const secrets = await safeStorageSecrets(storage, platform, () => file)
  expect(secrets.keeps).toBe(keeps)
  expect(secrets.reason === null).toBe(keeps)
  await secrets.set('id', 'hunter2')
  expect(await secrets.get('id')).toBe('hunter2')
  expect(JSON.stringify(file.value) ?? '').not.toContain('hunter2')
  expect(file.value !== undefined).toBe(keeps)
  await secrets.remove('id')
  expect(await secrets.get('id')).toBeNull()
})

test('secrets survive a restart, a new key encrypts them again, and names of every object are only names', async () => {
  const storage = new FakeSafeStorage()
  const file = memoryFile()
  const before = await safeStorageSecrets(storage, 'linux', () => file)
  await before.set('constructor', 'a')
  await before.set('__proto__', 'b')
  storage.keyIsOld = true
  const after = await safeStorageSecrets(storage, 'linux', () => file)
  expect(await after.get('constructor')).toBe('a')
  expect(await after.get('toString')).toBeNull()
  file.value = 'rubbish'
  expect(await after.get('constructor')).toBeNull()
})

test('the window opens where it was, unless no display is there any more', () => {
  const area = { x: 0, y: 0, width: 1920, height: 1080 }
  const file = memoryFile()
  expect(readWindowState(file, [area])).toBeNull()
  const bounds = { x: 100, y: 50, width: 1200, height: 800 }
  writeWindowState(file, { getNormalBounds: () => bounds, isMaximized: () => true })
  expect(readWindowState(file, [area])).toEqual({ ...bounds, isMaximized: true })
  expect(readWindowState(file, [])).toBeNull()
  expect(readWindowState(file, [{ x: 4000, y: 0, width: 1920, height: 1080 }])).toBeNull()
  for (const bad of [
    { ...bounds, width: 10, isMaximized: false },
    { ...bounds, x: 'a' },
    'rubbish',
    { ...bounds, y: -900, isMaximized: false },
  ]) {
    file.value = bad
    expect(readWindowState(file, [area])).toBeNull()
  }
})

test('the window is never smaller than the views need, and carries the guarded preferences', () => {
  const options = windowOptions(null, '/preload.cjs')
  expect(options).toMatchObject({ minWidth: 1024, minHeight: 700, show: false })
  expect(options.webPreferences).toEqual({ ...webPreferences, preload: '/preload.cjs' })
})

test.each(['linux', 'darwin', 'win32'] as const)('the menu on %s offers no developer tools', (platform) => {
  const text = JSON.stringify(menuTemplate(platform))
  expect(text).toContain('editMenu')
  expect(text).not.toMatch(/devTools/i)
})
