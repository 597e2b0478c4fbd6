import { EventEmitter } from 'node:events'
import { build } from 'esbuild'
import path from 'node:path'
import vm from 'node:vm'
import { expect, test } from 'vitest'

/** The script as it is shipped: one CommonJS file that may require `electron` and nothing else. */
async function runPreload() {
  const { outputFiles } = await build({
    entryPoints: [path.resolve(import.meta.dirname, '../../preload/index.ts')],
    bundle: true,
    format: 'cjs',
    platform: 'node',
    external: ['electron'],
    write: false,
  })
  const code = outputFiles[0]?.text ?? ''
  const ipcRenderer = Object.assign(new EventEmitter(), {
    sent: [] as unknown[][],
    send: (...args: unknown[]) => void ipcRenderer.sent.push(args),
  })
  const exposed: Record<string, unknown> = {}
  const contextBridge = { exposeInMainWorld: (name: string, value: unknown) => void (exposed[name] = value) }
  const required: string[] = []
  const require = (name: string) => {
    required.push(name)
    return { contextBridge, ipcRenderer }
  }
  vm.runInNewContext(code, { require, module: { exports: {} }, exports: {} })
  return { code, ipcRenderer, exposed, required }
}
interface Exposed {
  send(message: unknown): void
  onMessage(listener: (...args: unknown[]) => void): () => void
  onClose(listener: (...args: unknown[]) => void): () => void
}

test('the preload script exposes a pipe of three functions and requires electron only', async () => {
  const { exposed, required, code } = await runPreload()
  expect(Object.keys(exposed)).toEqual(['signalbox'])
  expect(Object.keys(exposed['signalbox'] as Exposed)).toEqual(['send', 'onMessage', 'onClose'])
  expect(required).toEqual(['electron'])
  expect(code.split('\n').length).toBeLessThan(60)
})

test('the page gets messages without the event, can stop listening, and sends on the one channel', async () => {
  const { exposed, ipcRenderer } = await runPreload()
  const pipe = exposed['signalbox'] as Exposed
  const got: unknown[][] = []
  const closed: unknown[][] = []
  const stop = pipe.onMessage((...args) => got.push(args))
  pipe.onClose((...args) => closed.push(args))
  ipcRenderer.emit('signalbox', { sender: ipcRenderer }, 'message', { t: 'ok' })
  ipcRenderer.emit('signalbox', { sender: ipcRenderer }, 'close')
  ipcRenderer.emit('other', { sender: ipcRenderer }, 'message', 1)
  stop()
  ipcRenderer.emit('signalbox', {}, 'message', 2)
  expect(got).toEqual([[{ t: 'ok' }]])
  expect(closed).toEqual([[]])
  expect(ipcRenderer.listenerCount('signalbox')).toBe(1)
  pipe.send({ t: 'req' })
  expect(ipcRenderer.sent).toEqual([['signalbox', { t: 'req' }]])
})
