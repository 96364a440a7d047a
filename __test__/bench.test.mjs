// The benchmark's own reasoning, where a mistake would flatter pixrace: the search for the peers' smallest file, and in
// builds for our own files at the peers' look.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { firstChoices, leastMatching } from '../benchmark/lib/build-match.mjs'
import { bytesAtScore, smallestPassing } from '../benchmark/lib/floor.mjs'
import { plot } from '../benchmark/lib/plot.mjs'

/** Probes a curve `quality => [bytes, score]` and counts. */
function probeOf(curve) {
  const probe = async quality => {
    assert.ok(Number.isInteger(quality) && quality >= 1 && quality <= 100, `quality ${quality}`)
    probe.count++
    const [bytes, score] = curve(quality)
    return { bytes, score }
  }
  probe.count = 0
  return probe
}

test('the peers get the lowest quality that passes, from any guess and on any slope', async () => {
  const slopes = [q => q, q => 40 + q / 2, q => 100 - 2400 / (q + 20), q => Math.floor(q / 10) * 10]
  for (const score of slopes) {
    const lowest = Array.from({ length: 100 }, (_, i) => i + 1).find(quality => score(quality) >= 70)
    for (const guess of [1, 35, 60, 99, 100]) {
      const probe = probeOf(quality => [quality * 1000, score(quality)])
      const { quality, bytes } = await smallestPassing(probe, 70, guess)
      assert.deepEqual([quality, bytes], [lowest, lowest * 1000])
      assert.ok(probe.count <= 20, `${probe.count} probes`)
    }
  }
})

test('a file that passes one step below one that fails is found', async () => {
  const probe = probeOf(quality => [quality, quality === 61 ? 69 : 10 + quality])
  assert.equal((await smallestPassing(probe, 70, 61)).quality, 60)
})

test('where nothing passes, the best score is told; where everything does, the lowest quality', async () => {
  const nothing = await smallestPassing(
    probeOf(quality => [quality, quality / 2]),
    70,
    60,
  )
  assert.deepEqual(nothing, { quality: null, bytes: null, score: 50 })
  const all = await smallestPassing(
    probeOf(quality => [quality, 90]),
    70,
    60,
  )
  assert.equal(all.quality, 1)
})

test('bytes at a score lie on the line between the files on either side of it', () => {
  const files = [
    { bytes: 1000, score: 60 },
    { bytes: 2000, score: 68 },
    { bytes: 8000, score: 72 },
    { bytes: 9000, score: 90 },
  ]
  assert.equal(bytesAtScore(files, 70), 4000)
  assert.equal(bytesAtScore(files, 72), 8000)
  assert.ok(bytesAtScore(files, 71) > 4000 && bytesAtScore(files, 71) < 8000)
  assert.deepEqual([bytesAtScore(files, 60), bytesAtScore(files, 91)], [1000, null])
  // A larger file that looks worse says nothing of the size.
  assert.equal(bytesAtScore([...files, { bytes: 8500, score: 71 }], 72), 8000)
})

test('a plot escapes its words and keeps its labels apart and inside', () => {
  const label = 'a <label> & "more"'
  const points = [
    { x: 1, y: 1, label },
    { x: 1, y: 1, label },
    { x: 5, y: 1 },
    { x: 9, y: 9 },
  ]
  const svg = plot({
    title: 'R&D',
    subtitle: '',
    x: { label: 'x', log: true, show: String },
    y: { label: 'y', show: String },
    series: [{ name: 'one', color: '#000000', shape: 'circle', points }],
  })
  assert.ok(svg.includes('R&amp;D') && svg.includes('a &lt;label&gt; &amp; &quot;more&quot;'))
  const labels = [...svg.matchAll(/<text x="([\d.]+)" y="([\d.]+)"[^>]*>a &lt;/g)].map(([, x, y]) => `${x} ${y}`)
  assert.equal(new Set(labels).size, 2)
  assert.ok(!/NaN|undefined/.test(svg))
})

test('in a build the least minScore is found whose mean is no lower than the peer has', async () => {
  const means = [
    score => score,
    score => score + 3.5,
    score => Math.min(100, score + 20),
    score => (score < 84 ? 80 : 99),
  ]
  for (const mean of means) {
    for (const wanted of [60, 83.2, 84, 96.4, 100]) {
      const probed = []
      const meanAt = async score => {
        assert.ok(Number.isInteger(score) && score >= 0 && score <= 100, `minScore ${score}`)
        probed.push(score)
        return mean(score)
      }
      const found = await leastMatching(meanAt, wanted)
      assert.ok(found === 100 || mean(found) >= wanted, `${found} for ${wanted}`)
      // The search ends where files are far better than they were asked to be.
      assert.ok(mean(found - 1) < wanted || found === Math.ceil(wanted) - 15, `${found - 1} does for ${wanted}`)
      assert.ok(probed.length <= 4, `${probed.length} builds`)
    }
  }
})

test('a browser loads one file of each picture and width: AVIF, else WebP, else what is left', () => {
  const file = (source, width, format) => ({ source, width, format })
  const files = [
    file('a', 480, 'jpeg'),
    file('a', 480, 'webp'),
    file('a', 480, 'avif'),
    file('a', 960, 'jpeg'),
    file('a', 960, 'webp'),
    file('b', 480, 'png'),
  ]
  const chosen = firstChoices(files).map(({ source, width, format }) => `${source} ${width} ${format}`)
  assert.deepEqual(chosen, ['a 480 avif', 'a 960 webp', 'b 480 png'])
})
