import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

/** Programs that run inside lab hosts, as `/run/lab/<name>.mjs`. */
export const hostScripts = ['http-server', 'request-burst', 'steady-client', 'held-flows'] as const
export type HostScript = (typeof hostScripts)[number]

/**
 * Compiles them into `dir`. Running the TypeScript directly would cost each process 0.1 s of type stripping, and the
 * checkout would have to be readable for all of the host's accounts.
 */
export const compileHostScripts = async (dir: string): Promise<void> => {
  await build({
    entryPoints: hostScripts.map((name) => fileURLToPath(new URL(`${name}.ts`, import.meta.url))),
    outdir: dir,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node24',
    logLevel: 'silent',
  })
}
