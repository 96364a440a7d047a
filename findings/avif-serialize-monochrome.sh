#!/usr/bin/env bash
# crate avif-serialize 0.8.9 (the AV1 data comes from PyPI pillow 13.0.0)
#
# Behaviour: Pillow codes a grey picture of 16x16 pixels as monochrome AVIF. Its
# AV1 data, unchanged, is put into a new file with avif-serialize, told that it
# is monochrome and of profile 0. In the new file the picture is described as
#   monochrome (in `av1C`), yet of three channels of 8 bits (in `pixi`);
#   of AV1 level index 31, which stands for "no limit", although the sequence
#   header in the same file says 0, the lowest level (2.0).
# The same data given as the alpha picture gets one channel, but level 31 too.
#
# Why it is surprising: the rules for AV1 in such files are that `av1C` repeats
# the level of the sequence header, and that `pixi` counts the channels of the
# picture. The crate lets a program set profile, depth, subsampling and
# monochrome, but not the level. A reader that chooses or refuses by level is
# told that a 16x16 picture has no upper bound.
#
# Output seen:
#   sequence header: level index 0, monochrome 1
#   Pillow: colour av1C level 0 monochrome 1, pixi [8]
#   avif-serialize: colour av1C level 31 monochrome 1, pixi [8, 8, 8]
#   avif-serialize: alpha av1C level 31 monochrome 1, pixi [8]
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"

python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check pillow==13.0.0
cat > make.py <<'PY'
from PIL import Image

grey = Image.frombytes("L", (16, 16), bytes((x * 13 + y * 7) % 256 for y in range(16) for x in range(16)))
grey.save("pillow.avif", subsampling="4:0:0", quality=90)
file = open("pillow.avif", "rb").read()
at = file.index(b"mdat")
open("grey.obu", "wb").write(file[at + 4 : at - 4 + int.from_bytes(file[at - 4 : at], "big")])
PY
venv/bin/python make.py

mkdir src
cat > Cargo.toml <<'TOML'
[package]
name = "show"
version = "0.0.0"
edition = "2021"

[dependencies]
avif-serialize = "=0.8.9"
arrayvec = "=0.7.8"
TOML
cat > src/main.rs <<'RS'
fn main() {
    let data = std::fs::read("grey.obu").unwrap();
    let mut writer = avif_serialize::Aviffy::new();
    writer.set_monochrome(true).set_seq_profile(0).set_chroma_subsampling((true, true));
    std::fs::write("crate.avif", writer.to_vec(&data, Some(&data), 16, 16, 8)).unwrap();
}
RS
CARGO_TARGET_DIR=target cargo run --quiet --jobs 1

cat > show.py <<'PY'
import sys

from PIL import Image


def boxes(name, file):
    """The contents of all boxes of that name, in order (there are no false hits in such small files)."""
    parts, at = [], file.find(name)
    while at >= 0:
        parts.append(file[at + 4 : at - 4 + int.from_bytes(file[at - 4 : at], "big")])
        at = file.find(name, at + 4)
    return parts


def describe(av1c, pixi):
    return av1c[1] & 31, av1c[2] >> 4 & 1, list(pixi[5:])


# The sequence header follows an empty temporal delimiter (two bytes), an OBU
# header and a size (one byte each).
data = open("grey.obu", "rb").read()
assert data[:2] == b"\x12\x00" and data[2] >> 3 & 15 == 1
bits = "".join(f"{byte:08b}" for byte in data[4:])
assert bits[:5] == "00011"  # profile 0, a still picture with the short header
own_level = int(bits[5:10], 2)
w, h = int(bits[10:14], 2) + 1, int(bits[14:18], 2) + 1
at = 18 + w + h  # past the size of the picture
at += 3 + 3  # block size and two intra tools; superres, cdef, restoration
assert bits[at] == "0"  # not more than 8 bits
own_mono = int(bits[at + 1])
print(f"sequence header: level index {own_level}, monochrome {own_mono}")

seen = []
for who, name, kinds in (("Pillow", "pillow.avif", ["colour"]), ("avif-serialize", "crate.avif", ["colour", "alpha"])):
    Image.open(name).load()  # it can be shown
    file = open(name, "rb").read()
    parts = list(zip(boxes(b"av1C", file), boxes(b"pixi", file)))
    assert len(parts) == len(kinds)
    for kind, part in zip(kinds, parts):
        level, mono, depths = describe(*part)
        print(f"{who}: {kind} av1C level {level} monochrome {mono}, pixi {depths}")
        seen.append((level, mono, depths))
ok = (own_level, own_mono) == (0, 1) and seen == [(0, 1, [8]), (31, 1, [8, 8, 8]), (31, 1, [8])]
print("as described" if ok else "CHANGED")
sys.exit(0 if ok else 1)
PY
venv/bin/python show.py
