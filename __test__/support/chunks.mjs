// Colour chunks of PNG, and files that have them.
import { deflateSync } from 'node:zlib'
import sharp from 'sharp'
import { chunk } from '../../fixtures/lib/png.mjs'

/** The file with chunks put in front of its pixels. */
export function withChunks(png, ...chunks) {
  const at = png.indexOf('IDAT') - 4
  return Buffer.concat([png.subarray(0, at), ...chunks, png.subarray(at)])
}

const words = (...numbers) =>
  Buffer.concat(numbers.map(number => Buffer.from([number >>> 24, number >> 16, number >> 8, number])))
export const gAMA = exponent => chunk('gAMA', words(exponent))
export const cHRM = ({ primaries, white = [0.3127, 0.329] }) =>
  chunk('cHRM', words(...[white, ...primaries].flat().map(value => Math.round(value * 100_000))))
export const iCCP = icc => chunk('iCCP', Buffer.concat([Buffer.from('icc\0\0'), deflateSync(icc)]))
export const cICP = (primaries, transfer) => chunk('cICP', Buffer.of(primaries, transfer, 0, 1))

/** A picture of every hue, without a profile. */
export function hues() {
  const data = Buffer.from(
    Array.from({ length: 16 ** 3 }, (_, i) => [(i >> 8) * 17, ((i >> 4) & 15) * 17, (i & 15) * 17]).flat(),
  )
  return sharp(data, { raw: { width: 64, height: 64, channels: 3 } })
    .png()
    .toBuffer()
}
