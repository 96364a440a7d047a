//! What a JPEG holds beside its picture: a gain map, with which it has a high dynamic range, or previews.

use super::jpeg;

/// What is lost when only the first picture of a JPEG is decoded, as the subject of a sentence.
pub(crate) fn lost_with(data: &[u8]) -> Option<&'static str> {
    const GAIN_MAP: &str = "The gain map, which gives it a high dynamic range,";
    /// The description of several pictures in one file (CIPA DC-007, 5.2).
    const MULTI_PICTURE: &[u8] = b"MPF\0";
    let (mut several, mut end) = (false, 0);
    for (marker, content) in jpeg::segments(data) {
        let body = jpeg::body(data, content);
        if matches!(marker, 0xE1 | 0xE2) && tells_of_gain_map(body) {
            return Some(GAIN_MAP);
        }
        several |= marker == 0xE2 && body.starts_with(MULTI_PICTURE);
        end = content + body.len();
    }
    // Apple's programs describe the map in its own picture only.
    let behind = data.get(end..).unwrap_or_default();
    match several {
        true if tells_of_gain_map(behind) => Some(GAIN_MAP),
        true => Some("The further pictures (previews, or a gain map)"),
        false => None,
    }
}

/// By ISO 21496-1 (annex C), by Adobe's gain map specification 1.0, or as Apple does.
fn tells_of_gain_map(bytes: &[u8]) -> bool {
    const NAMES: [&[u8]; 3] =
        [b"urn:iso:std:iso:ts:21496:-1", b"http://ns.adobe.com/hdr-gain-map/", b"http://ns.apple.com/HDRGainMap/"];
    NAMES.iter().any(|name| bytes.windows(name.len()).any(|window| window == *name))
}
