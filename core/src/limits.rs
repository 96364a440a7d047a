//! Every bound of the engine, each with its reason. User-settable ones are defaults here and fields of [`Limits`].

use std::time::Duration;

/// Largest input file in bytes: room for a 100-megapixel PNG photo, too small to exhaust a server by uploads alone.
pub const DEFAULT_MAX_INPUT_BYTES: u64 = 128 * 1024 * 1024;

/// Most pixels of one image: above today's largest phone and medium-format photos, below memory exhaustion by a bomb.
pub const DEFAULT_MAX_PIXELS: u64 = 100_000_000;

/// Longest side of an input: what a JPEG header can express.
pub const MAX_SIDE: u32 = 65_535;

/// Longest side of an AVIF: the 16-bit frame size fields of an AV1 sequence header.
pub const AVIF_MAX_SIDE: u32 = 65_536;

/// Longest side of a WebP: the 14-bit size fields of VP8 and VP8L.
pub const WEBP_MAX_SIDE: u32 = 16_383;

/// Longest side of a JPEG: `JPEG_MAX_DIMENSION` of libjpeg, a little less than the format's own 65,535.
pub const JPEG_MAX_SIDE: u32 = 65_500;

/// Most variants of one call: a `srcset` has up to about ten widths, times two formats or looks.
pub const MAX_VARIANTS: usize = 32;

/// Most calls that may wait: each holds a copy of its input, so an endless queue would be an endless leak.
pub const MAX_QUEUED_CALLS: usize = 65_536;

/// Most calls that run at once, whatever the pool. A rayon worker that waits for part of one call may start another on the
/// same stack, so the depth of that stack is bounded by this number; sixteen calls of four formats keep 64 cores busy.
pub const MAX_RUNNING_CALLS: usize = 16;

/// Stack of a pool thread: room for [`MAX_RUNNING_CALLS`] nested calls of 1 MiB each. One call needs less than 256 KiB
/// (measured by encoding with ever smaller stacks; AVIF needs the most). Only pages that are touched cost memory.
pub const POOL_STACK_BYTES: usize = 16 * 1024 * 1024;

/// Most threads of the pool, whatever the machine or `PIXRACE_THREADS` says.
pub const MAX_POOL_THREADS: usize = 256;

/// Share of the machine's (or the container's) memory that admitted calls may need together: the other half is left to
/// the JavaScript heap, the file cache and the caller's own buffers.
pub const MEMORY_SHARE: f64 = 0.5;

/// The same where the system does not tell how much memory it has.
pub const MEMORY_IF_UNKNOWN: u64 = 1024 * 1024 * 1024;

/// Memory that one call needs beyond its pixels: codec tables, thread-local scratch space, small buffers.
pub const CALL_OVERHEAD_BYTES: u64 = 4 * 1024 * 1024;

/// Most pages that are counted in an animation; a file with more reports this number.
pub const MAX_PAGES: u32 = 100_000;

/// Most frames of an animation that is encoded anew: a minute at 30 per second. A call works through all of them up to
/// eight times for each way of encoding.
pub const DEFAULT_MAX_FRAMES: u32 = 2000;

/// Most pixels of all frames of an animation together: [`DEFAULT_MAX_FRAMES`] in full HD. Without it a few bytes per frame
/// of a huge canvas would keep every thread busy for hours.
pub const MAX_ANIMATION_PIXELS: u64 = DEFAULT_MAX_FRAMES as u64 * 1920 * 1080;

/// Largest EXIF or XMP block that is carried along: what one JPEG segment can hold after its signature.
pub const MAX_METADATA_BYTES: usize = 65_500;

/// Most memory that the text and profile chunks of one PNG may unpack to: profiles of printers reach 4 MiB.
pub const MAX_PNG_CHUNK_BYTES: u64 = 64 * 1024 * 1024;

/// Largest ICC profile: those of printers reach 4 MiB, and `moxcms` reads none of more than 10 MiB.
pub const MAX_PROFILE_BYTES: u64 = 8 * 1024 * 1024;

/// Most scans of a progressive JPEG: encoders write about ten, and each costs a pass over the whole picture.
pub const MAX_JPEG_SCANS: usize = 100;

/// Most entries of each item table of an AVIF: a picture with alpha and metadata needs about ten.
pub const MAX_AVIF_ENTRIES: usize = 1000;

/// Most frames coded in one picture of an AVIF: a plain one has one, a layered one up to four. Each costs as much as a
/// whole picture, however few its bytes.
pub const MAX_AVIF_FRAMES: usize = 4;

/// Most pixels of all tiles of an AVIF's grid together, as a multiple of the picture's: tiles may reach beyond its edge, by
/// less than one in each direction.
pub const GRID_SURPLUS: u64 = 4;

/// Pixels of a tile that may be larger than the whole picture: encoders cut tiles of 512 × 512 at most out of small ones.
pub const SMALL_TILE_PIXELS: u64 = 512 * 512;

/// Most bytes that the tiles of a grid may have together beyond those of the file: tiles that look the same may be the same.
pub const REPEATED_TILE_BYTES: usize = 16 * 1024 * 1024;

/// Longest timeout: one day, far beyond any encode, far below the overflow of a clock.
pub const MAX_TIMEOUT: Duration = Duration::from_secs(24 * 60 * 60);

/// Bounds of one call against hostile input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Most pixels (width × height) of the input. Default: [`DEFAULT_MAX_PIXELS`].
    pub max_pixels: u64,
    /// Largest input in bytes. Default: [`DEFAULT_MAX_INPUT_BYTES`].
    pub max_input_bytes: u64,
    /// Most frames of an animation that is to be encoded. Default: [`DEFAULT_MAX_FRAMES`].
    pub max_frames: u32,
    /// Longest time from the call to its answer, queueing included. Default: none.
    pub timeout: Option<Duration>,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_pixels: DEFAULT_MAX_PIXELS,
            max_input_bytes: DEFAULT_MAX_INPUT_BYTES,
            max_frames: DEFAULT_MAX_FRAMES,
            timeout: None,
        }
    }
}
