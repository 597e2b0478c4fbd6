import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { expect, test } from 'vitest'
import { createMap, mapType } from '../../agent/kernel/bpf.ts'
import { loadProgram, programById, programType } from '../../agent/kernel/bpf-program.ts'
import { loadPrograms, readObject } from '../../agent/kernel/object.ts'
import { bindLayout } from '../../agent/dataplane/ebpf/layout.ts'
import { createMaps } from '../../agent/dataplane/ebpf/map-set.ts'
import { AppError } from '../../core/contract/errors.ts'
import { readBuiltObject } from './under-test.ts'

const bytes = readFileSync(resolve(import.meta.dirname, '../../dist/agent/bpf/lb.bpf.o'))

/** mov r0, ARG; exit */
const code = (...instructions: number[]): Buffer => Buffer.from(instructions)
const exit = [0x95, 0, 0, 0, 0, 0, 0, 0]

test('an object that is cut off anywhere is refused as damaged, never loaded in part', () => {
  for (let length = 0; length < bytes.length; length += 997) {
    expect(() => readObject(bytes.subarray(0, length), 'lb.bpf.o'), `${length} bytes`).toThrow(AppError)
  }
})

test('an object with changed bytes is read or refused, and ends in nothing else', () => {
  let refused = 0
  for (let at = 0; at < bytes.length; at += 307) {
    const changed = Buffer.from(bytes)
    changed[at] = changed[at]! ^ 0xff
    try {
      bindLayout(readObject(changed, 'lb.bpf.o'))
    } catch (error) {
      expect(error, `byte ${at}`).toBeInstanceOf(AppError)
      refused++
    }
  }
  expect(refused).toBeGreaterThan(10)
})

test('the digest of the layout is the same at each reading and follows a field', () => {
  const object = readBuiltObject()
  expect(bindLayout(readBuiltObject()).digest).toBe(bindLayout(object).digest)
  const renamed = Buffer.from(bytes)
  const at = renamed.indexOf('generation\0')
  renamed.write('Generation', at)
  expect(() => bindLayout(readObject(renamed, 'lb.bpf.o'))).toThrow('no field generation')
})

test('every counter has a name, and the names say what kind it is', () => {
  const { counters } = bindLayout(readBuiltObject())
  expect(counters.filter((name) => name !== '')).toContain('LB_DROP_FRAGMENT')
  for (const name of counters) expect(name).toMatch(/^$|^LB_(PASS|DROP|FLOW)_[A-Z0-9_]+$|^LB_FWD(_[A-Z]+)?$/)
})

test('a program that the verifier refuses gives one line that says why, and the log folded', () => {
  // r0 = *(u32 *)(r1 + 999): outside of the context
  const bad = { name: 'bad', type: programType.schedCls, expectedAttachType: 0, license: 'GPL' }
  const instructions = code(0x61, 0x10, 0xe7, 0x03, 0, 0, 0, 0, ...exit)
  try {
    loadProgram({ ...bad, instructions })
    expect.unreachable()
  } catch (error) {
    expect(error).toBeInstanceOf(AppError)
    const refused = error as AppError
    expect(refused.message).toMatch(
      /^The kernel refused program bad: EACCES, invalid bpf_context access off=999 size=4\.$/,
    )
    expect(refused.details).toMatchObject({ errno: 'EACCES', verifierLog: expect.stringContaining('R1=ctx') as string })
  }
})

test('a program can be named by its id, and an id that nobody has gives null', () => {
  const program = loadProgram({
    name: 'lb_named',
    type: programType.schedCls,
    expectedAttachType: 0,
    license: 'GPL',
    instructions: code(0xb7, 0, 0, 0, 0, 0, 0, 0, ...exit),
  })
  expect(programById(program.id)).toEqual({ id: program.id, type: programType.schedCls, name: 'lb_named' })
  program.close()
  expect(programById(0x7ffffffe)).toBeNull()
})

test('maps answer look-ups, updates and batches, and say what is not there', () => {
  const map = createMap({ name: 'lb_try', type: mapType.hash, keySize: 4, valueSize: 8, maxEntries: 1000, flags: 0 })
  const number = (value: number, size: number): Buffer => {
    const buffer = Buffer.alloc(size)
    buffer.writeUInt32LE(value)
    return buffer
  }
  expect(map.lookup(number(1, 4))).toBeNull()
  expect(map.delete(number(1, 4))).toBe(false)
  map.update(number(1, 4), number(11, 8), 1)
  expect(() => map.update(number(1, 4), number(12, 8), 1)).toThrow('EEXIST')
  expect(() => map.update(number(2, 4), number(12, 8), 2)).toThrow('ENOENT')
  const keys = Array.from({ length: 500 }, (_, i) => i + 10)
  map.updateBatch(
    Buffer.concat(keys.map((key) => number(key, 4))),
    Buffer.concat(keys.map((key) => number(key * 2, 8))),
  )
  expect(map.lookup(number(300, 4))?.readUInt32LE()).toBe(600)
  expect(map.keys()).toHaveLength(501)
  expect(map.lookupBatch(1000).count).toBe(501)
  map.deleteBatch(Buffer.concat(keys.map((key) => number(key, 4))))
  expect(map.keys().map((key) => key.readUInt32LE())).toEqual([1])
  expect(() => map.update(number(1, 4), number(1, 8), 2)).not.toThrow()
  map.close()
})

test('shared memory is empty after its map is closed: a late read finds nothing', () => {
  const object = readBuiltObject()
  const set = createMaps(null, object, bindLayout(object), { services: 1, realServers: 4, buckets: 1 })
  const view = new Uint8Array(set.map('lb_reals').memory())
  view[0] = 7
  expect(set.map('lb_reals').lookup(Buffer.alloc(4))?.[0]).toBe(7)
  set.close()
  expect(view.length).toBe(0)
})

test('all programs of the object load within the verifier’s patience on maps of any size', () => {
  const object = readBuiltObject()
  const layout = bindLayout(object)
  for (const buckets of [1, 65536]) {
    const set = createMaps(null, object, layout, { services: 1, realServers: 4, buckets })
    const programs = set.load()
    expect([...programs.keys()].toSorted()).toEqual(['lb_clock', 'lb_tcx', 'lb_xdp'])
    for (const program of programs.values()) program.close()
    set.close()
  }
  expect(() => loadPrograms(object, new Map(), new Map())).toThrow('no map lb_work')
})
