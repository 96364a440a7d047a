// JPEGs that say more than their pixels: sizes in EXIF, profiles in segments, gain maps.
import sharp from 'sharp'
import { iccProfile } from './color.mjs'
import { exifBlock } from './exif.mjs'

export const segment = (marker, ...parts) => {
  const body = Buffer.concat(parts.map(part => Buffer.from(part, 'latin1')))
  return Buffer.concat([Buffer.of(0xff, marker, (body.length + 2) >> 8, body.length + 2), body])
}

/** A JPEG with segments put at its beginning. */
export const withSegments = (jpeg, ...segments) => Buffer.concat([jpeg.subarray(0, 2), ...segments, jpeg.subarray(2)])

const plain = (width, height, color) =>
  sharp({ create: { width, height, channels: 3, background: color } }).jpeg({ quality: 95, chromaSubsampling: '4:4:4' })

/** Pixels of the pictures below. */
export const [WIDTH, HEIGHT] = [40, 20]

const gradient = () =>
  sharp(Buffer.from(Array.from({ length: WIDTH * HEIGHT }, (_, i) => [(i % WIDTH) * 6, (i / WIDTH) * 12, 90]).flat()), {
    raw: { width: WIDTH, height: HEIGHT, channels: 3 },
  })
    .jpeg({ quality: 95 })
    .toBuffer()

const exifSegment = tags => segment(0xe1, 'Exif\0\0', exifBlock(tags))

export const dense = async tags => withSegments(await gradient(), exifSegment(tags))

const ratio = (value, of = 1) => [value, of]
const per = (x, y = x) => ({ x: ratio(x), y: ratio(y), unit: 2 })
const HALF = { ...per(144), width: 20, height: 10 }

/** Tags, and the size at which Chromium 156 was found to lay the picture out. */
export const DENSITIES = {
  'half the pixels at 144 dpi': [HALF, [20, 10]],
  'little-endian': [{ ...HALF, little: true }, [20, 10]],
  'sizes as SHORT': [{ ...HALF, types: { width: 'short', height: 'short' } }, [20, 10]],
  'each axis of its own': [{ ...per(144, 72), width: 20, height: 20 }, [20, 20]],
  'twice the pixels at 36 dpi': [{ ...per(36), width: 80, height: 40 }, [80, 40]],
  'rounded down': [{ ...per(150), width: 19, height: 10 }, [19, 10]],
  'rounded up': [{ ...per(140), width: 21, height: 10 }, [21, 10]],
  'half a pixel, rounded up': [{ ...per(2880), width: 1, height: 1 }, [1, 1]],
  'a fraction': [{ x: ratio(14_400, 101), y: ratio(14_400, 101), unit: 2, width: 20, height: 10 }, [20, 10]],
  'large numbers': [{ x: ratio(0xfffffff0, 0x1c71c71), y: ratio(288, 2), unit: 2, width: 20, height: 10 }, [20, 10]],
  'upside down': [{ ...HALF, orientation: 3 }, [20, 10]],
  turned: [{ ...HALF, orientation: 6 }, [10, 20]],
  'turned, little-endian': [{ ...HALF, orientation: 5, little: true }, [10, 20]],
  'turned, each axis of its own': [{ ...per(144, 72), width: 20, height: 20, orientation: 8 }, [20, 20]],
  'turned, with the sizes as seen': [{ ...HALF, width: 10, height: 20, orientation: 6 }, [20, 40]],
  'all pixels at 72 dpi': [{ ...per(72), width: 40, height: 20 }, [40, 20]],
  'all pixels at 144 dpi': [{ ...per(144), width: 40, height: 20 }, [40, 20]],
  'one side does not fit': [{ ...HALF, width: 21 }, [40, 20]],
  'a side of nothing': [{ ...per(3600), width: 1, height: 0 }, [40, 20]],
  'per centimetre': [{ x: ratio(5669, 100), y: ratio(5669, 100), unit: 3, width: 20, height: 10 }, [40, 20]],
  'no unit': [{ ...HALF, unit: undefined }, [40, 20]],
  'a unit of none': [{ ...HALF, unit: 1 }, [40, 20]],
  'a unit as LONG': [{ ...HALF, little: true, types: { unit: 'long' } }, [40, 20]],
  'no resolution across': [{ ...HALF, x: undefined }, [40, 20]],
  'no resolution down': [{ ...HALF, y: undefined }, [40, 20]],
  'no width': [{ ...HALF, width: undefined }, [40, 20]],
  'no height': [{ ...HALF, height: undefined }, [40, 20]],
  'no size': [{ ...HALF, width: undefined, height: undefined }, [40, 20]],
  'a denominator of 0': [{ ...HALF, x: ratio(144, 0) }, [40, 20]],
  'a resolution of 0': [{ ...HALF, y: ratio(0) }, [40, 20]],
}

// A profile that takes red for green and green for red.
const swapped = iccProfile({
  primaries: [
    [0.3, 0.6],
    [0.64, 0.33],
    [0.15, 0.06],
  ],
  gamma: 2.2,
})
const part = (number, count, data = swapped) => segment(0xe2, 'ICC_PROFILE\0', Buffer.of(number, count), data)
const bare = text => segment(0xe2, `ICC_PROFILE\0${text}`)
const [head, tail] = [swapped.subarray(0, 200), swapped.subarray(200)]
const nothing = Buffer.alloc(0)

/** Segments of a profile, and whether Chromium 156 was found to apply it. */
export const PROFILES = {
  'one of one': [[part(1, 1)], true],
  'two, the other way round': [[part(2, 2, tail), part(1, 2, head)], true],
  'one of one, twice': [[part(1, 1), part(1, 1)], true],
  'one of one, then none of one': [[part(1, 1), part(0, 1)], true],
  'segments without numbers, then one of one': [[bare(''), bare('\x01'), part(1, 1, nothing), part(1, 1)], true],
  'none of one': [[part(0, 1)], false],
  'none of none': [[part(0, 0)], false],
  'none of one, then one of one': [[part(0, 1), part(1, 1)], false],
  'one of none': [[part(1, 0)], false],
  'two from 0': [[part(0, 2, head), part(1, 2, tail)], false],
  'one of two alone': [[part(1, 2)], false],
  'two of two alone': [[part(2, 2)], false],
  'two of one': [[part(2, 1)], false],
  'one of two, twice': [[part(1, 2, head), part(1, 2, tail)], false],
  'other counts': [[part(1, 2, head), part(2, 3, tail)], false],
  'a hole': [[part(1, 3, head), part(3, 3, tail)], false],
  'an empty one between': [[part(1, 3, head), part(2, 3, nothing), part(3, 3, tail)], false],
  'an empty one behind': [[part(1, 2), part(2, 2, nothing)], false],
}

export const profiled = async segments => withSegments(await plain(16, 16, '#c83228').toBuffer(), ...segments)

const xmp = text =>
  segment(0xe1, 'http://ns.adobe.com/xap/1.0/\0', `<x:xmpmeta xmlns:x="adobe:ns:meta/">${text}</x:xmpmeta>`)
const iso = segment(0xe2, 'urn:iso:std:iso:ts:21496:-1\0', Buffer.alloc(4))
const several = segment(0xe2, 'MPF\0', Buffer.alloc(16))
const adobe = xmp('<rdf:Description xmlns:hdrgm="http://ns.adobe.com/hdr-gain-map/1.0/" hdrgm:Version="1.0"/>')
const apple = xmp('<rdf:Description xmlns:HDRGainMap="http://ns.apple.com/HDRGainMap/1.0/"/>')

/** A JPEG with a second one behind it: segments of the first and of the second. */
export const paired = async (first, second = []) => {
  const jpeg = await gradient()
  return Buffer.concat([withSegments(jpeg, ...first), withSegments(await plain(8, 8, '#808080').toBuffer(), ...second)])
}

/** Segments of a pair, and what its warning names. */
export const PAIRS = {
  'by Adobe': [[adobe], [], /gain map, which/],
  'by ISO 21496-1': [[iso], [iso], /gain map, which/],
  'by Apple': [[several], [apple], /gain map, which/],
  'of several pictures': [[several], [], /further pictures/],
  'that nothing tells of': [[], [], null],
}
