// What an image tool costs and brings in a build: pixrace beside the plugins that sites use now, on one site.
import fs from 'node:fs'
import os from 'node:os'
import { join } from 'node:path'
import { bytesAlike, leastMatching } from '../lib/build-match.mjs'
import { buildTwice, meanScore, openSide, warmUp } from '../lib/build-runs.mjs'
import { described, sitePictures } from '../lib/build-site.mjs'
import { figuresOf, formatTable, sideTable, unstableNotes } from '../lib/build-tables.mjs'
import { COMPARISONS, settings, toolsOf } from '../lib/build-tools.mjs'

export const title = 'Builds of a site, beside the image plugins of Vite and webpack'

/** For each view of a comparison: pixrace with the least `minScore` whose files look no worse than the peer's on average. */
async function matching(comparison, peer, { folder, pictures, progress }) {
  const built = new Map()
  const at = async minScore => {
    if (!built.has(minScore)) {
      const side = openSide(folder, comparison, 'pixrace', pictures, minScore)
      progress(`${comparison.title}, ${side.label}`)
      await buildTwice(side)
      built.set(minScore, side)
    }
    return built.get(minScore)
  }
  const sides = []
  for (const { pick } of comparison.views) {
    const meanAt = async minScore => meanScore(pick((await at(minScore)).files))
    sides.push(await at(await leastMatching(meanAt, meanScore(pick(peer.files)))))
  }
  return sides
}

/** All sides of a comparison, timed in turns, and pixrace once more at the peer's mean score. */
async function compare(comparison, { folder, pictures, rounds, progress }) {
  const sides = toolsOf(comparison).map(tool => openSide(folder, comparison, tool, pictures))
  const [none, own, peer] = sides
  await warmUp(none)
  for (let round = 0; round < rounds; round++) {
    for (const side of sides) {
      progress(`${comparison.title}, ${side.label}, round ${round + 1} of ${rounds}`)
      await buildTwice(side)
    }
  }
  const same = await matching(comparison, peer, { folder, pictures, progress })
  progress(`${comparison.title}, each file at the score of ${peer.label}`)
  return { comparison, none, own, peer, same, alike: await bytesAlike(peer.files, pictures) }
}

function notes({ all, photos }) {
  return [
    `Pictures: ${described(all)}; for <picture> the ${photos.length} large photos. The examples' and some of the corpus, whose photos sharp saved as JPEG and WebP at quality 92.`,
    'A cold build finds no cache, a warm one what the build before it left; both are whole processes. Added is the time above the build without a tool in the same round.',
    "Scores are SSIMULACRA2 of every image file of the built site against its source, by pixrace's score(); files are those of the cold build. For <picture> the source is resized by sharp, as vite-imagetools does it; pixrace's own resizing differs a little, so its files may be below its floor.",
    "Fewer bytes mean little without the look. Rows with a `minScore` are pixrace with the least one whose mean score is no lower than the peer's: bytes are compared there. They have no times.",
    "A mean hides that one format is far above it and another below. File by file is the sum of what pixrace.optimize makes of each of the peer's files, in its format and at its score; the range is that of the files.",
    'What new browsers load is of each picture and width the first file that the page offers, mostly AVIF.',
    ...settings(),
  ]
}

export async function run({ rounds, quick, corpus, progress }) {
  const folder = fs.mkdtempSync(join(os.tmpdir(), 'pixrace-build-'))
  try {
    const pictures = await sitePictures(corpus, quick)
    const found = []
    for (const comparison of COMPARISONS) {
      const own = pictures[comparison.pictures]
      found.push(await compare(comparison, { folder, pictures: own, rounds, progress }))
    }
    return {
      figures: found.flatMap(figuresOf),
      tables: [sideTable(found), formatTable(found)],
      notes: [...notes(pictures), ...unstableNotes(found)],
    }
  } finally {
    fs.rmSync(folder, { recursive: true, force: true })
  }
}
