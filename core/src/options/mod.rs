//! What a caller asks for, validated once into a type that cannot be wrong afterwards. Every default is here.

mod parse;

use crate::codec::{Effort, Format, Header};
use crate::limits::Limits;
use crate::placeholder::Placeholder;
use crate::resize::{Geometry, Resize};
use crate::search::Goal;

pub use self::parse::NAMES;

/// SSIMULACRA2 that a file must reach when nothing else is asked for: "high quality" on the metric's own scale.
pub const DEFAULT_MIN_SCORE: f64 = 70.0;

/// Quality of a format for which none is given beside others. On photographs it gives AVIF, WebP and JPEG mean SSIMULACRA2
/// scores within four points of each other, 73 to 77. Measured by `npm run bench -- quality`.
pub const DEFAULT_QUALITY: u8 = 80;

/// Everything that one call is asked to do. Only [`Options::parse`] and `default` make one, so every field is in range.
#[derive(Debug, Clone, PartialEq)]
pub struct Options {
    formats: Vec<Format>,
    look: Look,
    max_bytes: Option<u64>,
    effort: Effort,
    strategy: Strategy,
    concurrency: Option<usize>,
    keep_original: bool,
    resize: Option<Resize>,
    flatten: Option<[u8; 3]>,
    keep_metadata: bool,
    keep_profile: bool,
    placeholder: Option<Placeholder>,
    limits: Limits,
}

/// What the candidates are to look like.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Look {
    /// Each format is searched: for the smallest file of at least this score, or without one for the best look within
    /// `max_bytes`. `on_trust`: see [`Goal`].
    Searched { min_score: Option<f64>, on_trust: bool },
    /// Each format is encoded once.
    Fixed(Qualities),
    /// Every pixel is kept.
    Identical,
}

/// One quality per lossy format, 1 to 100.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Qualities {
    avif: u8,
    webp: u8,
    jpeg: u8,
}

impl Qualities {
    /// PNG has none and answers with the highest.
    #[must_use]
    pub fn of(&self, format: Format) -> u8 {
        match format {
            Format::Avif => self.avif,
            Format::Webp => self.webp,
            Format::Jpeg => self.jpeg,
            Format::Png => 100,
        }
    }
}

/// What becomes of candidates that cannot win.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Strategy {
    /// They are abandoned.
    #[default]
    Race,
    /// Every format is finished.
    All,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            formats: Format::ALL.to_vec(),
            look: Look::Searched { min_score: Some(DEFAULT_MIN_SCORE), on_trust: false },
            max_bytes: None,
            effort: Effort::default(),
            strategy: Strategy::default(),
            concurrency: None,
            keep_original: true,
            resize: None,
            flatten: None,
            keep_metadata: false,
            keep_profile: false,
            placeholder: None,
            limits: Limits::default(),
        }
    }
}

impl Options {
    /// Formats to try, in order of preference; not empty, none twice. Default: all four.
    #[must_use]
    pub fn formats(&self) -> &[Format] {
        &self.formats
    }

    /// Default: searched, with [`DEFAULT_MIN_SCORE`].
    #[must_use]
    pub fn look(&self) -> Look {
        self.look
    }

    /// What a file must satisfy.
    #[must_use]
    pub fn goal(&self) -> Goal {
        let goal = Goal { max_bytes: self.max_bytes, ..Goal::default() };
        match self.look {
            Look::Searched { min_score, on_trust } => {
                Goal { min_score, best_look: min_score.is_none(), on_trust, ..goal }
            }
            Look::Fixed(_) | Look::Identical => goal,
        }
    }

    /// No candidate above this passes. Default: none.
    #[must_use]
    pub fn max_bytes(&self) -> Option<u64> {
        self.max_bytes
    }

    /// Whether only pixel-identical candidates count. Default: false.
    #[must_use]
    pub fn lossless(&self) -> bool {
        self.look == Look::Identical
    }

    /// Whether photographs may be tried in few colours as PNG, whatever else is open ([`crate::candidate`]). Where another
    /// requested format turns out not to be, its share of the memory is free.
    #[must_use]
    pub fn may_try_palettes(&self) -> bool {
        let alone = self.formats() == [Format::Png];
        let wanted = alone || (self.strategy == Strategy::All && self.formats().contains(&Format::Png));
        wanted && matches!(self.look(), Look::Searched { .. })
    }

    /// Default: race.
    #[must_use]
    pub fn strategy(&self) -> Strategy {
        self.strategy
    }

    #[must_use]
    pub fn effort(&self) -> Effort {
        self.effort
    }

    /// Threads that the call may use, codec-internal ones included. Default: the whole pool.
    #[must_use]
    pub fn concurrency(&self) -> Option<usize> {
        self.concurrency
    }

    /// Whether the input itself is a candidate, where it has the size that is asked for. Default: true.
    #[must_use]
    pub fn keep_original(&self) -> bool {
        self.keep_original
    }

    /// The size that is asked for. Default: the picture's.
    #[must_use]
    pub fn resize(&self) -> Option<Resize> {
        self.resize
    }

    /// What has to be done to the picture of `header` to have that size, if anything.
    #[must_use]
    pub fn geometry(&self, header: &Header) -> Option<Geometry> {
        self.resize.and_then(|resize| resize.geometry(header.shown_size()))
    }

    /// Whether both ask for the same but for the size.
    #[must_use]
    pub fn differs_in_size_only(&self, other: &Self) -> bool {
        Self { resize: None, ..self.clone() } == Self { resize: None, ..other.clone() }
    }

    /// Background for formats without alpha. Default: none; those formats are skipped if alpha is in use.
    #[must_use]
    pub fn flatten(&self) -> Option<[u8; 3]> {
        self.flatten
    }

    /// Whether EXIF and XMP are carried over. Default: false.
    #[must_use]
    pub fn keep_metadata(&self) -> bool {
        self.keep_metadata
    }

    /// Whether samples and colour profile stay as they are, instead of becoming sRGB. Default: only if `lossless`.
    #[must_use]
    pub fn keep_profile(&self) -> bool {
        self.keep_profile
    }

    /// What stands for the picture until it is there. Default: none.
    #[must_use]
    pub fn placeholder(&self) -> Option<Placeholder> {
        self.placeholder
    }

    #[must_use]
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    #[must_use]
    pub fn with_limits(self, limits: Limits) -> Self {
        Self { limits, ..self }
    }

    #[must_use]
    pub fn with_concurrency(self, concurrency: Option<usize>) -> Self {
        Self { concurrency, ..self }
    }
}
