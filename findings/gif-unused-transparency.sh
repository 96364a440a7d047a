#!/usr/bin/env bash
# npm sharp 0.35.5 (its prebuilt libvips 8.18.7)
#
# Behaviour: two GIF files differ in one bit: the second says that colour 3 is
# transparent, and no pixel of either has colour 3. The canvas is 3x1. Frame 1
# is one red pixel in the middle, to be restored to background; frame 2 is one
# green pixel at the right. sharp reads
#   without the bit: three channels. What no frame has painted yet is black (a
#     colour that the file's table does not have), and what was restored to
#     background is blue, the file's background colour;
#   with the bit: four channels, and both are transparent.
#
# Why it is surprising: a flag that concerns no pixel decides what the bare
# canvas looks like, and without it one picture shows the bare canvas in two
# different colours. Browsers show it transparent in all cases.
#
# Output seen (a pixel is R,G,B or R,G,B,A):
#   without the bit, frame 1: 0,0,0 255,0,0 0,0,0
#   without the bit, frame 2: 0,0,0 0,0,255 0,255,0
#   with the bit, frame 1: 0,0,0,0 255,0,0,255 0,0,0,0
#   with the bit, frame 2: 0,0,0,0 0,0,0,0 0,255,0,255
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"

npm init --yes >/dev/null
npm install --silent --no-audit --no-fund sharp@0.35.5

cat > show.js <<'JS'
const sharp = require('sharp');

const RED = 0, GREEN = 1, BLUE = 2; // 3 is white, and unused
const table = [255, 0, 0, 0, 255, 0, 0, 0, 255, 255, 255, 255];

// One frame of one pixel, at column x.
function frame(x, colour, disposal, transparent) {
  // Codes of 3 bits, lowest bits first: clear (4), the colour, end (5).
  const bits = 4 | (colour << 3) | (5 << 6);
  return [
    0x21, 0xf9, 4, (disposal << 2) | transparent, 10, 0, 3, 0, // control: 0.1 s, colour 3
    0x2c, x, 0, 0, 0, 1, 0, 1, 0, 0, // place and size
    2, 2, bits & 255, bits >> 8, 0, // pixels
  ];
}

function gif(transparent) {
  return Buffer.from([
    ...Buffer.from('GIF89a'), 3, 0, 1, 0, 0x91, BLUE, 0, ...table,
    ...frame(1, RED, 2, transparent),
    ...frame(2, GREEN, 0, 0),
    0x3b,
  ]);
}

async function frames(file) {
  const { data, info } = await sharp(file, { animated: true }).raw().toBuffer({ resolveWithObject: true });
  const n = info.channels;
  const pixels = [...Array(6).keys()].map((i) => [...data.subarray(i * n, i * n + n)].join());
  return [pixels.slice(0, 3).join(' '), pixels.slice(3).join(' ')];
}

(async () => {
  const plain = await frames(gif(0));
  const flagged = await frames(gif(1));
  plain.forEach((f, i) => console.log(`without the bit, frame ${i + 1}: ${f}`));
  flagged.forEach((f, i) => console.log(`with the bit, frame ${i + 1}: ${f}`));
  const ok =
    plain[0] === '0,0,0 255,0,0 0,0,0' &&
    plain[1] === '0,0,0 0,0,255 0,255,0' &&
    flagged[0] === '0,0,0,0 255,0,0,255 0,0,0,0' &&
    flagged[1] === '0,0,0,0 0,0,0,0 0,255,0,255';
  console.log(ok ? 'as described' : 'CHANGED');
  process.exitCode = ok ? 0 : 1;
})();
JS
node show.js
