// Odd images that were once refused or shown wrongly, which lie outside this repository: where PIXRACE_CASES says, or else in
// `../shared/cases` beside the checkout, in `images/`. What is right for each of them is in CASES: sizes, frames, and colours of
// some pixels as Chromium 156 shows them.
import fs from 'node:fs'
import path from 'node:path'
import { root } from './corpus.mjs'

const configured = process.env.PIXRACE_CASES
const folder = path.join(configured ? path.resolve(configured) : path.resolve(root, '../shared/cases'), 'images')

/** Whether the images are there. A PIXRACE_CASES that leads nowhere is an error. */
export function hasCases() {
  const found = fs.existsSync(folder)
  if (configured && !found) throw new Error(`PIXRACE_CASES has no images: ${folder}`)
  return found
}

/** The names of all images there are. */
export const caseNames = () => fs.readdirSync(folder).filter(name => !name.endsWith('.md'))

export const readCase = name => fs.readFileSync(path.join(folder, name))

const RED = [200, 40, 40, 255]
const GREEN = [40, 180, 60, 255]
const YELLOW = [220, 200, 60, 255]
const BLACK = [0, 0, 0, 255]
const NOTHING = [0, 0, 0, 0]

/** Frames of 12 × 8 pixels in squares of four colours, which most of the GIFs show. */
const SQUARES = { size: [12, 8], pixels: { '0,0': RED, '2,0': GREEN, '6,0': YELLOW, '6,4': GREEN, '11,7': RED } }
/** A gradient of 45 × 31 pixels, which most of the others show. */
const GRADIENT = {
  size: [45, 31],
  pixels: { '0,0': [206, 49, 33, 255], '22,15': [128, 112, 56, 255], '44,30': [50, 175, 79, 255] },
}

/**
 * By name: `right`, in words; `size` as shown, in CSS pixels, and `stored`, where the file has more; `every`, how to
 * ask for every pixel, where PNG will not do; `pixels`, colours by place, which may be `near` levels off
 * (rounding, and what lossy formats lose); `frames` and `loop` of an animation, how often it plays, 0 for ever, and `later`, more
 * pixels by the number of the frame; `alpha`, whether anything is transparent; `mayPass`, whether nothing but the file itself may be
 * handed out.
 */
export const CASES = {
  '01-icon-16.png': {
    right: 'an icon stays one',
    size: [16, 16],
    pixels: { '8,8': [249, 205, 122, 255] },
    alpha: true,
  },
  '01-rose-16x16.png': { right: 'a small photo stays one', size: [16, 16], pixels: { '8,8': [244, 55, 66, 255] } },
  '01-rose-200x16.png': { right: 'a low photo stays one', size: [200, 16], pixels: { '100,8': [220, 55, 49, 255] } },
  '01-strip-300x8.png': {
    right: 'a strip stays smooth',
    size: [300, 8],
    pixels: { '0,0': [1, 68, 203, 255], '150,4': [128, 102, 102, 255], '299,7': [254, 136, 1, 255] },
  },
  '02-1x1-no-table-a.gif': {
    right: 'a transparent pixel needs no colour table',
    size: [1, 1],
    pixels: { '0,0': NOTHING },
    alpha: true,
  },
  '03-p3.gif': { ...GRADIENT, right: 'the profile of a GIF is ignored' },
  '04-gif2webp-lossy-offset.webp': {
    right: 'a single frame lies on transparency',
    size: [12, 8],
    pixels: { '0,0': NOTHING, '3,2': NOTHING, '11,7': NOTHING, '6,4': [82, 78, 49, 255] },
    near: 4,
    alpha: true,
  },
  '05-disposal-4.gif': {
    ...SQUARES,
    right: 'disposal 4 restores what was there before',
    frames: 3,
    loop: 0,
    later: { 1: { '3,2': RED, '4,2': GREEN }, 2: { '4,2': YELLOW, '8,5': GREEN } },
  },
  '06-screen-0x0.gif': { ...SQUARES, right: 'an empty screen grows to the first frame' },
  '06-screen-6x4.gif': { ...SQUARES, right: 'a small screen grows to the first frame' },
  '07-alpha-flag-no-alph.webp': { ...GRADIENT, right: 'the flag of alpha is a hint', near: 4 },
  '07-xmp-flag-no-xmp.webp': { ...GRADIENT, right: 'the flag of XMP is a hint', near: 4 },
  '08-unknown-extension.gif': { ...SQUARES, right: 'an unknown extension is skipped' },
  '09-apng-one-frame-beside-default.png': {
    right: 'the frame of an animation of one is shown, not the default image',
    size: [45, 31],
    pixels: { '0,0': [49, 206, 222, 255], '22,15': [127, 143, 199, 255], '44,30': [205, 80, 176, 255] },
    mayPass: true,
  },
  '11-icc-0-of-1.jpg': { ...GRADIENT, right: 'a profile numbered from 0 is ignored', near: 5 },
  '12-icc-chunk-no-flag.webp': { ...GRADIENT, right: 'a profile without its flag is ignored', near: 4 },
  '13-eXIf-with-signature.png': { ...GRADIENT, right: 'an eXIf chunk with the signature of JPEG is ignored' },
  '14-index-beyond-palette.gif': {
    right: 'an index beyond the palette is black',
    size: [12, 8],
    pixels: { '0,0': RED, '2,0': GREEN, '4,0': BLACK, '7,1': BLACK, '6,4': GREEN },
    alpha: false,
  },
  '15-no-colr-p3-in-stream.avif': {
    right: "the stream's own colours hold where no box tells",
    size: [45, 31],
    pixels: { '0,0': [224, 21, 7, 255], '22,15': [131, 110, 44, 255], '44,30': [0, 178, 64, 255] },
    near: 3,
  },
  '16-cicp-2-2-and-iccp.png': {
    right: 'an unspecified cICP falls through to iCCP',
    size: [45, 31],
    pixels: { '0,0': [49, 206, 33, 255], '22,15': [112, 128, 56, 255], '44,30': [175, 50, 79, 255] },
  },
  '17-exif-in-webp.webp': { ...GRADIENT, right: 'a WebP is never turned', near: 4 },
  '18-loop-twice.gif': {
    ...SQUARES,
    right: 'of two loop counts the last holds',
    frames: 2,
    loop: 0,
    later: { 1: { '3,2': RED, '4,2': GREEN } },
  },
  '19-density-144.jpg': {
    right: 'a page shows it in half its pixels',
    size: [20, 10],
    pixels: { '0,0': [202, 52, 35, 255] },
    stored: [40, 20],
    // No other format can say so.
    every: { formats: ['jpeg'], quality: 95 },
    near: 12,
  },
}
