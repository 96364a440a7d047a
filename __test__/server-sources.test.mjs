// An image server in a process of its own is asked for files that are meant to harm it, one after the other and all at once:
// it answers each with what is right, then the next request as if nothing had been, says nothing, and ends with its own code.
import assert from 'node:assert/strict'
import fs from 'node:fs'
import http from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it, test } from 'node:test'
import { caseNames, hasCases, readCase } from './support/cases.mjs'
import { startChild } from './support/child.mjs'
import { corpusFiles, withCorpus } from './support/corpus.mjs'
import { fixture } from './support/fixtures.mjs'
import { ANSWERS, hostileFiles } from './support/hostile.mjs'

const WIDTH = 16
/** Of the fuzzed files of the corpus every so many, in both formats. */
const FUZZ_STRIDE = 20

const root = fs.realpathSync(fs.mkdtempSync(join(tmpdir(), 'pixrace-hostile-')))
after(() => fs.rmSync(root, { recursive: true, force: true }))

let server

/** A server that keeps nothing, so that every request is work. */
async function start() {
  const options = { roots: root, cache: false, memory: 0, effort: 'fast', widths: [WIDTH] }
  const { child, ended } = startChild('server-child.mjs', { args: [JSON.stringify(options)] })
  const { port } = await new Promise((resolve, reject) => {
    child.once('message', resolve)
    ended.then(({ errors }) => reject(new Error(`the server did not start: ${errors}`)))
  })
  return { child, port, ended }
}

/** Status, type and length of an answer; `end` says how the server ended if there is none. */
function ask(name) {
  const path = `/?url=/${encodeURIComponent(name)}&w=${WIDTH}`
  return new Promise((resolve, reject) => {
    const request = http.get({ port: server.port, host: '127.0.0.1', path, agent: false }, response => {
      let bytes = 0
      response.on('data', data => {
        bytes += data.length
      })
      response.on('error', reject)
      response.on('end', () => resolve({ status: response.statusCode, type: response.headers['content-type'], bytes }))
    })
    request.on('error', async error => {
      if (server.child.connected) return reject(error)
      const { code, signal, errors } = await server.ended
      reject(new Error(`the server ended with ${signal ?? code}: ${errors}`))
    })
  })
}

async function assertWorks() {
  const { status, type, bytes } = await ask('good.jpg')
  assert.match(`${status} ${type}`, /^200 image/)
  assert.ok(bytes > 0)
}

/** Every file is answered rightly, and the good one after each. */
async function answers(files) {
  for (const { name, data } of files) fs.writeFileSync(join(root, name), data)
  const wrong = []
  for (const { name, expected } of files) {
    const { status } = await ask(name)
    if (!expected.includes(status)) wrong.push(`${name}: ${status} instead of ${expected.join(' or ')}`)
    await assertWorks()
  }
  assert.deepEqual(wrong, [])
}

function sources() {
  let files
  before(async () => {
    fs.writeFileSync(join(root, 'good.jpg'), fixture('orientation-1.jpg'))
    files = await hostileFiles()
    server = await start()
  })
  after(() => server.child.kill('SIGKILL'))

  it('are answered one after the other', async () => {
    assert.ok(files.length >= 50, `${files.length} files`)
    await answers(files)
  })

  it('are answered all at once', async () => {
    const found = await Promise.all(files.map(({ name }) => ask(name)))
    const wrong = files.filter(({ expected }, index) => !expected.includes(found[index].status))
    assert.deepEqual(
      wrong.map(({ name }) => name),
      [],
    )
    await assertWorks()
  })

  if (hasCases()) {
    it('odd images', () =>
      answers(caseNames().map(name => ({ name: `case-${name}`, data: readCase(name), expected: ANSWERS }))))
  } else test('odd images', { skip: 'there are none; PIXRACE_CASES may say where they are' }, () => {})

  withCorpus('fuzzed files', ['fuzz/jpeg', 'fuzz/png'], () => {
    it('fuzzed files', () => {
      const some = ['jpeg', 'png'].flatMap(format =>
        corpusFiles(`fuzz/${format}`)
          .filter((_, index) => index % FUZZ_STRIDE === 0)
          .map(({ read }, index) => ({ name: `fuzz-${index}.${format}`, data: read(), expected: ANSWERS })),
      )
      assert.ok(some.length > 10)
      return answers(some)
    })
  })

  it('leave a server that ends when it is told to, having said nothing', async () => {
    server.child.send('end')
    const { code, signal, output, errors } = await server.ended
    assert.deepEqual({ code, signal, output, errors }, { code: 0, signal: null, output: '', errors: '' })
  })
}

describe('hostile sources', sources)
