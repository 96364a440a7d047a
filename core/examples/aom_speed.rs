//! Measures libaom on one picture: bytes, time and processor time.
//!
//! `cargo run --release --package pixrace --example aom_speed -- photo.png 2 25 out 9 8 tune=psnr` encodes on two threads
//! with quantizer 25 at the speeds 9 and 8, with one option changed, best of three runs. The files are left in the folder
//! `out`, which must exist. Processor times are from `/proc`: Linux only.

use std::time::Instant;

use avif_serialize::Aviffy;
use avif_serialize::constants::MatrixCoefficients;
use image::DynamicImage;
use pixrace::codec::avif::{BIT_DEPTH, PlaneSet, Sampling};
use pixrace::image::ImageBuffer;
use pixrace_aom::{Picture, Planes, Settings, Subsampling, encode};

const OPTIONS: [(&str, &str); 8] = [
    ("enable-palette", "0"),
    ("tune", "ssim"),
    ("enable-qm", "1"),
    ("qm-min", "5"),
    ("qm-max", "9"),
    ("deltaq-mode", "2"),
    ("enable-chroma-deltaq", "1"),
    ("dist-metric", "qm-psnr"),
];

type Outcome<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// Of this process, in milliseconds: user and system time in ticks of 10 ms.
fn processor_ms() -> u64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields = stat.rsplit_once(')').map_or("", |(_, rest)| rest).split_whitespace();
    fields.skip(11).take(2).filter_map(|ticks| ticks.parse::<u64>().ok()).sum::<u64>() * 10
}

/// The last result, and the least milliseconds of wall and processor time in three runs.
fn timed<T>(mut work: impl FnMut() -> Outcome<T>) -> Outcome<(T, u128, u64)> {
    let mut best = (work()?, u128::MAX, u64::MAX);
    for _ in 0..3 {
        let (start, before) = (Instant::now(), processor_ms());
        best.0 = work()?;
        best.1 = best.1.min(start.elapsed().as_millis());
        best.2 = best.2.min(processor_ms() - before);
    }
    Ok(best)
}

fn measure(image: &ImageBuffer, quantizer: u8, speeds: &[u8], options: &[(&str, &str)], folder: &str) -> Outcome<()> {
    for sampling in [Sampling::Full, Sampling::Half] {
        let (set, wall, processor) = timed(|| Ok(PlaneSet::color(image, sampling)?))?;
        println!("{sampling:?} planes: {wall} ms, {processor} ms of processor time");
        let Some((_, [cb, cr])) = &set.chroma else { continue };
        let subsampling = if sampling == Sampling::Full { Subsampling::None } else { Subsampling::Half };
        let planes = Planes::TenBit([&set.luma, cb, cr]);
        let picture = Picture { width: set.width, height: set.height, subsampling, planes };
        for (speed, tiles_log2) in speeds.iter().flat_map(|&speed| [(speed, (0, 0)), (speed, (1, 1))]) {
            let settings = Settings { speed, quantizer, lossless: false, tiles_log2, options };
            let (file, wall, processor) = timed(|| Ok(encode(&picture, &settings)?))?;
            let bytes = file.len();
            save(&file, &picture, &format!("{folder}/{sampling:?}-{speed}-{}.avif", tiles_log2.0))?;
            println!(
                "{sampling:?} speed {speed} tiles {tiles_log2:?}: {bytes} bytes, {wall} ms, {processor} ms of processor time"
            );
        }
    }
    Ok(())
}

fn save(file: &[u8], picture: &Picture<'_>, path: &str) -> Outcome<()> {
    let half = picture.subsampling == Subsampling::Half;
    let mut container = Aviffy::new();
    container.set_matrix_coefficients(MatrixCoefficients::Bt601).set_chroma_subsampling((half, half));
    Ok(std::fs::write(path, container.to_vec(file, None, picture.width, picture.height, BIT_DEPTH))?)
}

fn main() -> Outcome<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [path, threads, quantizer, folder, speeds @ ..] = arguments.as_slice() else {
        return Err("arguments: picture, threads, quantizer, folder, speeds".into());
    };
    let more = speeds.iter().filter_map(|argument| argument.split_once('='));
    let options: Vec<_> = OPTIONS.into_iter().chain(more).collect();
    let speeds = speeds.iter().filter(|argument| !argument.contains('=')).map(|speed| speed.parse());
    let speeds = speeds.collect::<Result<Vec<u8>, _>>()?;
    let (threads, quantizer) = (threads.parse()?, quantizer.parse()?);
    let image = ImageBuffer::new(DynamicImage::ImageRgb8(image::open(path)?.into_rgb8()));
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build()?;
    pool.install(|| measure(&image, quantizer, &speeds, &options, folder))
}
