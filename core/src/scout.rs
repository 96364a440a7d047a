//! What each contender can be expected to reach, from quick encodes of a sample.

use rayon::prelude::*;

use crate::animation::Animation;
use crate::attempt::{Contest, show};
use crate::candidate::Contender;
use crate::codec::{Draft, Effort, Encoder, Format, Source};
use crate::curve::Curve;
use crate::error::{Result, catch};
use crate::image::ImageBuffer;
use crate::ladder::Method;
use crate::sample::{FEW_BLOCKS, LEAST_BLOCKS, sample};
use crate::score::{IDENTICAL, Reference};
use crate::search::first_step;

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
    /// Whether it is one of an animation, made of one frame and the number of pixels that change.
    pub rough: bool,
}

impl Estimate {
    /// What is known without a look.
    #[must_use]
    pub fn unseen(contest: &Contest<'_>, contender: &Contender) -> Self {
        let Contender { image, ladder, .. } = contender;
        let pixels = contest.animation.map_or(image.pixel_count(), Animation::changed_pixels);
        let curve = Curve::new(ladder.typical, ladder.targets.len(), pixels);
        Self { curve, promise: None }
    }
}

/// What a contest learned of its contenders, to begin with at another size of the same picture.
#[derive(Debug)]
pub struct Lore(Vec<(Format, Method, Curve)>);

impl Lore {
    pub fn new<'a>(learned: impl Iterator<Item = (&'a Contender, &'a Curve)>) -> Self {
        Self(learned.map(|(contender, curve)| (contender.format, contender.method, curve.clone())).collect())
    }

    /// An estimate per contender; `None` if one of them is new.
    #[must_use]
    pub fn recall(&self, contest: &Contest<'_>, contenders: &[Contender]) -> Option<Vec<Estimate>> {
        let recall = |contender: &Contender| {
            let (Contender { format, method, .. }, Estimate { curve: unseen, .. }) =
                (contender, Estimate::unseen(contest, contender));
            let (_, _, curve) = self.0.iter().find(|(known, way, _)| (known, way) == (format, method))?;
            let curve = curve.for_another_size(&unseen)?;
            let promise = Some(promise(contest, &curve));
            Some(Estimate { curve, promise })
        };
        contenders.iter().map(recall).collect()
    }
}

/// One estimate per contender, of all or of the `only` one that is looked at.
pub fn scout(
    contest: &Contest<'_>,
    contenders: &[Contender],
    only: Option<usize>,
    image: &ImageBuffer,
) -> Result<Vec<Estimate>> {
    // Of an animation a whole frame is a sample.
    let least = if contest.goal.on_trust { FEW_BLOCKS } else { LEAST_BLOCKS };
    let sample = |image: &ImageBuffer| sample(image, least).or_else(|| contest.animation.map(|_| image.clone()));
    let small = sample(image);
    let reference = match &small {
        Some(small) if contest.goal.needs_score() => Some(Reference::new(small, contest.cancel)?),
        _ => None,
    };
    contenders
        .par_iter()
        .enumerate()
        .map(|(index, contender)| {
            let Estimate { mut curve, .. } = Estimate::unseen(contest, contender);
            if only.is_some_and(|only| only != index) {
                return Ok(Estimate { curve, promise: None });
            }
            // A picture on a background has a sample of its own.
            let same = contender.image.has_alpha() == image.has_alpha();
            let Some(small) = (if same { small.clone() } else { sample(&contender.image) }) else {
                return Ok(Estimate { curve, promise: None });
            };
            let looked = catch(|| look(contest, contender, &small, reference.as_ref(), &mut curve));
            match looked {
                Err(error) if error.ends_call() => Err(error),
                // The search will meet the same error on the whole picture, and tell.
                Err(_) => Ok(Estimate { curve, promise: None }),
                Ok(()) => {
                    let promise = Some(promise(contest, &curve));
                    Ok(Estimate { curve, promise })
                }
            }
        })
        .collect()
}

/// Most encodes of a sample, and how near to the floor the last one should be, in points.
const MOST_LOOKS: usize = 2;
const NEAR: f64 = 2.0;
/// The same on trust, where time is what counts: from so near a curve finds the floor to about half a point.
const NEAR_ENOUGH: f64 = 6.0;

fn look(
    contest: &Contest<'_>,
    contender: &Contender,
    small: &ImageBuffer,
    reference: Option<&Reference>,
    curve: &mut Curve,
) -> Result<()> {
    let Draft { encoder, points, bytes } = draft(contest.encoder(contender.format), contender.method);
    let source = Source::new(small);
    let enough = if contest.goal.on_trust { NEAR_ENOUGH } else { NEAR };
    let mut tried = None;
    for _ in 0..MOST_LOOKS {
        let step = first_step(contest.goal, 0.0, curve);
        if tried == Some(step) {
            break;
        }
        tried = Some(step);
        let target = contender.ladder.targets[step];
        let file = encoder.encode_source(&source, target)?;
        let density = file.len() as f64 * bytes * 8.0 / small.pixel_count() as f64;
        let score = match reference {
            Some(_) if contender.method == Method::Lossless => Some(IDENTICAL),
            Some(reference) => {
                let shown = show(&file, small)?;
                let bias = if contest.animation.is_some() { 0.0 } else { contender.ladder.bias };
                Some(reference.score(&shown, contest.cancel)? + points - bias)
            }
            None => None,
        };
        curve.observe_sample(step, density, score);
        let near = contest.goal.min_score.zip(score).is_some_and(|(floor, score)| (score - floor).abs() <= enough);
        if near || !contest.goal.needs_score() {
            break;
        }
    }
    Ok(())
}

/// The encoder to look with. Rough is enough where nothing is lost: such files are far ahead or far behind.
fn draft(mut encoder: Encoder<'_>, method: Method) -> Draft<'_> {
    if method != Method::Lossy {
        encoder.effort = Effort::Fast;
    }
    encoder.draft().unwrap_or(Draft { encoder, points: 0.0, bytes: 1.0 })
}

fn promise(contest: &Contest<'_>, curve: &Curve) -> Promise {
    let step = first_step(contest.goal, 0.0, curve);
    Promise { bytes: curve.bytes_at(step), score: curve.score_at(step), rough: contest.animation.is_some() }
}
