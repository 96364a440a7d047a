//! What each contender can be expected to reach, from quick encodes of a sample.

use rayon::prelude::*;

use crate::attempt::{Contest, IDENTICAL, show};
use crate::candidate::Contender;
use crate::codec::{Effort, Format};
use crate::curve::Curve;
use crate::error::{Result, catch};
use crate::image::ImageBuffer;
use crate::ladder::Method;
use crate::sample::sample;
use crate::score::Reference;
use crate::search::Goal;

/// A curve of this picture, and what it promises for the goal.
#[derive(Debug, Clone)]
pub struct Estimate {
    pub curve: Curve,
    /// `None` where the picture is too small for a sample, or its sample could not be encoded.
    pub promise: Option<Promise>,
}

/// The expected outcome of a search.
#[derive(Debug, Clone, Copy)]
pub struct Promise {
    pub bytes: f64,
    pub score: f64,
}

/// One estimate per contender.
pub fn scout(contest: &Contest<'_>, contenders: &[Contender], image: &ImageBuffer) -> Result<Vec<Estimate>> {
    let small = sample(image);
    let reference = match &small {
        Some(small) if contest.goal.needs_score() => Some(Reference::new(small, contest.cancel)?),
        _ => None,
    };
    contenders
        .par_iter()
        .map(|contender| {
            let Contender { ref ladder, ref image, .. } = *contender;
            let mut curve = Curve::new(ladder.typical, ladder.targets.len(), image.pixel_count());
            let Some(small) = (if image.has_alpha() == small.as_ref().is_some_and(ImageBuffer::has_alpha) {
                small.clone()
            } else {
                sample(image)
            }) else {
                return Ok(Estimate { curve, promise: None });
            };
            let looked = catch(|| look(contest, contender, &small, reference.as_ref(), &mut curve));
            match looked {
                Err(error) if error.ends_call() => Err(error),
                // The search will meet the same error on the whole picture, and tell.
                Err(_) => Ok(Estimate { curve, promise: None }),
                Ok(()) => {
                    let promise = Some(promise(contest.goal, &curve));
                    Ok(Estimate { curve, promise })
                }
            }
        })
        .collect()
}

/// Most encodes of a sample, and how near to the floor the last one should be, in points.
const MOST_LOOKS: usize = 2;
const NEAR: f64 = 2.0;

fn look(
    contest: &Contest<'_>,
    contender: &Contender,
    small: &ImageBuffer,
    reference: Option<&Reference>,
    curve: &mut Curve,
) -> Result<()> {
    let last = curve.steps() - 1;
    let mut tried = None;
    for _ in 0..MOST_LOOKS {
        let step = match (contest.goal.min_score, contest.goal.max_bytes) {
            (Some(floor), _) => curve.step_for_score(floor).unwrap_or(last),
            (None, Some(most)) => curve.step_for_bytes(most).unwrap_or(0),
            (None, None) => 0,
        };
        if tried == Some(step) {
            break;
        }
        tried = Some(step);
        let target = contender.ladder.targets[step];
        let mut encoder = contest.encoder(contender.format);
        if contender.method != Method::Lossy {
            // Rough is enough: these are far ahead or far behind.
            encoder.effort = Effort::Fast;
        }
        let file = encoder.encode(small, target)?;
        let density = file.len() as f64 * 8.0 / small.pixel_count() as f64;
        let score = match reference {
            Some(_) if contender.method == Method::Lossless => Some(IDENTICAL),
            Some(reference) => {
                let shown = show(&file, small)?;
                Some(reference.score(&shown, contest.cancel)? - bias(contender.format))
            }
            None => None,
        };
        curve.observe_sample(step, density, score);
        let near = contest.goal.min_score.zip(score).is_some_and(|(floor, score)| (score - floor).abs() <= NEAR);
        if near || !contest.goal.needs_score() {
            break;
        }
    }
    Ok(())
}

/// Points by which a sample scores higher than the whole near a score of 70, on average (`core/examples/curves.rs`): AVIF
/// 0.1 ± 1.3, WebP −2.9 ± 4.2, JPEG 1.5 ± 0.9. The seams between its blocks are strong edges, which JPEG keeps well and
/// which draw WebP's adaptive quantisation away from the rest.
fn bias(format: Format) -> f64 {
    match format {
        Format::Avif | Format::Png => 0.0,
        Format::Webp => -2.5,
        Format::Jpeg => 1.5,
    }
}

fn promise(goal: Goal, curve: &Curve) -> Promise {
    let last = curve.steps() - 1;
    let step = match (goal.min_score, goal.max_bytes) {
        (Some(floor), _) => curve.step_for_score(floor).unwrap_or(last),
        (None, Some(most)) => curve.step_for_bytes(most).unwrap_or(0),
        (None, None) => 0,
    };
    Promise { bytes: curve.bytes_at(step), score: curve.score_at(step) }
}
