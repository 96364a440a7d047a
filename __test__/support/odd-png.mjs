// Odd but readable PNGs of a few pixels, and what Chromium 156 was found to show of each: `{ file, shows, size, warns }`. `shows`
// has one colour (red, green, blue, alpha) for all pixels, or one for each.
import { deflateSync } from 'node:zlib'
import { assemble, chunk, GREY, header, imageData, PALETTE, RGB, RGBA } from '../../fixtures/lib/png.mjs'
import { cHRM, cICP, gAMA, iCCP } from './chunks.mjs'
import { DISPLAY_P3, iccProfile } from './color.mjs'
import { exifBlock } from './exif.mjs'

const [WIDTH, HEIGHT] = [4, 3]
const RED = [200, 0, 0]
const GREEN = [0, 200, 0]
const CLEAR = [0, 0, 0, 0]
const opaque = color => [...color, 255]

const words = (...numbers) =>
  Buffer.concat(numbers.map(number => Buffer.from([number >>> 24, number >> 16, number >> 8, number])))
const halves = (...numbers) => Buffer.from(numbers.flatMap(number => [number >> 8, number]))
const fill = (width, height, color) =>
  Buffer.concat(
    Array.from({ length: height }, () => Buffer.from([0, ...Array.from({ length: width }, () => color).flat()])),
  )

const LAST_CHUNK_BYTES = 12
const withoutEnd = file => file.subarray(0, file.length - LAST_CHUNK_BYTES)
const behind = (file, ...parts) => Buffer.concat([withoutEnd(file), ...parts])

// An animation of one frame beside a picture for programs that know no animations.

const control = chunk('acTL', words(1, 0))
const frame = (width, height, [left, top], [dispose, blend] = [0, 0], sequence = 0) =>
  chunk('fcTL', Buffer.concat([words(sequence, width, height, left, top), halves(1, 10), Buffer.of(dispose, blend)]))
const frameData = (samples, sequence = 1) => chunk('fdAT', Buffer.concat([words(sequence), deflateSync(samples)]))

const besideDefault = (type, depth, picture, ...chunks) =>
  assemble(header(WIDTH, HEIGHT, depth, type), control, imageData(fill(WIDTH, HEIGHT, picture)), ...chunks)
const rgbBeside = (...chunks) => besideDefault(RGB, 8, RED, ...chunks)

/** Which pixels of the canvas a frame covers. */
const covered = (width, height, [left, top], color) =>
  Array.from({ length: WIDTH * HEIGHT }, (_, i) => {
    const [x, y] = [(i % WIDTH) - left, Math.floor(i / WIDTH) - top]
    return x >= 0 && x < width && y >= 0 && y < height ? color : CLEAR
  })

const HALF_GREEN = [0, 200, 0, 128]
const OVER = [0, 1]
const halfBeside = ops =>
  besideDefault(RGBA, 8, opaque(RED), frame(WIDTH, HEIGHT, [0, 0], ops), frameData(fill(WIDTH, HEIGHT, HALF_GREEN)))

// Interlaced by hand: two by two pixels in the corner of a 4 × 3 canvas are in passes 1, 6 and 7 (PNG specification, 8.1).
const interlacedHeader = () => {
  const ihdr = header(WIDTH, HEIGHT, 8, RGB)
  const body = Buffer.from(ihdr.subarray(8, 21))
  body[12] = 1
  return chunk('IHDR', body)
}
const interlaced = () => {
  const passes = Buffer.concat([fill(1, 1, GREEN), fill(1, 1, GREEN), fill(2, 1, GREEN)])
  // Passes 1, 4, 5, 6 and 7 of the canvas: 1 × 1, 1 × 1, 2 × 1, 2 × 2 and 4 × 1 pixels.
  const canvas = [fill(1, 1, RED), fill(1, 1, RED), fill(2, 1, RED), fill(2, 2, RED), fill(4, 1, RED)]
  return assemble(interlacedHeader(), control, imageData(Buffer.concat(canvas)), frame(2, 2, [1, 1]), frameData(passes))
}

const FRAMES = {
  'a frame instead of the default image': {
    file: rgbBeside(frame(WIDTH, HEIGHT, [0, 0]), frameData(fill(WIDTH, HEIGHT, GREEN))),
    shows: [opaque(GREEN)],
  },
  'a frame that is disposed of': {
    file: rgbBeside(frame(WIDTH, HEIGHT, [0, 0], [2, 0]), frameData(fill(WIDTH, HEIGHT, GREEN))),
    shows: [opaque(GREEN)],
  },
  'a frame in two pieces': {
    file: (() => {
      const data = deflateSync(fill(WIDTH, HEIGHT, GREEN))
      const piece = (part, sequence) => chunk('fdAT', Buffer.concat([words(sequence), part]))
      return rgbBeside(frame(WIDTH, HEIGHT, [0, 0]), piece(data.subarray(0, 5), 1), piece(data.subarray(5), 2))
    })(),
    shows: [opaque(GREEN)],
  },
  'a frame smaller than the canvas': {
    file: rgbBeside(frame(2, 1, [1, 1]), frameData(fill(2, 1, GREEN))),
    shows: covered(2, 1, [1, 1], opaque(GREEN)),
    hasAlpha: true,
  },
  'a smaller frame, interlaced': {
    file: interlaced(),
    shows: covered(2, 2, [1, 1], opaque(GREEN)),
    hasAlpha: true,
  },
  'a smaller frame of 16 bits': {
    file: besideDefault(GREY, 16, [1, 1], frame(1, 2, [3, 1]), frameData(fill(1, 2, [77, 77]))),
    shows: covered(1, 2, [3, 1], [77, 77, 77, 255]),
    hasAlpha: true,
  },
  'a translucent frame, as the source': { file: halfBeside([0, 0]), shows: [HALF_GREEN], hasAlpha: true },
  'a translucent frame, blended over': { file: halfBeside(OVER), shows: [HALF_GREEN], hasAlpha: true },
  'a frame that is the default image': {
    file: assemble(
      header(WIDTH, HEIGHT, 8, RGB),
      control,
      frame(WIDTH, HEIGHT, [0, 0]),
      imageData(fill(WIDTH, HEIGHT, RED)),
    ),
    shows: [opaque(RED)],
  },
}

// Palettes: bytes behind the last whole colour, indices behind the last colour, more alphas than colours.

const levels = count => Buffer.from(Array.from({ length: count }, (_, i) => 10 + (i % 200)))
const colorAt = index => [10, 11, 12].map(level => level + 3 * index)
const fourIndices = [0, 1, 2, 3]
const indices = imageData(Buffer.from([0, ...fourIndices]))
const paletted = (bytes, ...chunks) =>
  assemble(header(4, 1, 8, PALETTE), chunk('PLTE', levels(bytes)), ...chunks, indices)
const upTo = last => fourIndices.map(index => opaque(colorAt(Math.min(index, last))))

const PALETTES = Object.fromEntries(
  [3, 4, 5, 7, 8, 10, 13, 767, 768].map(bytes => [
    `a palette of ${bytes} bytes`,
    { file: paletted(bytes), shows: upTo(Math.floor(bytes / 3) - 1), size: [4, 1] },
  ]),
)
PALETTES['a palette of 4 bytes, 1 bit'] = {
  file: assemble(header(4, 1, 1, PALETTE), chunk('PLTE', levels(4)), imageData(Buffer.of(0, 0b01010000))),
  shows: [opaque(colorAt(0))],
  size: [4, 1],
}
PALETTES['a palette of 7 bytes, 2 bits'] = {
  file: assemble(header(4, 1, 2, PALETTE), chunk('PLTE', levels(7)), imageData(Buffer.of(0, 0b00011011))),
  shows: upTo(1),
  size: [4, 1],
}
PALETTES['more alphas than colours'] = {
  file: paletted(6, chunk('tRNS', Buffer.of(255, 0, 9))),
  shows: [opaque(colorAt(0)), CLEAR, CLEAR, CLEAR],
  size: [4, 1],
  hasAlpha: true,
}

// Orientation.

const turned = (...chunks) => assemble(header(2, 1, 8, RGB), ...chunks, imageData(Buffer.from([0, ...RED, ...GREEN])))
const eXIf = block => chunk('eXIf', block)
const signed = block => Buffer.concat([Buffer.from('Exif\0\0'), block])
const UPSIDE_DOWN = 3
const upright = { shows: [opaque(RED), opaque(GREEN)], size: [2, 1] }
const upsideDown = { shows: [opaque(GREEN), opaque(RED)], size: [2, 1] }

const TURNED = Object.fromEntries(
  [true, false].flatMap(little => {
    const block = exifBlock({ orientation: UPSIDE_DOWN, little })
    const order = little ? 'little-endian' : 'big-endian'
    return [
      [`eXIf, ${order}`, { file: turned(eXIf(block)), ...upsideDown }],
      [`eXIf with a signature, ${order}`, { file: turned(eXIf(signed(block))), ...upright }],
      [
        `eXIf behind the picture, ${order}`,
        { file: behind(turned(), eXIf(block), chunk('IEND', Buffer.alloc(0))), ...upright },
      ],
    ]
  }),
)
const down = exifBlock({ orientation: UPSIDE_DOWN })
TURNED['two eXIf, the first with a signature'] = { file: turned(eXIf(signed(down)), eXIf(down)), ...upright }
TURNED['two eXIf, the second upright'] = {
  file: turned(eXIf(down), eXIf(exifBlock({ orientation: 1 }))),
  ...upsideDown,
}
TURNED['eXIf, and one behind the picture'] = {
  file: behind(turned(eXIf(down)), eXIf(signed(down)), chunk('IEND', Buffer.alloc(0))),
  ...upsideDown,
}

// Ends.

const plain = turned()
const text = chunk('tEXt', Buffer.from('Comment\0hello'))
const ENDS = {
  'no IEND': withoutEnd(plain),
  'half of IEND': plain.subarray(0, plain.length - 7),
  'no IEND behind text': behind(plain, text),
  'text that breaks off': behind(plain, text.subarray(0, 12)),
  'other bytes instead of IEND': behind(plain, Buffer.from('other bytes, twenty')),
  'no IEND of a turned picture': withoutEnd(turned(eXIf(exifBlock({ orientation: 1 })))),
}
for (const [name, file] of Object.entries(ENDS)) ENDS[name] = { file, ...upright, warns: ['missing-end'] }

// Colours, by profiles that can be told apart: one that takes red for green and green for red.

const COLOR = [200, 50, 40]
const SWAPPED = {
  primaries: [
    [0.3, 0.6],
    [0.64, 0.33],
    [0.15, 0.06],
  ],
  gamma: 2.2,
}
const swapped = iccProfile(SWAPPED)
const patch = (...chunks) => assemble(header(1, 1, 8, RGB), ...chunks, imageData(Buffer.from([0, ...COLOR])))
const greyPatch = (...chunks) => assemble(header(1, 1, 8, GREY), ...chunks, imageData(Buffer.from([0, 100])))
const linear = gAMA(100_000)
const sRGB = chunk('sRGB', Buffer.of(0))
const shown = { swapped: [46, 201, 35], linear: [229, 122, 110], p3: [218, 24, 25], plain: COLOR }
const withoutTags = (() => {
  const icc = Buffer.from(swapped)
  icc.fill(0, 128, 140)
  return icc
})()
const tooLong = (() => {
  const icc = Buffer.from(swapped)
  icc.writeUInt32BE(icc.length + 100, 0)
  return icc
})()
const compressed = bytes => chunk('iCCP', Buffer.concat([Buffer.from('icc\0\0'), bytes]))
const grey = iccProfile({ gamma: 1.8 })

const unknownPoints = [
  [2, 2],
  [2, 13],
  [1, 2],
  [0, 13],
  [1, 0],
  [255, 13],
  [1, 255],
  [3, 13],
  [12, 2],
  [2, 8],
  [12, 12],
  [2, 16],
]
const ofColor = (file, color, warns = []) => ({ file, shows: [opaque(shown[color])], size: [1, 1], warns, near: true })
const COLORS = {
  ...Object.fromEntries(
    unknownPoints.flatMap(points => [
      [`cICP ${points} and iCCP`, ofColor(patch(cICP(...points), iCCP(swapped)), 'swapped')],
      [`cICP ${points} and gAMA`, ofColor(patch(cICP(...points), linear), 'linear')],
      [`cICP ${points} alone`, ofColor(patch(cICP(...points)), 'plain')],
    ]),
  ),
  'cICP of television and iCCP': ofColor(patch(chunk('cICP', Buffer.of(12, 13, 0, 0)), iCCP(swapped)), 'swapped'),
  'cICP 2,2, sRGB and gAMA': ofColor(patch(cICP(2, 2), sRGB, linear), 'plain'),
  'cICP 12,13 and iCCP': ofColor(patch(cICP(12, 13), iCCP(swapped)), 'p3'),
  'a short cICP and iCCP': ofColor(patch(chunk('cICP', Buffer.of(12, 13, 0)), iCCP(swapped)), 'swapped'),
  'iCCP without tags': ofColor(patch(iCCP(withoutTags)), 'plain', ['color-profile-ignored']),
  'iCCP without tags, and gAMA': ofColor(patch(iCCP(withoutTags), linear), 'linear'),
  'iCCP without tags, sRGB and gAMA': ofColor(patch(iCCP(withoutTags), sRGB, linear), 'plain', [
    'color-profile-ignored',
  ]),
  'iCCP that is shorter than it says, and gAMA': ofColor(patch(iCCP(tooLong), linear), 'linear'),
  'iCCP that breaks off, and gAMA': ofColor(patch(iCCP(swapped.subarray(0, -20)), linear), 'linear'),
  'iCCP of nothing, and gAMA': ofColor(patch(iCCP(Buffer.alloc(0)), linear), 'linear'),
  'iCCP of other bytes, and gAMA': ofColor(patch(iCCP(Buffer.alloc(200, 7)), linear), 'linear'),
  'iCCP with a damaged stream, and gAMA': ofColor(
    patch(compressed(deflateSync(swapped).subarray(0, 60)), linear),
    'linear',
  ),
  'iCCP that is not compressed, and gAMA': ofColor(patch(compressed(Buffer.from('no stream')), linear), 'linear'),
  // A sound profile of another kind of samples is not applied, and ends the search.
  'iCCP for grey, and gAMA': ofColor(patch(iCCP(grey), linear), 'plain', ['color-profile-ignored']),
  'damaged iCCP, gAMA and cHRM': {
    ...ofColor(patch(iCCP(withoutTags), linear, cHRM(DISPLAY_P3)), 'plain'),
    shows: [[245, 115, 105, 255]],
  },
  'grey with a profile for colour': {
    ...ofColor(greyPatch(iCCP(iccProfile({ ...DISPLAY_P3, gamma: 1 })), gAMA(55_000)), 'plain'),
    shows: [[168, 168, 168, 255]],
  },
  'grey with a damaged profile, and gAMA': {
    ...ofColor(greyPatch(iCCP(withoutTags), linear), 'plain'),
    shows: [[168, 168, 168, 255]],
  },
}

/** Every case; what is not said is usual. */
export const ODD = Object.fromEntries(
  Object.entries({ ...FRAMES, ...PALETTES, ...TURNED, ...ENDS, ...COLORS }).map(([name, odd]) => {
    const [width, height] = odd.size ?? [WIDTH, HEIGHT]
    const shows = odd.shows.length === 1 ? Array.from({ length: width * height }, () => odd.shows[0]) : odd.shows
    return [name, { size: [width, height], warns: [], hasAlpha: false, near: false, ...odd, shows: shows.flat() }]
  }),
)

/** Files that are not readable: Chromium shows nothing of them, or not all of it. */
export const BROKEN = {
  'no colour': paletted(0),
  'a palette of 1 byte': paletted(1),
  'a palette of 2 bytes': paletted(2),
  'a palette of 769 bytes': paletted(769),
  'no palette': assemble(header(4, 1, 8, PALETTE), indices),
  'a picture that breaks off': plain.subarray(0, plain.length - LAST_CHUNK_BYTES - 5),
  'half of the picture': behind(
    assemble(header(2, 2, 8, RGB), imageData(Buffer.from([0, ...RED, ...GREEN]))),
    Buffer.alloc(0),
  ),
  'an animation without its frame': rgbBeside(),
  'a frame without its data': rgbBeside(frame(WIDTH, HEIGHT, [0, 0])),
  'a frame that breaks off': rgbBeside(
    frame(WIDTH, HEIGHT, [0, 0]),
    chunk('fdAT', Buffer.concat([words(1), deflateSync(fill(WIDTH, HEIGHT, GREEN)).subarray(0, 8)])),
  ),
  'a frame beyond the canvas': rgbBeside(frame(WIDTH, HEIGHT, [1, 0]), frameData(fill(WIDTH, HEIGHT, GREEN))),
}
