// What `npm run viewers` calls a fault: pictures that differ, in size or in pixels, what is refused, and whatever goes wrong in the
// process that pixrace runs in.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { faultsOf } from '../benchmark/lib/viewers-judge.mjs'

const SIZE = { width: 16, height: 8 }
const picture = (color, { width, height } = SIZE) => ({
  width,
  height,
  picture: { width, height, data: Buffer.from(Array.from({ length: width * height }, () => color).flat()) },
})
const GREY = picture([100, 100, 100, 255])
const noise = change => {
  const samples = GREY.picture.data.map((_, at) => (at % 4 === 3 ? 255 : 40 + ((at * 89) % 200) + change(at)))
  return { ...SIZE, picture: { ...SIZE, data: samples } }
}
const NOISE = noise(() => 0)
const OTHER_NOISE = noise(at => (at % 8 < 4 ? 12 : -12))
const NOTHING = picture([0, 0, 0, 0])
const BROKEN = { error: 'is not decoded' }
const INFO = { ...SIZE, orientation: 1 }
const RIGHT = { errors: [], info: INFO, pixels: {}, result: {}, output: '' }

/** Kinds of the faults, and who shows the file, where everything is right but for `given`. */
function judge(given) {
  const all = { chromium: GREY, sharp: GREY, own: RIGHT, shown: GREY, byDefault: GREY, format: 'png', ...given }
  const { shownBy, faults } = faultsOf(all)
  return [shownBy, ...faults.map(({ kind, grave }) => (grave ? `${kind}!` : kind))]
}

describe('what is a fault', () => {
  const refusal = code => ({ errors: [{ call: 'optimize', code, message: 'why' }], output: '' })
  const turned = { ...INFO, width: SIZE.height, height: SIZE.width }
  const cases = {
    'nothing, if all see the same': [{}, ['both']],
    'nothing, if rounding explains it': [{ shown: picture([101, 100, 100, 255]) }, ['both']],
    'nothing, if the lossy file is a little off': [{ byDefault: picture([105, 96, 100, 255]) }, ['both']],
    'other pixels': [{ shown: picture([101, 103, 100, 255]) }, ['both', 'pixels']],
    'another transparency': [{ shown: picture([100, 100, 100, 200]) }, ['both', 'pixels']],
    'another size': [{ byDefault: picture([100, 100, 100, 255], turned) }, ['both', 'default']],
    'a file that Chromium does not show': [{ byDefault: BROKEN }, ['both', 'default']],
    'a ruined file': [{ byDefault: picture([120, 80, 110, 255]) }, ['both', 'default']],
    'nothing, if noise becomes other noise': [{ chromium: NOISE, shown: NOISE, byDefault: OTHER_NOISE }, ['both']],
    'a size that is told wrongly': [{ own: { ...RIGHT, info: turned } }, ['both', 'inspect']],
    'nothing, if it is the size before turning': [{ own: { ...RIGHT, info: { ...turned, orientation: 6 } } }, ['both']],
    'a refusal': [
      { own: refusal('ERR_PIXRACE_CORRUPT_INPUT'), shown: undefined, byDefault: undefined },
      ['both', 'refused'],
    ],
    'an internal error': [
      { own: refusal('ERR_PIXRACE_INTERNAL'), shown: undefined, byDefault: undefined },
      ['both', 'internal!'],
    ],
    'a crash, whoever shows the file': [
      { own: { errors: [], end: 'SIGABRT', output: 'oops' }, chromium: BROKEN, sharp: BROKEN },
      ['none', 'crash!', 'output!'],
    ],
    'nothing that Chromium does not show': [{ chromium: BROKEN, shown: NOTHING }, ['sharp']],
    'nothing that Chromium shows as nothing': [{ chromium: NOTHING }, ['sharp']],
    'what Chromium alone shows counts apart': [{ sharp: BROKEN, shown: NOTHING }, ['chromium', 'pixels']],
    'nothing, if there is nothing to see for all': [
      { chromium: NOTHING, sharp: NOTHING, shown: NOTHING, byDefault: NOTHING },
      ['both'],
    ],
  }
  for (const [what, [given, expected]] of Object.entries(cases))
    it(what, () => assert.deepEqual(judge(given), expected))
})
