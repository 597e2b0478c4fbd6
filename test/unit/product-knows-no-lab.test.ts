import { globSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'

/** Subnets of test/lab/layout.ts, its names, and its folder. */
const labWords = /\b198\.1[89]\.|\b10\.7[67]\.|sblab|signalbox-lab|test\/lab/

test('no product code knows an address, a name or a file of the lab', () => {
  const files = globSync('{core,agent,main,preload,renderer}/**/*.{ts,tsx,c,h,html,css}')
  expect(files.length).toBeGreaterThan(200)
  expect(files.filter((file) => labWords.test(readFileSync(file, 'utf8')))).toEqual([])
})
