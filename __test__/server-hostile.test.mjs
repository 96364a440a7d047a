// The image handler answers the next request after any hostile source: fifty odd files in turn, each followed by a good one.

import assert from 'node:assert/strict'
import fs from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { mutant } from './support/avif-mutants.mjs'
import { seeds } from './support/avif-seeds.mjs'
import { fixture } from './support/fixtures.mjs'
import { askWeb, folder, handlerOf, targetOf } from './support/image-server.mjs'

const ODD = 50
const JPEG = { headers: { accept: 'image/jpeg' } }

test('a good image is answered after each of fifty odd files', async () => {
  const root = folder()
  const files = Object.values(await seeds())
  for (let index = 0; index < ODD; index++) {
    const odd = [
      () => mutant(files[index % files.length], index),
      () => files[index % files.length].subarray(0, 40 + 7 * index),
      () => fixture('photo.jpg').subarray(0, 20 * index),
      () => Buffer.alloc(index, index),
      () => fixture('photo.png').subarray(0, 100 * index),
    ]
    fs.writeFileSync(join(root, `odd-${index}.avif`), odd[index % odd.length]())
    fs.writeFileSync(join(root, `good-${index}.jpg`), fixture('photo.jpg'))
  }
  const handler = handlerOf({ roots: root })
  const statuses = new Set()
  for (let index = 0; index < ODD; index++) {
    const { status } = await askWeb(handler, targetOf(`/odd-${index}.avif`), JPEG)
    statuses.add(status)
    // The source's fault, not the server's.
    assert.ok(status === 200 || (status >= 400 && status < 500), `odd file ${index}: ${status}`)
    assert.equal((await askWeb(handler, targetOf(`/good-${index}.jpg`), JPEG)).status, 200)
  }
  assert.ok(statuses.size > 1, [...statuses].join())
})
