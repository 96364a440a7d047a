#!/usr/bin/env bash
# crate image-webp 0.2.4 (the files are made with PyPI pillow 13.0.0)
#
# Behaviour: a WebP animation with alpha. Frame 1 is a red square at the top
# left, to be disposed to the background; frame 2 is a blue square at the bottom
# right. After frame 2 libwebp (in Pillow) has cleared the red square. With
# image-webp
#   the red square stays, whole, unless the program has set a background colour;
#   with one set, the red square goes if frame 2 is coded lossless,
#   but goes only in slanted stripes if frame 2 is coded lossy.
#
# Why it is surprising: the file itself says that the square is to go, and how
# frame 2 is coded has nothing to do with where frame 1 was. The stripes come
# from counting three bytes to a pixel, as the opaque lossy frame has, on a
# canvas that has four.
#
# Output seen (the red square after frame 2; # is red, . is cleared):
#   libwebp, lossless / lossy: all cleared
#   image-webp, no background set, lossless / lossy: all red
#   image-webp, transparent background set, lossless: all cleared
#   image-webp, transparent background set, lossy:
#     ......##
#     ..######
#     ####....
#     ......##
#     ..######
#     ####....
#     ########
#     ########
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"

python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check pillow==13.0.0
cat > make.py <<'PY'
import io
import struct

from PIL import Image, ImageSequence


def u24(n):
    return struct.pack("<I", n)[:3]


def chunk(name, data):
    return name + struct.pack("<I", len(data)) + data + b"\0" * (len(data) % 2)


def frame(x, y, colour, lossless, dispose):
    still = io.BytesIO()
    Image.new("RGB", (8, 8), colour).save(still, "WEBP", lossless=lossless)
    place = u24(x // 2) + u24(y // 2) + u24(7) + u24(7)
    return chunk(b"ANMF", place + u24(100) + bytes([dispose]) + still.getvalue()[12:])


for kind in ("lossless", "lossy"):
    body = b"WEBP" + chunk(b"VP8X", bytes([0x12, 0, 0, 0]) + u24(15) + u24(15))
    body += chunk(b"ANIM", bytes(6))
    body += frame(0, 0, "red", True, 1) + frame(8, 8, "blue", kind == "lossless", 0)
    with open(kind + ".webp", "wb") as file:
        file.write(chunk(b"RIFF", body))
    with Image.open(kind + ".webp") as file:
        first, second = [f.convert("RGBA") for f in ImageSequence.Iterator(file)]
    assert first.getpixel((7, 7)) == (255, 0, 0, 255)
    cleared = all(second.getpixel((x, y))[3] == 0 for x in range(8) for y in range(8))
    print(f"libwebp, {kind}:", "all cleared" if cleared else "not all cleared")
    assert cleared
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

/// The top left 8x8 pixels after frame 2.
fn corner(kind: &str, background: Option<[u8; 4]>) -> String {
    let file = std::fs::read(format!("{kind}.webp")).unwrap();
    let mut decoder = image_webp::WebPDecoder::new(Cursor::new(file)).unwrap();
    if let Some(colour) = background {
        decoder.set_background_color(colour).unwrap();
    }
    let mut canvas = vec![0; decoder.output_buffer_size().unwrap()];
    assert_eq!(canvas.len(), 16 * 16 * 4);
    decoder.read_frame(&mut canvas).unwrap();
    decoder.read_frame(&mut canvas).unwrap();
    let mark = |p: &[u8]| if p[3] == 0 { '.' } else { '#' };
    let rows = canvas.chunks(64).take(8);
    rows.map(|row| row[..32].chunks(4).map(mark).collect::<String>() + "\n").collect()
}

fn main() {
    let kept = "########\n".repeat(8);
    let cleared = "........\n".repeat(8);
    let striped = "......##\n..######\n####....\n".repeat(2) + "########\n########\n";
    let mut ok = true;
    for (kind, background, expected) in [
        ("lossless", None, &kept),
        ("lossy", None, &kept),
        ("lossless", Some([0; 4]), &cleared),
        ("lossy", Some([0; 4]), &striped),
    ] {
        let seen = corner(kind, background);
        let set = if background.is_some() { "transparent background set" } else { "no background set" };
        println!("image-webp, {set}, {kind}:\n{seen}");
        ok &= seen == *expected;
    }
    println!("{}", if ok { "as described" } else { "CHANGED" });
    std::process::exit(if ok { 0 } else { 1 });
}
RS
CARGO_TARGET_DIR=target cargo run --quiet --jobs 1
