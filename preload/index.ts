// A pipe and nothing else: messages of the console's contract, unread, on one channel. Runs in the sandbox.
import { contextBridge, ipcRenderer } from 'electron'
import { type Pipe, type PipeKind, pipeChannel } from '../core/rpc/pipe.ts'

function listen(wanted: PipeKind, listener: (message: unknown) => void): () => void {
  // The event stays here: through it the page would reach ipcRenderer.
  const receive = (_event: unknown, kind: PipeKind, message: unknown): void => {
    if (kind === wanted) listener(message)
  }
  ipcRenderer.on(pipeChannel, receive)
  return () => {
    ipcRenderer.off(pipeChannel, receive)
  }
}

const pipe: Pipe = {
  send: (message) => ipcRenderer.send(pipeChannel, message),
  onMessage: (listener) => listen('message', listener),
  onClose: (listener) => listen('close', () => listener()),
}
contextBridge.exposeInMainWorld('signalbox', pipe)
