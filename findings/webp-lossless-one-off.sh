#!/usr/bin/env bash
# crate image-webp 0.2.4 (the file is made with PyPI pillow 13.0.0)
#
# Behaviour: Pillow writes a lossless WebP animation of three opaque frames.
# Pillow reads it back exactly. image-webp reads frame 1 exactly, but in each
# part that frame 2 or 3 repaints, every sample of every pixel is one too low
# (255 becomes 254, 1 becomes 0; only 0 stays).
#
# Why it is surprising: the file is lossless, and the pixels are opaque, so
# there is nothing to blend. The frames do ask for blending, which is the
# format's normal way, and the blending routine multiplies by a rounded down
# 1/255 and drops the fraction, so it returns v - 1 for an opaque v. libwebp,
# after which the routine is modelled, passes opaque pixels by.
#
# Output seen:
#   frame 1: 0 samples wrong
#   frame 2: 480 of 768 samples one too low, 0 otherwise wrong
#   frame 3: 768 of 768 samples one too low, 0 otherwise wrong
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"

python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check pillow==13.0.0
cat > make.py <<'PY'
from PIL import Image, ImageSequence

# Grey 0 to 255; then rows 6 to 15 anew, and then rows 0 to 11.
first = Image.frombytes("RGB", (16, 16), bytes(v for p in range(256) for v in (p, p, p)))
second = first.copy()
second.paste(Image.frombytes("RGB", (16, 10), bytes((n * 37) % 255 + 1 for n in range(480))), (0, 6))
third = second.copy()
third.paste(Image.frombytes("RGB", (16, 12), bytes((n * 53) % 255 + 1 for n in range(576))), (0, 0))
frames = [first, second, third]
first.save("a.webp", save_all=True, append_images=frames[1:], lossless=True, duration=100)
pixels = [f.tobytes() for f in frames]
with Image.open("a.webp") as file:
    assert [f.convert("RGB").tobytes() for f in ImageSequence.Iterator(file)] == pixels
open("a.raw", "wb").write(b"".join(pixels))
print("Pillow reads its file back exactly")
PY
venv/bin/python make.py

mkdir src
cat > Cargo.toml <<'TOML'
[package]
name = "show"
version = "0.0.0"
edition = "2021"

[dependencies]
image-webp = "=0.2.4"
byteorder-lite = "=0.1.0"
quick-error = "=2.0.1"
TOML
cat > src/main.rs <<'RS'
use std::io::Cursor;

fn main() {
    let want = std::fs::read("a.raw").unwrap();
    let file = std::fs::read("a.webp").unwrap();
    let mut decoder = image_webp::WebPDecoder::new(Cursor::new(file)).unwrap();
    let mut got = vec![0; decoder.output_buffer_size().unwrap()];
    assert_eq!(got.len(), 16 * 16 * 3, "three channels: no alpha");
    let mut seen = Vec::new();
    for (i, want) in want.chunks(got.len()).enumerate() {
        decoder.read_frame(&mut got).unwrap();
        let pairs = || got.iter().zip(want).map(|(&g, &w)| i32::from(g) - i32::from(w));
        let low = pairs().filter(|&d| d == -1).count();
        let other = pairs().filter(|&d| d != 0 && d != -1).count();
        println!("frame {}: {low} of {} samples one too low, {other} otherwise wrong", i + 1, got.len());
        seen.push((low, other));
    }
    let ok = seen == [(0, 0), (480, 0), (768, 0)];
    println!("{}", if ok { "as described" } else { "CHANGED" });
    std::process::exit(if ok { 0 } else { 1 });
}
RS
CARGO_TARGET_DIR=target cargo run --quiet --jobs 1
