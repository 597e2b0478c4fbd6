import { EventEmitter } from 'node:events'
import type { WebContents } from 'electron'

/**
 * Electron as far as the desktop shell uses it: keeps what it was given, and lets a test do what Chromium would. Never
 * imports the real one, which downloads its binary when imported.
 */
export class FakeContents extends EventEmitter {
  readonly sent: unknown[][] = []
  destroyed = false
  openHandler: ((details: { url: string }) => { action: string }) | undefined

  isDestroyed(): boolean {
    return this.destroyed
  }
  send(...args: unknown[]): void {
    if (this.destroyed) throw new TypeError('Object has been destroyed')
    this.sent.push(args)
  }
  setWindowOpenHandler(handler: (details: { url: string }) => { action: string }): void {
    this.openHandler = handler
  }
  /** Whether a navigation event for `url` was allowed. */
  navigate(event: string, url: string, isMainFrame = true): boolean {
    const details = preventable({ url, isMainFrame })
    this.emit(event, details)
    return !details.isPrevented
  }
  asWebContents(): WebContents {
    return this as unknown as WebContents
  }
}

/** An event of Electron's that can be prevented, and remembers it. */
export function preventable<T extends object>(details: T) {
  const event = {
    ...details,
    isPrevented: false,
    preventDefault() {
      event.isPrevented = true
    },
  }
  return event
}

type Check = (contents: unknown, permission: string, origin: string, details: object) => boolean
type Request = (contents: unknown, permission: string, answer: (granted: boolean) => void, details: object) => void
type Cancelling = (details: { url: string }, answer: (response: { cancel?: boolean }) => void) => void

export class FakeSession extends EventEmitter {
  requestHandler: Request | undefined
  checkHandler: Check | undefined
  deviceHandler: (() => boolean) | undefined
  displayHandler: ((request: object, answer: (streams: unknown) => void) => void) | undefined
  bluetoothHandler: ((details: object, answer: (response: { confirmed: boolean }) => void) => void) | undefined
  spellChecks = true
  blocked: { urls: string[]; listener: Cancelling } | undefined
  readonly webRequest = {
    onBeforeRequest: ({ urls }: { urls: string[] }, listener: Cancelling) => {
      this.blocked = { urls, listener }
    },
  }

  setPermissionRequestHandler(handler: Request): void {
    this.requestHandler = handler
  }
  setPermissionCheckHandler(handler: Check): void {
    this.checkHandler = handler
  }
  setDevicePermissionHandler(handler: () => boolean): void {
    this.deviceHandler = handler
  }
  setDisplayMediaRequestHandler(handler: (request: object, answer: (streams: unknown) => void) => void): void {
    this.displayHandler = handler
  }
  setBluetoothPairingHandler(
    handler: (details: object, answer: (response: { confirmed: boolean }) => void) => void,
  ): void {
    this.bluetoothHandler = handler
  }
  setSpellCheckerEnabled(isEnabled: boolean): void {
    this.spellChecks = isEnabled
  }
  /** What the request handler said. */
  requests(permission: string, requestingUrl: string, isMainFrame = true): boolean {
    let granted = true
    this.requestHandler?.(null, permission, (answer) => (granted = answer), { requestingUrl, isMainFrame })
    return granted
  }
}

/** Encrypts by turning the text round; enough to tell plain from stored. */
export class FakeSafeStorage {
  isAvailable = true
  backend = 'gnome_libsecret'
  keyIsOld = false

  isAsyncEncryptionAvailable = async () => this.isAvailable
  getSelectedStorageBackend = () => this.backend as 'gnome_libsecret'
  encryptStringAsync = async (text: string) => Buffer.from(Buffer.from(text).toReversed())
  decryptStringAsync = async (encrypted: Buffer) => ({
    result: Buffer.from(encrypted.toReversed()).toString(),
    shouldReEncrypt: this.keyIsOld,
  })
}
