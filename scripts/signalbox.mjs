#!/usr/bin/env node
// `npx --no signalbox …` in a checkout: the agent's program from source. stdout belongs to it alone.
import fs from 'node:fs'
import { setUp } from './bootstrap.mjs'
import { runEntry } from './setup/log.mjs'
import { inRoot } from './setup/paths.mjs'
import { runUnderNode24 } from './setup/node24.mjs'

const program = inRoot('agent/main.ts')
const args = process.argv.slice(2)

await runEntry(async () => {
  if (!fs.existsSync(inRoot('node_modules'))) await setUp()
  return runUnderNode24(program, args, { cwd: process.cwd() })
})
