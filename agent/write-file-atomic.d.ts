// The package brings no types; this is the part of it that the agent uses.
declare module 'write-file-atomic' {
  /** Writes beside the file, fsyncs, renames. */
  export default function writeFileAtomic(file: string, data: string, options?: { mode?: number }): Promise<void>
}
