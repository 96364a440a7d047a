//! What each step of a ladder is expected to give, learned from the typical picture, a sample of this one, and files
//! that were really made of it, in this order of trust.

/// One point of the typical curve: mean values over photographs.
#[derive(Debug, Clone, Copy)]
pub struct Knot {
    pub step: f64,
    pub score: f64,
    pub bits_per_pixel: f64,
}

/// Expected size and score along a ladder.
///
/// A picture is described by how many steps it lies ahead of the typical one, separately for score and for size. That
/// lead changes slowly along the ladder where score and size themselves bend.
#[derive(Debug, Clone)]
pub struct Curve {
    typical: &'static [Knot],
    steps: usize,
    pixels: f64,
    score: Leads,
    bytes: Leads,
}

/// Leads found in a sample, and what the whole picture added to them.
#[derive(Debug, Clone, Default)]
struct Leads {
    sample: Vec<(f64, f64)>,
    whole: Vec<(f64, f64)>,
}

impl Leads {
    fn at(&self, step: f64) -> f64 {
        interpolate(&self.sample, step) + interpolate(&self.whole, step)
    }
}

impl Curve {
    /// The typical curve of a ladder of `steps`, for a picture of `pixels`. `typical` has at least two knots, rising in
    /// every field.
    #[must_use]
    pub fn new(typical: &'static [Knot], steps: usize, pixels: u64) -> Self {
        Self { typical, steps, pixels: pixels as f64, score: Leads::default(), bytes: Leads::default() }
    }

    #[must_use]
    pub fn steps(&self) -> usize {
        self.steps
    }

    /// The same for the picture of `unseen`, which is this one in another size: what is known here is a sample of it. `None` if
    /// nothing is known, or the ladders differ.
    #[must_use]
    pub fn for_another_size(&self, unseen: &Self) -> Option<Self> {
        let known = |leads: &Leads| -> Vec<_> {
            let trusted = if leads.whole.is_empty() { &leads.sample } else { &leads.whole };
            trusted.iter().map(|&(step, _)| (step, leads.at(step))).collect()
        };
        let (score, bytes) = (known(&self.score), known(&self.bytes));
        let sample = |sample| Leads { sample, whole: Vec::new() };
        (self.steps == unseen.steps && !bytes.is_empty()).then(|| Self {
            score: sample(score),
            bytes: sample(bytes),
            ..unseen.clone()
        })
    }

    /// Takes in what a sample of the picture gave.
    pub fn observe_sample(&mut self, step: usize, bits_per_pixel: f64, score: Option<f64>) {
        let lead = self.lead(step, |knot| knot.bits_per_pixel.ln(), bits_per_pixel.ln());
        insert(&mut self.bytes.sample, step, lead);
        if let Some(score) = score {
            let lead = self.lead(step, |knot| knot.score, score);
            insert(&mut self.score.sample, step, lead);
        }
    }

    /// Takes in what a draft of the whole picture gave, which the sample has to agree with.
    pub fn observe_draft(&mut self, step: usize, bytes: f64, score: Option<f64>) {
        let density = (bytes * 8.0 / self.pixels).ln();
        let lead = self.lead(step, |knot| knot.bits_per_pixel.ln(), density);
        move_to(&mut self.bytes.sample, step, lead);
        if let Some(score) = score {
            let lead = self.lead(step, |knot| knot.score, score);
            move_to(&mut self.score.sample, step, lead);
        }
    }

    /// Takes in what the whole picture gave.
    pub fn observe(&mut self, step: usize, bytes: u64, score: Option<f64>) {
        let density = (bytes as f64 * 8.0 / self.pixels).ln();
        let lead = self.lead(step, |knot| knot.bits_per_pixel.ln(), density);
        let beyond_sample = lead - interpolate(&self.bytes.sample, step as f64);
        insert(&mut self.bytes.whole, step, beyond_sample);
        if let Some(score) = score {
            let beyond_sample =
                self.lead(step, |knot| knot.score, score) - interpolate(&self.score.sample, step as f64);
            insert(&mut self.score.whole, step, beyond_sample);
        }
    }

    /// Steps from `step` to where the typical picture has this value.
    fn lead(&self, step: usize, field: impl Fn(&Knot) -> f64, value: f64) -> f64 {
        line(self.typical, |knot| (field(knot), knot.step), value) - step as f64
    }

    /// Expected SSIMULACRA2.
    #[must_use]
    pub fn score_at(&self, step: usize) -> f64 {
        let step = step as f64;
        line(self.typical, |knot| (knot.step, knot.score), step + self.score.at(step))
    }

    /// Expected size in bytes.
    #[must_use]
    pub fn bytes_at(&self, step: usize) -> f64 {
        let step = step as f64;
        let density =
            line(self.typical, |knot| (knot.step, knot.bits_per_pixel.ln()), step + self.bytes.at(step)).exp();
        density * self.pixels / 8.0
    }

    /// The lowest step that is expected to score at least `score`.
    #[must_use]
    pub fn step_for_score(&self, score: f64) -> Option<usize> {
        (0..self.steps).find(|&step| self.score_at(step) >= score)
    }

    /// The highest step that is expected to give at most `bytes`.
    #[must_use]
    pub fn step_for_bytes(&self, bytes: u64) -> Option<usize> {
        (0..self.steps).rev().find(|&step| self.bytes_at(step) <= bytes as f64)
    }
}

/// Shifts all points so that they meet `y` at this step.
fn move_to(points: &mut Vec<(f64, f64)>, step: usize, y: f64) {
    let shift = y - interpolate(points, step as f64);
    for point in points.iter_mut() {
        point.1 += shift;
    }
    if points.is_empty() {
        insert(points, step, y);
    }
}

fn insert(points: &mut Vec<(f64, f64)>, step: usize, y: f64) {
    let x = step as f64;
    let place = points.partition_point(|point| point.0 < x);
    points.insert(place, (x, y));
}

/// Straight lines between points; beyond the ends their values; 0 without any point.
fn interpolate(points: &[(f64, f64)], x: f64) -> f64 {
    match points {
        [] => 0.0,
        [first, ..] if x <= first.0 => first.1,
        [.., last] if x >= last.0 => last.1,
        _ => line(points, |point| *point, x),
    }
}

/// Straight lines between points with rising x, the outer ones prolonged.
fn line<T>(points: &[T], at: impl Fn(&T) -> (f64, f64), x: f64) -> f64 {
    let right = points.partition_point(|point| at(point).0 < x).clamp(1, points.len() - 1);
    let ((x0, y0), (x1, y1)) = (at(&points[right - 1]), at(&points[right]));
    if x1 > x0 { y0 + (y1 - y0) * (x - x0) / (x1 - x0) } else { y0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TYPICAL: [Knot; 3] = [
        Knot { step: 0.0, score: 20.0, bits_per_pixel: 0.2 },
        Knot { step: 60.0, score: 65.0, bits_per_pixel: 1.0 },
        Knot { step: 99.0, score: 92.0, bits_per_pixel: 4.0 },
    ];

    #[test]
    fn without_observations_it_is_the_typical_one() {
        let curve = Curve::new(&TYPICAL, 100, 8000);
        assert_eq!((curve.score_at(60), curve.bytes_at(60).round()), (65.0, 1000.0));
        assert_eq!((curve.step_for_score(65.0), curve.step_for_bytes(1000)), (Some(60), Some(60)));
        assert_eq!((curve.step_for_score(99.0), curve.step_for_bytes(1)), (None, None));
    }

    /// A draft of the whole picture corrects the sample everywhere, and stands alone where there is none.
    #[test]
    fn a_draft_counts_more_than_a_sample() {
        let mut curve = Curve::new(&TYPICAL, 100, 8000);
        curve.observe_sample(50, 1.5, Some(70.0));
        curve.observe_sample(70, 2.5, Some(80.0));
        let before = [50, 70].map(|step| curve.score_at(step));
        curve.observe_draft(60, 1200.0, Some(68.0));
        assert!((curve.score_at(60) - 68.0).abs() < 1e-9 && (curve.bytes_at(60) - 1200.0).abs() < 1e-6);
        assert!(curve.score_at(50) < before[0] && curve.score_at(70) < before[1]);
        let mut curve = Curve::new(&TYPICAL, 100, 8000);
        curve.observe_draft(60, 1200.0, Some(68.0));
        assert!((curve.score_at(60) - 68.0).abs() < 1e-9 && (curve.bytes_at(60) - 1200.0).abs() < 1e-6);
    }

    /// It passes through what was seen, the whole picture before its sample, and keeps the lead elsewhere.
    #[test]
    fn what_was_made_counts_more_than_what_was_sampled() {
        let mut curve = Curve::new(&TYPICAL, 100, 8000);
        curve.observe_sample(60, 2.0, Some(72.0));
        assert!((curve.score_at(60) - 72.0).abs() < 1e-9 && (curve.bytes_at(60) - 2000.0).abs() < 1e-6);
        let elsewhere = curve.score_at(80);
        curve.observe(60, 1500, Some(70.0));
        assert!((curve.score_at(60) - 70.0).abs() < 1e-9 && (curve.bytes_at(60) - 1500.0).abs() < 1e-6);
        assert!(curve.score_at(80) < elsewhere && curve.score_at(80) > 70.0);
        curve.observe(80, 3000, Some(75.0));
        assert!((curve.score_at(60) - 70.0).abs() < 1e-9 && (curve.score_at(80) - 75.0).abs() < 1e-9);
    }
}
