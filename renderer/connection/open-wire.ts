import { type Wire, WireState } from '../../core/rpc/wire.ts'

/** What the preload script exposes in the desktop shell: one pipe, nothing else. */
interface Pipe {
  send(message: unknown): void
  onMessage(listener: (message: unknown) => void): () => void
  onClose(listener: () => void): () => void
}

declare global {
  interface Window {
    readonly signalbox?: Pipe
  }
}

function pipeWire(pipe: Pipe): Wire {
  const state = new WireState()
  pipe.onMessage((message) => state.receive(message))
  pipe.onClose(() => state.close('the console core ended'))
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
