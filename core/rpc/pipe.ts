/** The one channel between page and main process in the desktop shell. */
export const pipeChannel = 'signalbox'

/** What goes from the main process to the page on {@link pipeChannel}: this word, then the message if there is one. */
export type PipeKind = 'message' | 'close'

/** What the preload script exposes to the page as `window.signalbox`. */
export interface Pipe {
  send(message: unknown): void
  /** Returns a way to stop. */
  onMessage(listener: (message: unknown) => void): () => void
  /** The console core ended. */
  onClose(listener: () => void): () => void
}
