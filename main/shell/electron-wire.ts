import type { IpcMain, WebContents } from 'electron'
import { pipeChannel, type PipeKind } from '../../core/rpc/pipe.ts'
import { type Wire, WireState } from '../../core/rpc/wire.ts'
import { isOwnSender } from './electron-origin.ts'

/** Wires of the pages that are open. */
export interface PageWires {
  /** Tells every page that the core ended. */
  close(reason: string): void
}

/**
 * Makes a wire of each page that sends its first message on the one channel. A page is over when its window goes, its
 * process dies or it is loaded anew; the next message then starts another wire.
 *
 * @param onWire called with each new wire
 * @param onRefused told where a message did not come from the page
 */
export function acceptPages(
  ipcMain: Pick<IpcMain, 'on'>,
  onWire: (wire: Wire) => void,
  onRefused: (from: string) => void,
): PageWires {
  const pages = new Map<WebContents, WireState>()
  const known = new WeakSet<WebContents>()

  const leave = (contents: WebContents, reason: string): void => {
    pages.get(contents)?.close(reason)
    pages.delete(contents)
  }
  const send = (contents: WebContents, kind: PipeKind, message?: unknown): void => {
    // send() to a window that is gone throws.
    if (!contents.isDestroyed()) contents.send(pipeChannel, kind, message)
  }
  const watch = (contents: WebContents): void => {
    if (known.has(contents)) return
    known.add(contents)
    contents.on('did-navigate', () => leave(contents, 'the page was loaded anew'))
    contents.on('render-process-gone', (_event, { reason }) => leave(contents, `the page ended: ${reason}`))
    contents.on('destroyed', () => leave(contents, 'the window was closed'))
  }
  const open = (contents: WebContents): WireState => {
    watch(contents)
    const state = new WireState()
    pages.set(contents, state)
    onWire({
      send: (message) => {
        if (!state.isClosed) send(contents, 'message', message)
      },
      onMessage: (listener) => state.onMessage(listener),
      onClose: (listener) => state.onClose(listener),
      close(reason = 'closed') {
        if (state.isClosed) return
        send(contents, 'close')
        leave(contents, reason)
      },
    })
    return state
  }

  ipcMain.on(pipeChannel, (event, message: unknown) => {
    if (!isOwnSender(event.senderFrame)) {
      onRefused(event.senderFrame?.url ?? 'a frame that is gone')
      return
    }
    const state = pages.get(event.sender) ?? open(event.sender)
    state.receive(message)
  })

  return {
    close(reason) {
      for (const contents of pages.keys()) {
        send(contents, 'close')
        leave(contents, reason)
      }
    },
  }
}
