//! Passes the versions of the codec libraries on to `versions.rs`, and refuses a build that would silently lose SIMD.

use std::process::Command;
use std::{env, fs};

const LIBRARIES: [&str; 12] = [
    "libaom-sys",
    "rav1e",
    "libwebp-sys",
    "mozjpeg-sys",
    "oxipng",
    "quantizr",
    "png",
    "re_rav1d",
    "moxcms",
    "fast-ssim2",
    "fast_image_resize",
    "thumbhash",
];

fn main() {
    println!("cargo::rerun-if-changed=../Cargo.lock");
    println!("cargo::rerun-if-changed=build.rs");
    require_nasm();
    let lock = fs::read_to_string("../Cargo.lock").expect("Cargo.lock is part of the repository");
    for library in LIBRARIES {
        let entry = format!("name = \"{library}\"\nversion = \"");
        let version = lock.split_once(&entry).and_then(|(_, rest)| rest.split_once('"')).map(|(version, _)| version);
        let name = library.replace('-', "_").to_uppercase();
        println!("cargo::rustc-env=VERSION_{name}={}", version.expect("every codec library is in Cargo.lock"));
    }
}

/// Without nasm mozjpeg only warns, and is several times slower.
fn require_nasm() {
    let x86 = env::var("CARGO_CFG_TARGET_ARCH").is_ok_and(|arch| arch == "x86_64");
    if x86 && !Command::new("nasm").arg("-v").output().is_ok_and(|output| output.status.success()) {
        println!("cargo::error=nasm 2.15 or later is needed for the codecs' SIMD code; `npm run setup` installs it");
    }
}
