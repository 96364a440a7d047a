// What a person sees of a build: the table, the notes, the progress line and the verdict.
import assert from 'node:assert/strict'
import { PassThrough, Writable } from 'node:stream'
import { describe, test } from 'node:test'
import { stripVTControlCharacters } from 'node:util'
import { createProgress } from '../esm/core/progress.js'
import { buildManifest, formatNotes, formatReport } from '../esm/core/report.js'
import { screenWidth, shorten, textWidth, wantsColour } from '../esm/core/terminal.js'
import { verdict } from '../esm/core/verdict.js'

const NO_JPEG = { code: 'format-skipped', format: 'jpeg', message: 'JPEG has no transparency.' }

function output(fileName, format, width, bytes, rest = {}) {
  const candidates = [{ format, bytes, quality: 70, score: 84.2, encodes: 3, elapsedMs: 12.5, outcome: 'won' }]
  const common = { fileName, format, width, height: width / 2, bytes, quality: 70, score: 84.2, isOriginal: false }
  return { ...common, candidates, ...rest }
}

function record(source, before, outputs, rest = {}) {
  return { source, before, outputs, warnings: [], cached: false, elapsedMs: 1234, ...rest }
}

const left = (source, code, message, outputs = []) => record(source, 3000, outputs, { leftAlone: { code, message } })

const PICTURE = [400, 800, 1600].flatMap(width =>
  ['jpeg', 'avif', 'webp'].map((format, i) =>
    output(`hero-${width}.${format}`, format, width, width * [100, 60, 80][i]),
  ),
)
const RECORDS = [
  record('src/Tiny.png', 120, [output(null, 'png', 8, 120, { isOriginal: true, score: 100 })], {
    ...{ cached: true, warnings: [NO_JPEG] },
  }),
  record('src/hero.jpg', 1_834_567, PICTURE, { elapsedMs: 5230 }),
  record('src/logo.png', 12_345, [output('logo.png', 'png', 200, 9345)], { elapsedMs: 0.4, warnings: [NO_JPEG] }),
  record('src/photos/2024-08-17 Sunset at the lake (edited).jpeg', 934_567, [output('s.avif', 'avif', 1600, 134_567)]),
  record('src/写真/東京.webp', 10_000, [output('t.webp', 'webp', 90, 10_400, { score: null })], { elapsedMs: 845 }),
  left('src/a.svg', 'unsupported', 'not a format that pixrace reads'),
  left('src/b.SVG', 'unsupported', 'not a format that pixrace reads'),
  left('favicon.ico', 'unsupported', 'not a format that pixrace reads'),
  left('src/broken.jpg', 'failed', 'Corrupt JPEG input: premature end.'),
]

const NOTES = `
✖ left alone: src/broken.jpg (Corrupt JPEG input: premature end)
! JPEG has no transparency: src/Tiny.png, src/logo.png
· left alone: 1 ico, 2 svg (not a format that pixrace reads)`
const TOTAL = '\n5 images  2791.6 kB → 250.4 kB  −91.0 %  1 from the cache  7.3 s\n'
const AT_80 = `\
file                     before     → after   saving  format       score    time
src/Tiny.png                0.1 →    0.1 kB    0.0 %  png, kept    100.0  cached
src/hero.jpg             1834.6 →   96.0 kB  −94.8 %  avif ×9       84.2   5.2 s
src/logo.png               12.3 →    9.3 kB  −24.3 %  png           84.2   <1 ms
src/photos/202…ed).jpeg   934.6 →  134.6 kB  −85.6 %  jpeg → avif   84.2   1.2 s
src/写真/東京.webp         10.0 →   10.4 kB   +4.0 %  webp             –  845 ms
${TOTAL}${NOTES}`
const AT_120 = `\
file                                         before     → after   saving  format                           score    time
src/Tiny.png                                    0.1 →    0.1 kB    0.0 %  png, kept                        100.0  cached
src/hero.jpg                                 1834.6 →   96.0 kB  −94.8 %  jpeg → avif+webp+jpeg ×3 widths   84.2   5.2 s
src/logo.png                                   12.3 →    9.3 kB  −24.3 %  png                               84.2   <1 ms
src/photos/2024-08-17 Sunset… (edited).jpeg   934.6 →  134.6 kB  −85.6 %  jpeg → avif                       84.2   1.2 s
src/写真/東京.webp                             10.0 →   10.4 kB   +4.0 %  webp                                 –  845 ms
${TOTAL}${NOTES}`
const PIPED = `\
file                                                    before     → after   saving  format                           score    time
src/Tiny.png                                               0.1 →    0.1 kB    0.0 %  png, kept                        100.0  cached
src/hero.jpg                                            1834.6 →   96.0 kB  −94.8 %  jpeg → avif+webp+jpeg ×3 widths   84.2   5.2 s
src/logo.png                                              12.3 →    9.3 kB  −24.3 %  png                               84.2   <1 ms
src/photos/2024-08-17 Sunset at the lake (edited).jpeg   934.6 →  134.6 kB  −85.6 %  jpeg → avif                       84.2   1.2 s
src/写真/東京.webp                                        10.0 →   10.4 kB   +4.0 %  webp                                 –  845 ms
${TOTAL}${NOTES}`

const report = (records, width, colour = false) => formatReport(records, { width, colour, wallMs: 7300 })
const widest = text => Math.max(...text.split('\n').map(textWidth))

describe('the report', () => {
  test('is rendered exactly so', () => {
    assert.equal(report(RECORDS, 80), AT_80)
    assert.equal(report(RECORDS, 120), AT_120)
    assert.equal(report(RECORDS, Number.POSITIVE_INFINITY), PIPED)
  })

  test('does not depend on the order of the records, nor on the locale', () => {
    assert.equal(report(RECORDS.toReversed(), 80), AT_80)
    // By UTF-16 code units the emoji would come first.
    const names = ['\u{1f600}.png', '\uff5e.png', 'ä.png', 'z.png', 'Z.png']
    const rows = report(
      names.map(name => record(name, 10, [output('x', 'png', 1, 5)])),
      80,
    ).split('\n')
    assert.deepEqual(
      rows.slice(1, 6).map(row => row.split(' ')[0]),
      names.toReversed(),
    )
  })

  test('says the same in colour', () => {
    for (const width of [80, 120, Number.POSITIVE_INFINITY]) {
      assert.equal(stripVTControlCharacters(report(RECORDS, width, true)), report(RECORDS, width))
    }
    const lines = report(RECORDS, 80, true).replaceAll('\x1b[', '<').split('\n')
    assert.equal(
      lines[2],
      'src/hero.jpg             1834.6 →   96.0 kB  <36m−94.8 %<0m  <32mavif ×9    <0m   84.2   5.2 s',
    )
    assert.ok(lines[5].includes('<33m +4.0 %<0m'), 'what has grown stands out')
    assert.ok(lines[7].startsWith('<1m5 images<0m  '))
    assert.deepEqual(
      lines.slice(9).map(line => line.slice(0, 8)),
      ['<31m✖<0m', '<33m!<0m', '<2m·<0m '],
    )
  })

  test('fits any terminal', () => {
    for (let width = 20; width <= 160; width++) {
      const text = report(RECORDS, width)
      assert.ok(widest(text) <= width, `${widest(text)} at ${width}`)
    }
  })

  test('says nothing of nothing', () => {
    assert.equal(report([], 80), '')
    assert.equal(report([left('a.svg', 'unsupported', 'unread')], 80), '· left alone: 1 svg (unread)')
  })

  test('shows the largest savings of many', () => {
    const images = Array.from({ length: 500 }, (_, i) =>
      record(`${String(i).padStart(3, '0')}.jpg`, 1000 + ((i * 7) % 500), [output('x', 'jpeg', 10, 900)], {
        ...{ cached: i < 200, warnings: [NO_JPEG, { code: 'infeasible', message: `No candidate scores ${i}.` }] },
      }),
    )
    const lines = report(images, 80).split('\n')
    const shown = lines.slice(1, 21).map(line => Number(line.slice(0, 3)))
    const expected = images.map((_, i) => i).filter(i => (i * 7) % 500 >= 480)
    assert.deepEqual(shown, expected)
    assert.equal(lines[21], '… and 480 more')
    assert.match(lines[23], /^500 images {2}624\.8 kB → 450\.0 kB {2}−28\.0 % {2}200 from the cache/)
    assert.match(
      lines.slice(25, 27).join(' '),
      /transparency: 000\.jpg, 001\.jpg, 002\.jpg, 003\.jpg, 004\.jpg {3}and 495 more/,
    )
    assert.equal(lines.at(-1), '… and 491 more')
    assert.ok(lines.length < 45, `${lines.length} lines`)
    assert.equal(report(images.slice(0, 40), 80).split('\n').indexOf(''), 41, 'up to 40 are shown')
  })

  test('counts an image that is used twice once', () => {
    const [narrow, wide] = [output('n.avif', 'avif', 100, 50), output('w.avif', 'avif', 200, 90)]
    const reordered = Object.fromEntries(Object.entries(narrow).reverse())
    const again = record('a.jpg', 1000, [wide, reordered], { cached: true, elapsedMs: 1 })
    const lines = report([record('a.jpg', 1000, [narrow]), again], 80).split('\n')
    assert.match(lines[1], /^a\.jpg {5}1\.0 → 0\.1 kB {2}−91\.0 % {2}jpeg → avif ×2 widths .* 1\.2 s$/)
    assert.equal(lines[3], '1 image  1.0 kB → 0.1 kB  −91.0 %  7.3 s')
  })

  test('cannot be steered by a name', () => {
    const name = 'a\x1b[2J\n\u202egpj.jpg'
    const text = report([record(name, 10, [output('x', 'jpeg', 1, 5)], { warnings: [NO_JPEG] })], 80)
    assert.equal(text.split('\n').length, 6)
    assert.ok(text.startsWith('file  ') && text.includes('\na�[2J��gpj.jpg  '))
    assert.equal(stripVTControlCharacters(text), text)
  })

  test('has notes of its own', () => {
    assert.equal(formatNotes(RECORDS, { width: 80, colour: false }), NOTES.trim())
  })
})

test('names are cut in the middle, and a file name stays whole where it can', () => {
  assert.equal(shorten('src/assets/images/hero.jpg', 26), 'src/assets/images/hero.jpg')
  assert.equal(shorten('src/assets/images/hero.jpg', 20), 'src/assets…/hero.jpg')
  assert.equal(shorten('a-name-without-any-folder.jpg', 16), 'a-name-wit…r.jpg')
  assert.equal(shorten('東京タワー東京タワー.jpg', 12), '東京タ….jpg')
  // A family is one emoji, and é one letter, of however many code points.
  for (let width = 1; width < 12; width++) {
    const text = shorten('👩‍👩‍👧‍👦e\u0301👩‍👩‍👧‍👦e\u0301👩‍👩‍👧‍👦e\u0301👩‍👩‍👧‍👦', width)
    assert.ok(textWidth(text) <= width, text)
    assert.match(text, /^(?:👩‍👩‍👧‍👦|e\u0301)*…?(?:👩‍👩‍👧‍👦|e\u0301)*$/u)
  }
})

test('colour is for terminals, and for who asks', () => {
  const [tty, pipe] = [{ isTTY: true, columns: 100 }, {}]
  assert.deepEqual([tty, { isTTY: true, columns: 0 }, pipe].map(screenWidth), [100, 80, Number.POSITIVE_INFINITY])
  const onTerminal = env => wantsColour(tty, env)
  assert.deepEqual([onTerminal({}), onTerminal({ NO_COLOR: '' }), onTerminal({ NO_COLOR: '1' })], [true, true, false])
  assert.deepEqual([onTerminal({ TERM: 'dumb' }), onTerminal({ FORCE_COLOR: '0' })], [false, false])
  assert.deepEqual([wantsColour(pipe, {}), wantsColour(pipe, { FORCE_COLOR: '1', NO_COLOR: '1' })], [false, true])
})

describe('the manifest', () => {
  test('has everything that is reproducible', () => {
    const { images, version } = buildManifest(RECORDS)
    assert.equal(version, 1)
    assert.deepEqual(Object.keys(images), RECORDS.map(({ source }) => source).sort())
    const { elapsedMs, ...candidate } = RECORDS[2].outputs[0].candidates[0]
    assert.deepEqual(images['src/logo.png'], {
      bytes: 12_345,
      outputs: [{ ...RECORDS[2].outputs[0], candidates: [candidate] }],
      warnings: [NO_JPEG],
    })
    assert.deepEqual(images['src/broken.jpg'], {
      ...{ bytes: 3000, outputs: [], warnings: [] },
      leftAlone: { code: 'failed', message: 'Corrupt JPEG input: premature end.' },
    })
  })

  test('depends on neither order, time nor cache', () => {
    const text = JSON.stringify(buildManifest(RECORDS))
    assert.doesNotMatch(text, /elapsed|cached/)
    const later = RECORDS.toReversed().map(image => ({
      ...image,
      ...{ elapsedMs: 9, cached: !image.cached, warnings: image.warnings.toReversed() },
      outputs: image.outputs.toReversed().map(({ candidates, ...rest }) => ({
        candidates: candidates.map(candidate => ({ ...candidate, elapsedMs: 1 })),
        ...rest,
      })),
    }))
    assert.equal(JSON.stringify(buildManifest(later)), text)
    assert.equal(JSON.stringify(buildManifest([...RECORDS, ...later])), text)
  })

  test('takes any name', () => {
    const { images } = buildManifest([record('__proto__', 1, []), record('constructor', 1, [])])
    assert.deepEqual(Object.keys(images), ['__proto__', 'constructor'])
  })
})

describe('the verdict', () => {
  const failure = 'src/broken.jpg: Corrupt JPEG input: premature end'
  const remarks = ['src/Tiny.png: JPEG has no transparency', 'src/logo.png: JPEG has no transparency']

  test('follows failOn', () => {
    assert.deepEqual(verdict(RECORDS, { failOn: 'error' }), { errors: [failure], warnings: remarks, fails: true })
    assert.deepEqual(verdict(RECORDS, { failOn: 'warning' }), {
      ...{ errors: [failure, ...remarks], warnings: [], fails: true },
    })
    assert.deepEqual(verdict(RECORDS, { failOn: 'never' }), {
      ...{ errors: [], warnings: [failure, ...remarks], fails: false },
    })
    const fine = RECORDS.filter(({ leftAlone }) => leftAlone?.code !== 'failed')
    assert.equal(verdict(fine, { failOn: 'error' }).fails, false)
    assert.equal(verdict(fine, { failOn: 'warning' }).fails, true)
    assert.equal(verdict([], { failOn: 'warning', budget: { minSaving: 1 } }).fails, false)
  })

  test('holds every file against maxBytesPerImage', () => {
    const images = [
      record('b.png', 900, [
        output('x.avif', 'avif', 1, 500),
        output('y.avif', 'avif', 2, 501),
        output(null, 'png', 3, 1502),
      ]),
      record('a.png', 900, [output('z.avif', 'avif', 1, 500)]),
      left('c.svg', 'unsupported', 'unread'),
    ]
    const { errors, fails } = verdict(images, { failOn: 'never', budget: { maxBytesPerImage: 500 } })
    assert.equal(fails, true)
    assert.deepEqual(errors, [
      'b.png: the inlined png of width 3 has 1,502 bytes, budget.maxBytesPerImage is 500 bytes',
      'b.png: y.avif has 501 bytes, budget.maxBytesPerImage is 500 bytes',
      'c.svg: the original, left alone, has 3,000 bytes, budget.maxBytesPerImage is 500 bytes',
    ])
  })

  test('holds the sums against minSaving', () => {
    const saved = (after, minSaving) =>
      verdict([record('a.png', 100_000, [output('a', 'png', 1, after)]), left('b.svg', 'unsupported', '')], {
        ...{ failOn: 'never', budget: { minSaving } },
      }).errors
    for (const [after, bound] of [
      [70_000, 0.3],
      [0, 1],
      [100_000, 0],
      [99_900, 0.001],
    ]) {
      assert.deepEqual(saved(after, bound), [], `${after} of 100000 is a saving of ${bound}`)
    }
    const [rounded] = saved(70_001, 0.3)
    assert.equal(rounded, 'all images together: saving is 29.9 % (100.0 kB → 70.0 kB), budget.minSaving is 30 %')
    assert.match(saved(103_000, 0)[0], /: grew by 3\.0 % \(100\.0 kB → 103\.0 kB\), budget\.minSaving is 0 %$/)
  })
})

function stage({ isTTY = true, columns = 40, env = {} } = {}) {
  let now = 0
  const timers = new Set()
  const written = []
  const clock = {
    now: () => now,
    after(ms, task) {
      const timer = { at: now + ms, task }
      timers.add(timer)
      return () => timers.delete(timer)
    },
  }
  const wait = ms => {
    now += ms
    for (const timer of [...timers]) if (timer.at <= now && timers.delete(timer)) timer.task()
  }
  const stream = { isTTY, columns, write: text => written.push(text) }
  return { progress: createProgress(stream, env, clock), wait, written, timers, stream }
}

describe('progress', () => {
  const ERASE = '\r\x1b[2K'

  test('is one line on a terminal, ten times a second', () => {
    const { progress, wait, written } = stage()
    progress.start(40)
    for (let i = 1; i <= 40; i++) {
      progress.update(i, 40, `${i}.jpg`)
      wait(10)
    }
    assert.deepEqual(
      written,
      ['10', '20', '30', '40'].map(i => `${ERASE}pixrace ${i}/40 images · ${i}.jpg`),
    )
    progress.stop()
    assert.equal(written.at(-1), ERASE)
  })

  test('leaves nothing behind', () => {
    const { progress, wait, written, timers } = stage()
    progress.start(2)
    wait(100)
    progress.clear()
    progress.clear()
    progress.update(1, 3)
    progress.stop()
    progress.stop()
    progress.update(2, 3)
    wait(1000)
    assert.deepEqual(written, [`${ERASE}pixrace 0/2 images`, ERASE])
    assert.equal(timers.size, 0)
    progress.start(1)
    wait(100)
    assert.equal(written.at(-1), `${ERASE}pixrace 0/1 image`, 'a watcher begins anew')
  })

  test('grows, and fits the terminal', () => {
    for (let columns = 8; columns <= 90; columns++) {
      const { progress, wait, written } = stage({ columns })
      for (let total = 1; total <= 500; total++) progress.start(total)
      progress.update(120, 500, 'src/写真/a-rather-long-name-of-a-\n-picture.jpg')
      wait(100)
      const line = written[0].slice(ERASE.length)
      assert.ok(textWidth(line) < columns && !line.includes('\n'), `${line} in ${columns}`)
      if (columns > 22) assert.ok(line.startsWith('pixrace 120/500'), line)
    }
  })

  test('is a line every ten seconds in a log', () => {
    for (const options of [{ env: { CI: 'true' } }, { isTTY: false }, { env: { TERM: 'dumb' } }]) {
      const { progress, wait, written } = stage(options)
      progress.start(500)
      for (let i = 1; i <= 250; i++) {
        wait(100)
        progress.update(i, 500, `${i}.jpg`)
        if (i === 99) assert.deepEqual(written, [], 'nothing for a short build')
      }
      progress.stop()
      wait(60_000)
      assert.deepEqual(written, ['pixrace: 99 of 500 images\n', 'pixrace: 199 of 500 images\n'])
    }
  })

  test('does without a stream, and outlives a broken one', async () => {
    let now = 0
    // Every line is due at once.
    const clock = { now: () => (now += 60_000), after: () => () => {} }
    const show = stream => {
      const progress = createProgress(stream, {}, clock)
      progress.start(2)
      progress.update(1, 2, 'a')
      progress.stop()
    }
    show(null)
    show({ isTTY: true, write: () => assert.fail('a broken stream') })
    const ended = Object.assign(new PassThrough().resume(), { isTTY: true })
    ended.end()
    show(ended)
    show(ended.destroy())
    const failing = new Writable({ write: (_chunk, _encoding, done) => setImmediate(done, new Error('EPIPE')) })
    show(Object.assign(failing, { isTTY: true }))
    // An error without a listener would end this process.
    for (let i = 0; i < 5; i++) await new Promise(setImmediate)
    assert.deepEqual([failing.destroyed, failing.listenerCount('error')], [true, 0])
  })

  test('does not keep the process alive', () => {
    const before = process.getActiveResourcesInfo().filter(name => name === 'Timeout').length
    const progress = createProgress({ write() {} }, {})
    progress.start(2)
    assert.equal(process.getActiveResourcesInfo().filter(name => name === 'Timeout').length, before)
    progress.stop()
  })
})
