//! Seed fault 7: the AVIF encoder started threads of its own, outside the bound. While a 3-megapixel AVIF of several tiles
//! is encoded, this process has exactly the threads that it had before. Alone in its file, because tests of one file share
//! a process.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
#![cfg(target_os = "linux")]

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use image::{DynamicImage, Rgb, RgbImage};
use pixrace::cancel::Cancel;
use pixrace::codec::{Effort, Encoder, Format, Metadata, Target};
use pixrace::image::ImageBuffer;

fn thread_count() -> usize {
    std::fs::read_dir("/proc/self/task").unwrap().count()
}

#[test]
fn avif_starts_no_threads() {
    let raster = RgbImage::from_fn(2048, 1500, |x, y| Rgb([x as u8, y as u8, (x * y) as u8]));
    let image = ImageBuffer::new(DynamicImage::ImageRgb8(raster));
    let pool = rayon::ThreadPoolBuilder::new().num_threads(2).build().unwrap();
    let (metadata, cancel) = (Metadata::default(), Cancel::new(None));
    let encoder =
        Encoder { format: Format::Avif, effort: Effort::Fast, metadata: &metadata, profile: None, cancel: &cancel };
    let (go, done) = (AtomicBool::new(false), AtomicBool::new(false));
    std::thread::scope(|scope| {
        let encoding = scope.spawn(|| {
            while !go.load(Ordering::SeqCst) {
                std::thread::yield_now();
            }
            let file = pool.install(|| encoder.encode(&image, Target::Quality(50)));
            done.store(true, Ordering::SeqCst);
            file
        });
        let before = thread_count();
        go.store(true, Ordering::SeqCst);
        let mut samples = 0;
        while !done.load(Ordering::SeqCst) {
            let now = thread_count();
            assert!(now <= before, "{before} threads before, {now} while encoding");
            samples += 1;
            std::thread::sleep(Duration::from_millis(2));
        }
        assert!(samples > 10, "too short to tell: {samples} samples");
        assert!(!encoding.join().unwrap().unwrap().is_empty());
    });
}
