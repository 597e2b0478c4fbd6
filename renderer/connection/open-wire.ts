import type { Pipe } from '../../core/rpc/pipe.ts'
import { type Wire, WireState } from '../../core/rpc/wire.ts'

declare global {
  interface Window {
    /** The preload script's pipe in the desktop shell; not there in a browser. */
    readonly signalbox?: Pipe
  }
}

function pipeWire(pipe: Pipe): Wire {
  const state = new WireState()
  const stops = [
    pipe.onMessage((message) => state.receive(message)),
    pipe.onClose(() => state.close('the console core ended')),
  ]
  // The pipe outlives its wires: the next one must not share it with this one.
  state.onClose(() => {
    for (const stop of stops) stop()
  })
  return {
    send: (message) => {
      if (!state.isClosed) pipe.send(message)
    },
    onMessage: (listener) => state.onMessage(listener),
    onClose: (listener) => state.onClose(listener),
    close: (reason = 'closed by the page') => void state.close(reason),
  }
}

/** Resolves when the socket is open; rejects when it could not be opened, which a browser does not explain. */
function socketWire(url: string): Promise<Wire> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(url)
    const state = new WireState()
    socket.addEventListener('message', ({ data }) => {
      if (typeof data === 'string') state.receive(JSON.parse(data))
    })
    socket.addEventListener('close', ({ code, reason }) => {
      state.close(reason === '' ? `code ${code}` : reason)
      reject(new Error(`The console closed the connection (${code}).`))
    })
    socket.addEventListener('open', () =>
      resolve({
        send: (message) => {
          if (!state.isClosed) socket.send(JSON.stringify(message))
        },
        onMessage: (listener) => state.onMessage(listener),
        onClose: (listener) => state.onClose(listener),
        close: (reason) => socket.close(1000, reason),
      }),
    )
  })
}

/** The way to the console core in this shell. */
export function openWire(): Promise<Wire> {
  if (window.signalbox !== undefined) return Promise.resolve(pipeWire(window.signalbox))
  const url = new URL('/rpc', window.location.href)
  url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:'
  return socketWire(url.href)
}
