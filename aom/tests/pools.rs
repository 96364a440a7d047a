//! What the engine relies on: the same bytes in every pool, no thread beside those of the pool, errors in words. Alone in
//! its file, because tests of one file share a process, and one of these counts its threads.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::atomic::{AtomicBool, Ordering};

use pixrace_aom::{AomError, Picture, Planes, Settings, Subsampling, encode};

const WIDTH: u32 = 400;
const HEIGHT: u32 = 330;

const SETTINGS: Settings<'_> =
    Settings { speed: 8, quantizer: 25, lossless: false, tiles_log2: (1, 1), options: &[("tune", "ssim")] };

fn plane(seed: u32, mask: u16) -> Vec<u16> {
    let sample = |x: u32, y: u32| ((x * x / (5 + seed) + y * 3 + (x ^ y) % 17) as u16) & mask;
    (0..HEIGHT).flat_map(|y| (0..WIDTH).map(move |x| sample(x, y))).collect()
}

fn picture(planes: &[Vec<u16>; 3]) -> Picture<'_> {
    let planes = Planes::TenBit(planes.each_ref().map(Vec::as_slice));
    Picture { width: WIDTH, height: HEIGHT, subsampling: Subsampling::None, planes }
}

fn in_pool(threads: usize, picture: &Picture<'_>, settings: &Settings<'_>) -> Vec<u8> {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
    pool.install(|| encode(picture, settings)).unwrap()
}

#[test]
fn every_pool_gives_the_same_bytes() {
    let planes = [1, 2, 3].map(|seed| plane(seed, 1023));
    let picture = picture(&planes);
    // Deblocking, CDEF and loop restoration all have rows that wait for each other; slower speeds use all three.
    for speed in [4, 6, 8, 9] {
        let settings = Settings { speed, ..SETTINGS };
        let outside = encode(&picture, &settings).unwrap();
        assert_eq!(outside[0], 0x0a, "a sequence header comes first");
        for threads in [1, 2, 3, 8] {
            assert!(in_pool(threads, &picture, &settings) == outside, "speed {speed}, {threads} threads");
        }
    }
}

#[test]
fn many_frames_at_once_do_not_wait_forever() {
    let planes = [1, 2, 3].map(|seed| plane(seed, 1023));
    let picture = picture(&planes);
    let alone = encode(&picture, &SETTINGS).unwrap();
    let pool = rayon::ThreadPoolBuilder::new().num_threads(3).build().unwrap();
    let check = |_| assert!(encode(&picture, &SETTINGS).unwrap() == alone);
    pool.install(|| {
        use rayon::prelude::*;
        (0..24).into_par_iter().for_each(check);
    });
}

#[test]
#[cfg(target_os = "linux")]
fn no_thread_is_made() {
    /// Threads of a name that only libaom gives.
    fn foreign() -> usize {
        let tasks = std::fs::read_dir("/proc/self/task").unwrap().flatten();
        let name = |task: std::fs::DirEntry| std::fs::read_to_string(task.path().join("comm")).unwrap_or_default();
        tasks.map(name).filter(|name| name.starts_with("aom")).count()
    }
    let planes = [1, 2, 3].map(|seed| plane(seed, 1023));
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            in_pool(2, &picture(&planes), &SETTINGS);
            done.store(true, Ordering::SeqCst);
        });
        while !done.load(Ordering::SeqCst) {
            assert_eq!(foreign(), 0);
            std::thread::yield_now();
        }
    });
}

#[test]
fn eight_bits_half_chroma_gray_and_lossless() {
    let planes = [1, 2, 3].map(|seed| plane(seed, 255));
    let bytes = planes.each_ref().map(|plane| plane.iter().map(|&sample| sample as u8).collect::<Vec<u8>>());
    let quarter = &bytes[1][..(WIDTH / 2 * HEIGHT / 2) as usize];
    let eight =
        |subsampling, planes| Picture { width: WIDTH, height: HEIGHT, subsampling, planes: Planes::EightBit(planes) };
    let full = eight(Subsampling::None, bytes.each_ref().map(Vec::as_slice));
    let half = eight(Subsampling::Half, [&bytes[0], quarter, quarter]);
    let gray = eight(Subsampling::Monochrome, [&bytes[0], &[], &[]]);
    let sizes = [full, half, gray].map(|picture| in_pool(2, &picture, &SETTINGS).len());
    assert!(sizes[0] > sizes[1] && sizes[1] > sizes[2], "{sizes:?}");
    let lossless = in_pool(2, &gray, &Settings { lossless: true, ..SETTINGS });
    assert!(lossless.len() > sizes[2], "{} bytes", lossless.len());
}

#[test]
fn every_quantizer_is_another_file() {
    let planes = [1, 2, 3].map(|seed| plane(seed, 1023));
    let picture = picture(&planes);
    let settings = |quantizer| Settings { quantizer, speed: 9, ..SETTINGS };
    let mut files: Vec<_> = (0..=63).map(|quantizer| encode(&picture, &settings(quantizer)).unwrap()).collect();
    files.dedup();
    assert_eq!(files.len(), 64);
}

#[test]
fn wrong_input_is_an_error_in_words() {
    let planes = [1, 2, 3].map(|seed| plane(seed, 1023));
    let good = picture(&planes);
    let words = |picture: &Picture<'_>, settings: &Settings<'_>| encode(picture, settings).unwrap_err().to_string();
    assert!(words(&Picture { width: 0, ..good }, &SETTINGS).contains("0 x 330"));
    assert!(words(&Picture { width: WIDTH + 1, ..good }, &SETTINGS).contains("do not fit"));
    assert!(words(&Picture { subsampling: Subsampling::Half, ..good }, &SETTINGS).contains("do not fit"));
    let wide = [1, 2, 3].map(|seed| plane(seed, 2047));
    assert!(words(&picture(&wide), &SETTINGS).contains("ten bits"));
    let unknown = Settings { options: &[("no-such-option", "1")], ..SETTINGS };
    assert!(words(&good, &unknown).contains("no-such-option=1"));
    assert!(words(&good, &Settings { speed: 99, ..SETTINGS }).contains("cpu_used"));
    let again: Result<_, AomError> = encode(&good, &SETTINGS);
    assert!(again.is_ok(), "an error leaves nothing behind");
}
