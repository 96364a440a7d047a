// Colour by formula, independent of pixrace: profiles to write into files, and how far two colours are apart.

const multiply = (a, b) => a.map(row => b[0].map((_, j) => row.reduce((sum, value, k) => sum + value * b[k][j], 0)))
const apply = (matrix, vector) => matrix.map(row => row.reduce((sum, value, i) => sum + value * vector[i], 0))

function inverse([[a, b, c], [d, e, f], [g, h, i]]) {
  const determinant = a * (e * i - f * h) - b * (d * i - f * g) + c * (d * h - e * g)
  const adjugate = [
    [e * i - f * h, c * h - b * i, b * f - c * e],
    [f * g - d * i, a * i - c * g, c * d - a * f],
    [d * h - e * g, b * g - a * h, a * e - b * d],
  ]
  return adjugate.map(row => row.map(value => value / determinant))
}

const toXyz = ([x, y]) => [x / y, 1, (1 - x - y) / y]
const D65 = [0.3127, 0.329]
/** White of ICC's connection space (ICC.1:2022, 7.2.16). */
const D50 = [0.9642, 1, 0.8249]

// Bradford's cone responses (ICC.1:2022, annex E).
const BRADFORD = [
  [0.8951, 0.2664, -0.1614],
  [-0.7502, 1.7135, 0.0367],
  [0.0389, -0.0685, 1.0296],
]

/** XYZ under D50 of linear RGB with these primaries (x and y of red, green, blue) and this white. */
export function toD50({ primaries, white = D65 }) {
  const columns = primaries.map(toXyz)
  const matrix = [0, 1, 2].map(row => columns.map(column => column[row]))
  const scale = apply(inverse(matrix), toXyz(white))
  const rgbToXyz = matrix.map(row => row.map((value, i) => value * scale[i]))
  const [from, to] = [apply(BRADFORD, toXyz(white)), apply(BRADFORD, D50)]
  const adapted = BRADFORD.map((row, i) => row.map(value => (value * to[i]) / from[i]))
  return multiply(multiply(inverse(BRADFORD), adapted), rgbToXyz)
}

export const SRGB = {
  primaries: [
    [0.64, 0.33],
    [0.3, 0.6],
    [0.15, 0.06],
  ],
}
export const ADOBE_RGB = {
  primaries: [
    [0.64, 0.33],
    [0.21, 0.71],
    [0.15, 0.06],
  ],
  gamma: 563 / 256,
}
export const DISPLAY_P3 = {
  primaries: [
    [0.68, 0.32],
    [0.265, 0.69],
    [0.15, 0.06],
  ],
}

const SRGB_TO_XYZ = toD50(SRGB)
const XYZ_TO_SRGB = inverse(SRGB_TO_XYZ)

// IEC 61966-2-1.
const encode = light => (light <= 0.0031308 ? 12.92 * light : 1.055 * light ** (1 / 2.4) - 0.055)
const decode = sample => (sample <= 0.04045 ? sample / 12.92 : ((sample + 0.055) / 1.055) ** 2.4)

/** sRGB levels, 0 to 255 and not rounded, of a colour of levels 0 to 255 in a space of primaries and gamma. */
export function toSrgb(space, color) {
  const linear = color.map(level => (space.gamma ? (level / 255) ** space.gamma : decode(level / 255)))
  const light = apply(XYZ_TO_SRGB, apply(toD50(space), linear))
  return light.map(value => 255 * encode(Math.min(Math.max(value, 0), 1)))
}

/** A matrix profile of version 2 (ICC.1:2001-04); of one channel if the space has no primaries. */
export function iccProfile({ primaries, white, gamma }) {
  const fixed = value => Math.round(value * 65536)
  const words = (...values) => {
    const bytes = Buffer.alloc(values.length * 4)
    for (const [i, value] of values.entries()) bytes.writeInt32BE(value, i * 4)
    return bytes
  }
  const xyz = values => Buffer.concat([Buffer.from('XYZ '), words(0, ...values.map(fixed))])
  const curve = Buffer.concat([Buffer.from('curv'), words(0, 1), Buffer.from([...u8Fixed8(gamma), 0, 0])])
  const description = Buffer.alloc(12 + 5 + 78)
  description.write('desc')
  description.writeUInt32BE(5, 8)
  description.write('test', 12)
  const tags = [
    ['desc', description],
    ['cprt', Buffer.from('text\0\0\0\0test\0')],
    ['wtpt', xyz(D50)],
  ]
  if (primaries) {
    const matrix = toD50({ primaries, white })
    for (const [i, name] of ['r', 'g', 'b'].entries()) {
      tags.push([`${name}XYZ`, xyz(matrix.map(row => row[i]))], [`${name}TRC`, curve])
    }
  } else tags.push(['kTRC', curve])
  let end = 128 + 4 + tags.length * 12
  const entries = tags.map(([name, data]) => {
    const entry = Buffer.concat([Buffer.from(name), words(end, data.length)])
    end += Math.ceil(data.length / 4) * 4
    return entry
  })
  const padded = tags.map(([, data]) => Buffer.concat([data, Buffer.alloc(-data.length & 3)]))
  const header = Buffer.alloc(128)
  header.writeUInt32BE(end, 0)
  header.writeUInt32BE(0x02100000, 8)
  header.write(`mntr${primaries ? 'RGB ' : 'GRAY'}XYZ `, 12)
  header.write('acsp', 36)
  words(...D50.map(fixed)).copy(header, 68)
  return Buffer.concat([header, words(tags.length), ...entries, ...padded])
}

function u8Fixed8(value) {
  const scaled = Math.round(value * 256)
  return [scaled >> 8, scaled & 255]
}

// CIE 1976 L*a*b* under D50.
function toLab(rgb) {
  const xyz = apply(
    SRGB_TO_XYZ,
    rgb.map(level => decode(level / 255)),
  )
  const root = t => (t > (6 / 29) ** 3 ? Math.cbrt(t) : t / (3 * (6 / 29) ** 2) + 4 / 29)
  const [x, y, z] = xyz.map((value, i) => root(value / D50[i]))
  return [116 * y - 16, 500 * (x - y), 200 * (y - z)]
}

const degrees = angle => (angle * 180) / Math.PI
const radians = angle => (angle * Math.PI) / 180
const hue = (a, b) => (a === 0 && b === 0 ? 0 : (degrees(Math.atan2(b, a)) + 360) % 360)

/** CIEDE2000 of two sRGB colours of levels 0 to 255 (Sharma, Wu and Dalal 2005, equations 2 to 22). */
export function deltaE2000(first, second) {
  const [[l1, a1, b1], [l2, a2, b2]] = [toLab(first), toLab(second)]
  const meanC = (Math.hypot(a1, b1) + Math.hypot(a2, b2)) / 2
  const g = 0.5 * (1 - Math.sqrt(meanC ** 7 / (meanC ** 7 + 25 ** 7)))
  const [x1, x2] = [(1 + g) * a1, (1 + g) * a2]
  const [c1, c2] = [Math.hypot(x1, b1), Math.hypot(x2, b2)]
  const [h1, h2] = [hue(x1, b1), hue(x2, b2)]
  const grey = c1 * c2 === 0
  const far = Math.abs(h1 - h2) > 180
  const turn = grey ? 0 : far ? h2 - h1 - 360 * Math.sign(h2 - h1) : h2 - h1
  const deltaH = 2 * Math.sqrt(c1 * c2) * Math.sin(radians(turn / 2))
  const sum = h1 + h2
  const meanH = grey ? sum : far ? (sum + (sum < 360 ? 360 : -360)) / 2 : sum / 2
  const [meanL, mean] = [(l1 + l2) / 2, (c1 + c2) / 2]
  const cos = (factor, offset) => Math.cos(radians(factor * meanH + offset))
  const t = 1 - 0.17 * cos(1, -30) + 0.24 * cos(2, 0) + 0.32 * cos(3, 6) - 0.2 * cos(4, -63)
  const sl = 1 + (0.015 * (meanL - 50) ** 2) / Math.sqrt(20 + (meanL - 50) ** 2)
  const [sc, sh] = [1 + 0.045 * mean, 1 + 0.015 * mean * t]
  const theta = 30 * Math.exp(-(((meanH - 275) / 25) ** 2))
  const rt = -Math.sin(radians(2 * theta)) * 2 * Math.sqrt(mean ** 7 / (mean ** 7 + 25 ** 7))
  const [l, c, h] = [(l2 - l1) / sl, (c2 - c1) / sc, deltaH / sh]
  return Math.sqrt(l * l + c * c + h * h + rt * c * h)
}

/** Mean and largest CIEDE2000 of two pictures of interleaved samples, their first three of a pixel. */
export function pictureDeltaE(first, second, channels) {
  const known = new Map()
  let [total, largest, pixels] = [0, 0, 0]
  for (let i = 0; i < first.length; i += channels, pixels++) {
    const [a, b] = [first, second].map(picture => [picture[i], picture[i + 1], picture[i + 2]])
    const key = `${a} ${b}`
    if (!known.has(key)) known.set(key, deltaE2000(a, b))
    total += known.get(key)
    largest = Math.max(largest, known.get(key))
  }
  return { mean: total / pixels, largest }
}
