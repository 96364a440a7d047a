// GIFs that no encoder should write and some do: what is shown of them is what Chromium shows, frame by frame. Each row says
// what that is, and where there is a Chromium it is asked too; the stripped original must show the same there.
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import pixrace from '../index.js'
import { path as browserPath, openBrowser } from './support/browser.mjs'
import { gifExtension, gifFrame, gifOf, gifRepeat } from './support/gif.mjs'
import { lettersOf, shownByPixrace } from './support/letters.mjs'

const CORRUPT = 'ERR_PIXRACE_CORRUPT_INPUT'
/** Red, green, blue, white. All that follows is black. */
const PALETTE = [
  [255, 0, 0],
  [0, 255, 0],
  [0, 0, 255],
  [255, 255, 255],
]
const [RED, GREEN, BLUE, WHITE] = [0, 1, 2, 3]
const BLUE_AND_GREEN = [PALETTE[BLUE], PALETTE[GREEN]]

/** A frame of one colour. */
const fill = (width, height, color, more) => ({ width, height, pixels: Array(width * height).fill(color), ...more })
const gif = (frames, more) => gifOf({ width: 3, height: 2, palette: PALETTE, frames, ...more })
const whole = (color, more) => fill(3, 2, color, more)
const dot = (color, more) => fill(1, 1, color, more)
const control = (...bytes) => gifExtension(0xf9, bytes)
const unruled = gifFrame(dot(GREEN, { control: false }))
const profile = gifExtension(0xff, 'ICCRGBG1012', Array(200).fill(7))

/** Name: file, and what is seen of each frame; or the code of the error, where Chromium shows nothing or a part. */
const FILES = {
  'no table': [gif([whole(GREEN)], { palette: undefined }), ['KKK KKK']],
  'no table, and a transparent colour': [gif([whole(1, { transparent: 1 })], { palette: undefined }), ['... ...']],
  'a table of the second frame only': [
    gif([whole(1), dot(GREEN, { palette: PALETTE })], { palette: undefined }),
    ['KKK KKK', 'GKK KKK'],
  ],
  'a table of the first frame only': [
    gif([whole(GREEN, { palette: PALETTE }), dot(1)], { palette: undefined }),
    ['GGG GGG', 'KGG GGG'],
  ],
  'a table of its own': [gif([whole(0, { palette: BLUE_AND_GREEN })]), ['BBB BBB']],
  'an index beyond the table': [gif([whole(77)]), ['KKK KKK']],
  'an index beyond its own table': [gif([whole(RED), dot(3, { palette: BLUE_AND_GREEN })]), ['RRR RRR', 'KRR RRR']],
  'a transparent index beyond its own table': [
    gif([whole(RED), { ...fill(2, 1, 3), pixels: [3, 5], palette: BLUE_AND_GREEN, transparent: 3 }]),
    ['RRR RRR', 'RKR RRR'],
  ],
  'interlaced rows': [
    gif([{ width: 1, height: 9, interlaced: true, pixels: [0, 1, 2, 3, 0, 1, 2, 3, 0] }], { width: 1, height: 9 }),
    ['R G W B B W R R G'],
  ],
  ...Object.fromEntries(
    [
      [1, 'BGR RRR'],
      [2, 'B.R RRR'],
      [3, 'BRR RRR'],
      [4, 'BRR RRR'],
      [5, 'BGR RRR'],
      [6, 'BGR RRR'],
      [7, 'BGR RRR'],
    ].map(([dispose, last]) => [
      `disposal ${dispose}`,
      [gif([whole(RED), fill(2, 1, GREEN, { dispose }), dot(BLUE)]), ['RRR RRR', 'GGR RRR', last]],
    ]),
  ),
  'a first frame that is restored': [gif([whole(RED, { dispose: 4 }), dot(BLUE)]), ['RRR RRR', 'B.. ...']],
  'a screen of 0 × 0': [gif([whole(RED)], { width: 0, height: 0 }), ['RRR RRR']],
  'a screen that is too narrow': [gif([whole(RED)], { width: 1, height: 3 }), ['RRR RRR ...']],
  'a screen that is too low': [gif([whole(RED)], { width: 4, height: 1 }), ['RRR. RRR.']],
  'a first frame that reaches out': [gif([fill(3, 1, RED, { left: 2, top: 1 })]), ['..... ..RRR']],
  'a first frame outside': [gif([dot(RED, { left: 3, top: 2 }), dot(BLUE)]), ['.... .... ...R', 'B... .... ...R']],
  'a second frame that is larger': [gif([whole(RED), fill(9, 9, GREEN, { left: 1 })]), ['RRR RRR', 'RGG RGG']],
  'a screen for the first frame, not the second': [
    gif([fill(2, 1, RED), fill(9, 9, GREEN)], { width: 0, height: 0 }),
    ['RR', 'GG'],
  ],
  'a second frame outside': [gif([whole(RED), dot(GREEN, { left: 99 }), dot(BLUE)]), ['RRR RRR', 'BRR RRR']],
  'a disposal that reaches out': [
    gif([whole(RED), fill(9, 9, GREEN, { left: 2, dispose: 2 }), dot(BLUE)]),
    ['RRR RRR', 'RRG RRG', 'BR. RR.'],
  ],
  'an empty frame first': [gif([fill(0, 0, RED), dot(GREEN)]), ['... ...', 'G.. ...']],
  'an empty frame outside': [
    gif([fill(0, 0, RED, { left: 4, top: 3 }), dot(GREEN)]),
    ['.... .... ....', 'G... .... ....'],
  ],
  'an empty frame last': [gif([whole(RED), fill(0, 0, RED, { dispose: 2 }), dot(GREEN)]), ['RRR RRR', 'GRR RRR']],
  'an empty frame and nothing else': [gif([fill(0, 0, RED)], { width: 0, height: 0 }), CORRUPT],
  'an unknown extension': [gif([gifExtension(0x42, 'who', 'knows'), whole(RED)]), ['RRR RRR']],
  'an unknown extension without content': [gif([gifExtension(0x00), whole(RED)]), ['RRR RRR']],
  'unknown extensions between frames': [
    gif([whole(RED), gifExtension(0x42, 'who'), dot(GREEN), gifExtension(0x43)]),
    ['RRR RRR', 'GRR RRR'],
  ],
  'a profile': [gif([profile, whole(RED)]), ['RRR RRR']],
  'a profile between frames': [gif([whole(RED), profile, dot(GREEN)]), ['RRR RRR', 'GRR RRR']],
  'what is said of a frame, then a comment': [
    gif([whole(RED), control(9, 10, 0, GREEN), gifExtension(0xfe, 'hello'), unruled, dot(BLUE, { left: 1 })]),
    ['RRR RRR', '.BR RRR'],
  ],
  'what is said of a frame, then of a text': [
    gif([
      whole(RED),
      control(9, 10, 0, GREEN),
      gifExtension(1, Array(12).fill(0), 'a'),
      unruled,
      dot(BLUE, { left: 1 }),
    ]),
    ['RRR RRR', '.BR RRR'],
  ],
  'what is said twice': [
    gif([whole(RED), control(9, 10, 0, GREEN), control(0, 10, 0, 0), unruled]),
    ['RRR RRR', 'GRR RRR'],
  ],
  'what is said of the frame before': [
    gif([whole(RED, { transparent: GREEN, dispose: 2 }), unruled, dot(BLUE, { left: 2 })]),
    ['RRR RRR', 'G.. ...', 'G.B ...'],
  ],
  'something malformed said of a frame': [gif([control(1, 10, 0), unruled]), CORRUPT],
  'no pixels': [gif([{ width: 3, height: 2, pixels: [] }]), CORRUPT],
  'too few pixels': [gif([{ width: 3, height: 2, pixels: [0, 0, 0, 0, 0] }]), CORRUPT],
  'too few pixels in the second frame': [gif([whole(RED), { ...whole(GREEN), pixels: [1, 1, 1, 1] }]), CORRUPT],
  'too many pixels': [gif([{ width: 3, height: 2, pixels: Array(9).fill(GREEN) }]), ['GGG GGG']],
  'no frame': [gif([]), CORRUPT],
  'something behind the end': [Buffer.concat([gif([whole(RED)]), gif([whole(GREEN)])]), ['RRR RRR']],
}

let browser
before(async () => {
  if (browserPath) browser = await openBrowser()
})
after(() => browser?.close())

/** Equal frames in a row are merged in results. */
const merged = frames => frames.filter((frame, i) => frame !== frames[i - 1])

/** What Chromium shows, in letters. */
async function shownByChromium(data) {
  const { error, width, height, frames } = await browser.frames({ data, format: 'gif' })
  return error ? CORRUPT : merged(frames.map(frame => lettersOf({ width, height, data: Buffer.from(frame) })))
}

describe('is shown as in Chromium', () => {
  for (const [name, [file, expected]] of Object.entries(FILES)) {
    test(name, async () => {
      assert.deepEqual(await shownByPixrace(file), expected)
      if (browser && expected !== CORRUPT) assert.deepEqual(await shownByChromium(file), expected)
      if (expected === CORRUPT) return
      const { input, width, height, candidates, warnings } = await pixrace.optimize(file)
      const [top] = expected[0].split(' ')
      assert.deepEqual([width, height], [top.length, expected[0].split(' ').length])
      assert.deepEqual([input.width, input.height, input.orientation], [width, height, 1])
      if (expected.join().includes('.')) assert.ok(input.hasAlpha)
      assert.ok(!warnings.some(({ code }) => code === 'missing-end'))
      const original = candidates.at(-1)
      assert.equal(original.format, 'gif')
      if (browser) assert.deepEqual(await shownByChromium(original.data), expected)
      for (const { data } of candidates) assert.ok(!data?.includes('ICCRGBG1012'))
    })
  }
})

describe('plays', () => {
  const netscape = (...blocks) => gifExtension(0xff, 'NETSCAPE2.0', ...blocks)
  const RED_AND_GREEN = [whole(RED), dot(GREEN)].map(gifFrame)
  const [first, second] = RED_AND_GREEN
  const around = (...blocks) => gif([...blocks, first, second])
  const files = {
    'without a word': [around(), 1],
    'as the last of two says': [around(gifRepeat(3), gifRepeat(5)), 6],
    'for ever, said last': [around(gifRepeat(5), gifRepeat(0)), 0],
    'for ever, said first': [around(gifRepeat(0), gifRepeat(5)), 6],
    'as is said between frames': [gif([first, gifRepeat(5), second]), 6],
    'as is said at the end': [gif([gifRepeat(3), first, second, gifRepeat(5)]), 6],
    'as another name says': [around(gifRepeat(3), gifRepeat(5, 'ANIMEXTS1.0')), 6],
    'not as a name says that nobody knows': [around(gifRepeat(5, 'NETSCAPE1.0')), 1],
    'not as a number of one byte says': [around(netscape([1, 4])), 1],
    'not as a number of three bytes says': [around(netscape([1, 4, 0, 7])), 1],
    'not as another kind of number says': [around(netscape([0, 4, 0])), 1],
    'not as a second number says': [around(netscape([2, 4, 0, 0, 0], [1, 6, 0])), 1],
    'as the first number says': [around(netscape([1, 4, 0], [1, 6, 0])), 5],
  }
  for (const [name, [file, plays]] of Object.entries(files)) {
    test(name, async () => {
      const options = { formats: ['webp'], lossless: true, keepOriginal: false }
      const { data } = await pixrace.optimize(file, options)
      assert.equal(data.readUInt16LE(data.indexOf('ANIM') + 12), plays)
      if (!browser) return
      const stripped = (await pixrace.optimize(file, { formats: ['jpeg'] })).data
      for (const shown of [file, stripped])
        assert.equal((await browser.frames({ data: shown, format: 'gif' })).plays, plays)
    })
  }
})

describe('without its trailer', () => {
  const bare = (...frames) => gif(frames, { trailer: false })
  const comment = gifExtension(0xfe, 'hello')
  const still = {
    'a picture': bare(whole(RED)),
    'a picture and a comment': bare(whole(RED), comment),
    'a picture and a zero': bare(whole(RED), Buffer.from([0])),
    'a picture without the end of its block': bare(whole(RED)).subarray(0, -1),
  }
  for (const [name, file] of Object.entries(still)) {
    test(`${name} is shown, with a warning`, async () => {
      assert.deepEqual(await shownByPixrace(file), ['RRR RRR'])
      const { warnings } = await pixrace.optimize(file)
      assert.deepEqual(
        warnings.map(({ code }) => code),
        ['missing-end'],
      )
    })
  }

  test('a picture of which a pixel is missing is an error, and so is a rest of an animation', async () => {
    // Behind the last pixel are the code at the end and the end of the block.
    assert.equal(await shownByPixrace(bare(whole(RED)).subarray(0, -3)), CORRUPT)
    assert.equal(await shownByPixrace(bare(whole(RED), comment.subarray(0, 5))), CORRUPT)
    assert.equal(await shownByPixrace(bare(whole(RED), dot(GREEN))), CORRUPT)
    assert.equal(await shownByPixrace(gif([whole(RED)], { repeat: 0, trailer: false })), CORRUPT)
  })
})

test('inspect tells whether something is transparent', async () => {
  const hasAlpha = async (...frames) => (await pixrace.inspect(gif(frames))).hasAlpha
  assert.deepEqual(await Promise.all([hasAlpha(whole(RED)), hasAlpha(whole(RED, { dispose: 2 }))]), [false, false])
  assert.equal(await hasAlpha(whole(RED), dot(WHITE, { dispose: 3 }), dot(GREEN)), false)
  assert.equal(await hasAlpha(whole(RED), dot(WHITE, { dispose: 2 }), dot(GREEN)), true)
  assert.equal(await hasAlpha(dot(RED)), true)
})
