//! Measures the typical curves of `core/src/ladder.rs` and the bias of samples in `core/src/scout.rs`: mean score and mean
//! logarithm of bits per pixel over pictures, at a few steps of each lossy ladder and of photographs' palettes as PNG.
//!
//! `cargo run --release --package pixrace --example curves -- balanced photo.png …`

use pixrace::attempt::show;
use pixrace::cancel::Cancel;
use pixrace::codec::{Effort, Encoder, Format, Metadata, Target};
use pixrace::decode;
use pixrace::error::Error;
use pixrace::image::ImageBuffer;
use pixrace::ladder::{Ladder, Method};
use pixrace::limits::Limits;
use pixrace::sample::{LEAST_BLOCKS, sample};
use pixrace::score::Reference;

struct Picture {
    image: ImageBuffer,
    reference: Reference,
}

impl Picture {
    fn new(image: ImageBuffer) -> Result<Self, Error> {
        let reference = Reference::new(&image, &Cancel::new(None))?;
        Ok(Self { image, reference })
    }

    /// Score and bits per pixel at one target.
    fn measure(&self, format: Format, effort: Effort, target: Target) -> Result<(f64, f64), Error> {
        let (metadata, cancel) = (Metadata::default(), Cancel::new(None));
        let file = Encoder { format, effort, metadata: &metadata, profile: None, cancel: &cancel }
            .encode(&self.image, target)?;
        let score = self.reference.score(&show(&file, &self.image)?, &cancel)?;
        Ok((score, file.len() as f64 * 8.0 / self.image.pixel_count() as f64))
    }
}

fn open(path: &str) -> Result<ImageBuffer, Box<dyn std::error::Error>> {
    let data = std::fs::read(path)?;
    let header = decode::read_header(&data, &Limits::default())?;
    Ok(decode::decode(&header, &data, None)?.to_eight_bit())
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// Mean and standard deviation.
fn spread(values: &[f64]) -> (f64, f64) {
    let middle = mean(values);
    (middle, mean(&values.iter().map(|value| (value - middle).powi(2)).collect::<Vec<_>>()).sqrt())
}

const KNOTS: usize = 7;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let effort = match arguments.first().map(String::as_str) {
        Some("fast") => Effort::Fast,
        Some("best") => Effort::Best,
        _ => Effort::Balanced,
    };
    let mut pictures = Vec::new();
    for path in &arguments[1..] {
        let image = open(path)?;
        let small = sample(&image, LEAST_BLOCKS).map(Picture::new).transpose()?;
        pictures.push((Picture::new(image)?, small));
    }
    let lossy = [Format::Avif, Format::Webp, Format::Jpeg].map(|format| (format, Ladder::whole(format, Method::Lossy)));
    let palettes = [Method::Palette, Method::Dithered].map(|method| (Format::Png, Ladder::of_photograph(method)));
    for (format, Ladder { targets, .. }) in lossy.into_iter().chain(palettes) {
        for knot in 0..KNOTS {
            let step = knot * (targets.len() - 1) / (KNOTS - 1);
            let (mut scores, mut densities, mut biases, mut ratios) = (vec![], vec![], vec![], vec![]);
            for (whole, small) in &pictures {
                let (score, density) = whole.measure(format, effort, targets[step])?;
                scores.push(score);
                densities.push(density.ln());
                if let Some(small) = small {
                    let (sampled, sampled_density) = small.measure(format, effort, targets[step])?;
                    biases.push(sampled - score);
                    ratios.push((sampled_density / density).ln());
                }
            }
            let (bias, ratio) = (spread(&biases), spread(&ratios));
            println!(
                "{format} knot({step}.0, {:.1}, {:.3}); sample {:+.2} ± {:.2} points, {:+.1} ± {:.1} % bytes",
                mean(&scores),
                mean(&densities).exp(),
                bias.0,
                bias.1,
                ratio.0 * 100.0,
                ratio.1 * 100.0
            );
        }
    }
    Ok(())
}
