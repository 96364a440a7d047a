//! Compares settings of libaom at equal look: the source of the settings in `core/src/codec/avif/aom.rs` and of the table in
//! `benchmark/avif.md`.
//!
//! `cargo run --release --package pixrace --example avif_sweep -- photo.png … < settings.txt` reads one setting a line: a
//! name, a speed, `full` or `half` chroma, and libaom's options as `key=value,…`. Of each it prints the mean size at a score
//! of 70 against the first line's, the mean time of an encode on one thread, and the difference for every picture. Sizes
//! are interpolated between the two encodes nearest to that score. Samples of the pictures stand for them unless the
//! environment variable `WHOLE` is set.

use std::time::Instant;

use pixrace::attempt::show;
use pixrace::cancel::Cancel;
use pixrace::codec::avif::{CodedPicture, PlaneSet, Sampling};
use pixrace::decode;
use pixrace::image::ImageBuffer;
use pixrace::limits::Limits;
use pixrace::sample::{LEAST_BLOCKS, sample};
use pixrace::score::Reference;
use pixrace_aom::{Picture, Planes, Settings, Subsampling};
use rayon::prelude::*;

type Fallible<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

const SCORE: f64 = 70.0;
const FIRST_QUANTIZER: i32 = 31;
const MOST_ENCODES: usize = 4;
/// Points per step of the quantizer, roughly.
const SLOPE: f64 = 1.2;

struct Line {
    name: String,
    speed: u8,
    sampling: Sampling,
    options: Vec<(String, String)>,
}

impl Line {
    fn parse(text: &str) -> Option<Self> {
        let mut words = text.split_whitespace();
        let (name, speed, sampling) = (words.next()?.to_owned(), words.next()?.parse().ok()?, words.next()?);
        let sampling = if sampling == "half" { Sampling::Half } else { Sampling::Full };
        let pairs = words.next().unwrap_or_default().split(',').filter_map(|pair| pair.split_once('='));
        let options = pairs.map(|(key, value)| (key.to_owned(), value.to_owned())).collect();
        Some(Self { name, speed, sampling, options })
    }

    fn encode(&self, image: &ImageBuffer, quantizer: u8) -> Fallible<Vec<u8>> {
        let set = PlaneSet::color(image, self.sampling)?;
        let (_, [cb, cr]) = set.chroma.as_ref().ok_or("the pictures must have colour")?;
        let half = self.sampling == Sampling::Half;
        let subsampling = if half { Subsampling::Half } else { Subsampling::None };
        let planes = Planes::TenBit([&set.luma, cb, cr]);
        let picture = Picture { width: set.width, height: set.height, subsampling, planes };
        let options: Vec<_> = self.options.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
        let settings =
            Settings { speed: self.speed, quantizer, lossless: false, tiles_log2: (0, 0), options: &options };
        let color = pixrace_aom::encode(&picture, &settings)?;
        let (width, height) = (set.width, set.height);
        let picture = CodedPicture { width, height, color: &color, alpha: None, primaries: None, exif: None };
        Ok(picture.to_avif()?)
    }

    /// Logarithm of the size at [`SCORE`], and the milliseconds of an encode.
    fn measure(&self, image: &ImageBuffer, reference: &Reference) -> Fallible<(f64, f64)> {
        let mut points: Vec<(i32, f64, f64)> = Vec::new();
        let (mut quantizer, mut milliseconds) = (FIRST_QUANTIZER, 0.0);
        while points.len() < MOST_ENCODES && points.iter().all(|&(seen, ..)| seen != quantizer) {
            let started = Instant::now();
            let file = self.encode(image, quantizer as u8)?;
            milliseconds += started.elapsed().as_secs_f64() * 1e3;
            let score = reference.score(&show(&file, image)?, &Cancel::new(None))?;
            points.push((quantizer, score, (file.len() as f64).ln()));
            let steps = ((score - SCORE) / SLOPE).round() as i32;
            let aside = if score < SCORE { -1 } else { 1 };
            quantizer = (quantizer + if steps == 0 { aside } else { steps }).clamp(1, 63);
        }
        let encodes = points.len() as f64;
        points.sort_by(|a, b| (a.1 - SCORE).abs().total_cmp(&(b.1 - SCORE).abs()));
        let (near, far) = (points[0], points[1]);
        let share = (SCORE - near.1) / (far.1 - near.1);
        let share = if share.is_finite() { share.clamp(-2.0, 2.0) } else { 0.0 };
        Ok((near.2 + share * (far.2 - near.2), milliseconds / encodes))
    }
}

fn open(path: &str) -> Fallible<(ImageBuffer, Reference)> {
    let data = std::fs::read(path)?;
    let header = decode::read_header(&data, &Limits::default())?;
    let image = decode::decode(&header, &data, None)?.to_eight_bit();
    let small = if std::env::var_os("WHOLE").is_some() { None } else { sample(&image, LEAST_BLOCKS) };
    let image = small.unwrap_or(image);
    let reference = Reference::new(&image, &Cancel::new(None))?;
    Ok((image, reference))
}

fn main() -> Fallible<()> {
    let pictures = std::env::args().skip(1).map(|path| open(&path)).collect::<Fallible<Vec<_>>>()?;
    let mut first: Option<Vec<f64>> = None;
    for text in std::io::stdin().lines() {
        let Some(line) = Line::parse(&text?) else { continue };
        let each = pictures.par_iter().with_max_len(1).map(|(image, reference)| line.measure(image, reference));
        let (sizes, times): (Vec<f64>, Vec<f64>) = each.collect::<Fallible<Vec<_>>>()?.into_iter().unzip();
        let base = first.get_or_insert_with(|| sizes.clone());
        let more: Vec<_> = sizes.iter().zip(base.iter()).map(|(size, base)| (size - base).exp_m1() * 100.0).collect();
        let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
        let each: Vec<_> = more.iter().map(|more| format!("{more:+.1}")).collect();
        println!("{:20} {:+6.1} % {:6.0} ms   {}", line.name, mean(&more), mean(&times), each.join(" "));
    }
    Ok(())
}
