// The desktop shell: wiring only. What decides something is a function in shell/, with tests.
import os from 'node:os'
import path from 'node:path'
import { app, BrowserWindow, dialog, ipcMain, Menu, protocol, safeStorage, screen, session } from 'electron'
import { consoleContract } from '../core/contract/console.ts'
import { serve } from '../core/rpc/server.ts'
import { createConsole } from './console/console.ts'
import type { Console } from './console/ports.ts'
import { createSshPort } from './console/ssh/port.ts'
import { electronStore, openElectronFile } from './shell/electron-files.ts'
import { guardApp, guardSession } from './shell/electron-guards.ts'
import { menuTemplate } from './shell/electron-menu.ts'
import { pageScheme, pageUrl } from './shell/electron-origin.ts'
import { answerPageRequest, pageSchemePrivileges } from './shell/electron-protocol.ts'
import { safeStorageSecrets } from './shell/electron-secrets.ts'
import { readWindowState, windowOptions, writeWindowState } from './shell/electron-window.ts'
import { acceptPages, type PageWires } from './shell/electron-wire.ts'
import { findInstallation } from './shell/installation.ts'
import { claimDataDir, type InstanceSocket } from './shell/instance-socket.ts'
import { openLogFile } from './shell/log-file.ts'
import { loadPageFiles } from './shell/page-files.ts'
import { systemClock } from './shell/system-clock.ts'

guardApp(app)
protocol.registerSchemesAsPrivileged([pageSchemePrivileges])
const isFirst = app.requestSingleInstanceLock()
if (!isFirst) app.quit()

const installation = findInstallation(import.meta.dirname)
const dataDir = app.getPath('userData')

let window: BrowserWindow | null = null
let running: { core: Console; pages: PageWires; socket: InstanceSocket } | null = null

function showWindow(): void {
  if (window === null) {
    openWindow()
    return
  }
  if (window.isMinimized()) window.restore()
  window.focus()
}

function openWindow(): void {
  const placeFile = openElectronFile(dataDir, 'window')
  const areas = screen.getAllDisplays().map((display) => display.workArea)
  const state = readWindowState(placeFile, areas)
  const opened = new BrowserWindow(windowOptions(state, installation.preload))
  window = opened
  opened.once('ready-to-show', () => {
    if (state?.isMaximized === true) opened.maximize()
    opened.show()
  })
  opened.on('close', () => writeWindowState(placeFile, opened))
  opened.on('closed', () => {
    window = null
  })
  void opened.loadURL(pageUrl)
}

async function start(): Promise<void> {
  const claim = await claimDataDir(dataDir, (request) => {
    if (request === 'link') showWindow()
    return { shell: 'desktop', pid: process.pid, url: null }
  })
  if (claim.kind === 'running') {
    dialog.showErrorBox(
      'Signalbox runs already',
      `The console in the browser uses ${dataDir} (process ${claim.answer.pid}). Stop it first.`,
    )
    app.exit(1)
    return
  }
  const log = openLogFile(path.join(dataDir, 'console.log'))
  const files = await loadPageFiles(installation.rendererDir)
  guardSession(session.defaultSession)
  protocol.handle(pageScheme, (request) => answerPageRequest(files, request))
  Menu.setApplicationMenu(Menu.buildFromTemplate(menuTemplate(process.platform)))
  const core = await createConsole(
    {
      store: electronStore(dataDir),
      secrets: await safeStorageSecrets(safeStorage, process.platform, () => openElectronFile(dataDir, 'secrets')),
      clock: systemClock,
      ssh: createSshPort({ home: os.homedir(), dataDir }),
    },
    {
      version: installation.version,
      workstation: os.hostname(),
      agentPackages: installation.agentPackages,
      welcome: null,
      log,
    },
  )
  const pages = acceptPages(
    ipcMain,
    (wire) =>
      serve(wire, consoleContract, core.handlers, {
        peer: 'page',
        access: 'change',
        onDefect: (method, error) => log(`${method} failed: ${error instanceof Error ? error.stack : String(error)}`),
      }),
    (from) => log(`refused a message from ${from}`),
  )
  running = { core, pages, socket: claim.socket }
  openWindow()
}

app.on('second-instance', showWindow)
app.on('activate', showWindow)
app.on('window-all-closed', () => app.quit())
app.on('before-quit', (event) => {
  if (running === null) return
  // Sessions are closed first; then it quits for good.
  event.preventDefault()
  const { core, pages, socket } = running
  running = null
  pages.close('the console is closing')
  void Promise.allSettled([core.close(), socket.close()]).then(() => app.quit())
})

if (isFirst) {
  // Not awaited: Electron is ready only after this module has ended.
  void app
    .whenReady()
    .then(start)
    .catch((error: unknown) => {
      dialog.showErrorBox('Signalbox could not start', error instanceof Error ? error.message : String(error))
      app.exit(1)
    })
}
