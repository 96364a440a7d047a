//! What this build consists of. With the version of pixrace itself it decides every output byte.

/// Role and "library version" of every codec, in a fixed order. The versions are those of `Cargo.lock`.
pub const CODECS: [(&str, &str); 11] = [
    ("avif", AVIF),
    ("webp", concat!("libwebp by libwebp-sys ", env!("VERSION_LIBWEBP_SYS"))),
    ("jpeg", concat!("mozjpeg by mozjpeg-sys ", env!("VERSION_MOZJPEG_SYS"))),
    ("png", concat!("oxipng ", env!("VERSION_OXIPNG"))),
    ("palette", concat!("quantizr ", env!("VERSION_QUANTIZR"))),
    ("pngDecoder", concat!("png ", env!("VERSION_PNG"))),
    ("avifDecoder", AVIF_DECODER),
    ("color", concat!("moxcms ", env!("VERSION_MOXCMS"))),
    ("resize", concat!("fast_image_resize ", env!("VERSION_FAST_IMAGE_RESIZE"))),
    ("placeholder", concat!("thumbhash ", env!("VERSION_THUMBHASH"))),
    ("score", concat!("fast-ssim2 ", env!("VERSION_FAST_SSIM2"))),
];

#[cfg(feature = "aom")]
const AVIF: &str = concat!("libaom by libaom-sys ", env!("VERSION_LIBAOM_SYS"));
#[cfg(not(feature = "aom"))]
const AVIF: &str = concat!("rav1e ", env!("VERSION_RAV1E"));

/// Of input, and of files of our own.
#[cfg(feature = "aom")]
const AVIF_DECODER: &str =
    concat!("libaom by libaom-sys ", env!("VERSION_LIBAOM_SYS"), ", rav1d by re_rav1d ", env!("VERSION_RE_RAV1D"));
#[cfg(not(feature = "aom"))]
const AVIF_DECODER: &str = concat!("rav1d by re_rav1d ", env!("VERSION_RE_RAV1D"));

/// Version of pixrace.
pub const PIXRACE: &str = env!("CARGO_PKG_VERSION");

/// Instruction sets of this processor that the codecs choose at run time.
#[must_use]
pub fn simd() -> Vec<&'static str> {
    let mut found = Vec::new();
    #[cfg(target_arch = "x86_64")]
    {
        macro_rules! detect {
            ($($name:tt),*) => { $(if std::arch::is_x86_feature_detected!($name) { found.push($name); })* };
        }
        detect!("sse2", "ssse3", "sse4.1", "avx2", "avx512bw");
    }
    #[cfg(target_arch = "aarch64")]
    found.push("neon");
    found
}
