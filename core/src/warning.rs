//! What a caller should know although the call succeeded.

use crate::codec::Format;

/// What a warning is about; `as_str` is its stable name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum WarningCode {
    /// The input's colour profile is damaged or does not belong to its samples; they were taken for sRGB, as viewers do.
    ColorProfileIgnored,
    /// The colour profile was to be kept and cannot be; the samples were converted to sRGB.
    ColorProfileDropped,
    /// The format cannot hold what this image or these options need; it was not tried.
    FormatSkipped,
    /// The encoder failed; the other formats went on.
    EncodeFailed,
    /// Metadata could not be carried into this format.
    MetadataDropped,
    /// The original keeps its metadata: they cannot be taken out without touching the picture.
    MetadataKept,
    /// Nothing but the mark at the end of the input is missing: a GIF's trailer, a PNG's IEND. Its picture is whole.
    MissingEnd,
    /// No candidate satisfies this constraint.
    Infeasible,
}

impl WarningCode {
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ColorProfileIgnored => "color-profile-ignored",
            Self::ColorProfileDropped => "color-profile-dropped",
            Self::FormatSkipped => "format-skipped",
            Self::EncodeFailed => "encode-failed",
            Self::MetadataDropped => "metadata-dropped",
            Self::MetadataKept => "metadata-kept",
            Self::MissingEnd => "missing-end",
            Self::Infeasible => "infeasible",
        }
    }
}

/// One thing worth knowing: a stable code, the format that it concerns, if any, and a sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warning {
    pub code: WarningCode,
    pub format: Option<Format>,
    pub message: String,
}

impl Warning {
    pub(crate) fn new(code: WarningCode, message: impl Into<String>) -> Self {
        Self { code, format: None, message: message.into() }
    }

    pub(crate) fn of(code: WarningCode, format: Format, message: impl Into<String>) -> Self {
        Self { code, format: Some(format), message: message.into() }
    }
}
