use std::f64::consts::PI;
use std::sync::Arc;

use super::*;
use crate::image::Pixels;

/// Noise, the same every time; sample by sample. It keeps a distance from both ends, because 16 bits are filtered in the
/// other order, and cutting what overshoots in between would make a difference.
fn noise(count: usize) -> impl Iterator<Item = u16> {
    let mut seed = 12_345_u32;
    (0..count).map(move |_| {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        16_000 + (seed >> 17) as u16
    })
}

/// A noisy picture in each of the six sample layouts, with its number of channels and its largest sample.
fn noisy(width: u32, height: u32) -> [(ImageBuffer, usize, f64); 6] {
    let pixels = (width * height) as usize;
    let eight = |channels: usize| Arc::new(noise(pixels * channels).map(|sample| (sample >> 8) as u8).collect());
    let sixteen = |channels: usize| Arc::new(noise(pixels * channels).collect());
    [
        (Pixels::Gray8(eight(1)), 1),
        (Pixels::Rgb8(eight(3)), 3),
        (Pixels::Rgba8(eight(4)), 4),
        (Pixels::Gray16(sixteen(1)), 1),
        (Pixels::Rgb16(sixteen(3)), 3),
        (Pixels::Rgba16(sixteen(4)), 4),
    ]
    .map(|(pixels, channels)| {
        let image = ImageBuffer::from_pixels(width, height, pixels);
        let most = if image.bit_depth() == 8 { 255.0 } else { 65_535.0 };
        (image, channels, most)
    })
}

fn samples(image: &ImageBuffer) -> Vec<f64> {
    match image.pixels() {
        Pixels::Gray8(samples) | Pixels::Rgb8(samples) | Pixels::Rgba8(samples) => {
            samples.iter().map(|&sample| f64::from(sample)).collect()
        }
        Pixels::Gray16(samples) | Pixels::Rgb16(samples) | Pixels::Rgba16(samples) => {
            samples.iter().map(|&sample| f64::from(sample)).collect()
        }
    }
}

fn span(start: f64, length: f64, to: u64) -> Span {
    Span { start, length, to }
}

fn geometry(across: Span, down: Span) -> Geometry {
    Geometry { across, down, size: (across.to, down.to) }
}

/// Weights of the pixels of an axis for one pixel of the result, by the definition of the filter.
fn weights(span: Span, side: usize, at: u64) -> Vec<f64> {
    let scale = span.length / span.to as f64;
    let center = span.start + (at as f64 + 0.5) * scale;
    let sinc = |x: f64| if x == 0.0 { 1.0 } else { (PI * x).sin() / (PI * x) };
    let filter = |x: f64| match x.abs() {
        x if span.shrinks() && x < 3.0 => sinc(x) * sinc(x / 3.0),
        _ if span.shrinks() => 0.0,
        x if x < 1.0 => 1.5 * x.powi(3) - 2.5 * x.powi(2) + 1.0,
        x if x < 2.0 => -0.5 * x.powi(3) + 2.5 * x.powi(2) - 4.0 * x + 2.0,
        _ => 0.0,
    };
    let raw: Vec<_> = (0..side).map(|x| filter((x as f64 + 0.5 - center) / scale.max(1.0))).collect();
    let sum: f64 = raw.iter().sum();
    raw.into_iter().map(|weight| weight / sum).collect()
}

/// Colour weighted by alpha, which is what one sees of it.
fn weighted(mut samples: Vec<f64>, channels: usize, most: f64) -> Vec<f64> {
    if channels == 4 {
        samples.chunks_exact_mut(4).for_each(|pixel| (0..3).for_each(|c| pixel[c] *= pixel[3] / most));
    }
    samples
}

/// One axis in floating point, straight from the definition, cut to what samples can hold.
fn filtered(from: &[f64], width: usize, channels: usize, most: f64, span: Span, axis: Axis) -> Vec<f64> {
    let height = from.len() / width / channels;
    let at = |x: usize, y: usize, c: usize| from[(y * width + x) * channels + c];
    let side = if axis == Axis::Across { width } else { height };
    let weights: Vec<_> = (0..span.to).map(|to| weights(span, side, to)).collect();
    let sum = |weights: &[f64], sample: &dyn Fn(usize) -> f64| -> f64 {
        weights.iter().enumerate().map(|(i, weight)| weight * sample(i)).sum::<f64>().clamp(0.0, most)
    };
    let mut result = Vec::new();
    let (columns, rows) = if axis == Axis::Across { (weights.len(), height) } else { (width, weights.len()) };
    for (y, x) in (0..rows).flat_map(|y| (0..columns).map(move |x| (y, x))) {
        result.extend((0..channels).map(|c| match axis {
            Axis::Across => sum(&weights[x], &|i| at(i, y, c)),
            Axis::Down => sum(&weights[y], &|i| at(x, i, c)),
        }));
    }
    result
}

/// The result by the definition, as [`weighted`].
fn expected(image: &ImageBuffer, channels: usize, most: f64, geometry: &Geometry) -> Vec<f64> {
    let width = image.width() as usize;
    let from = weighted(samples(image), channels, most);
    let Geometry { across, down, .. } = *geometry;
    let mut result = if across.shrinks() && !down.shrinks() {
        let between = filtered(&from, width, channels, most, across, Axis::Across);
        filtered(&between, across.to as usize, channels, most, down, Axis::Down)
    } else {
        let between = filtered(&from, width, channels, most, down, Axis::Down);
        filtered(&between, width, channels, most, across, Axis::Across)
    };
    // No colour can be stronger than its alpha.
    if channels == 4 {
        result.chunks_exact_mut(4).for_each(|pixel| (0..3).for_each(|c| pixel[c] = pixel[c].min(pixel[3])));
    }
    result
}

/// Every layout, both filters, cut or not.
#[test]
fn agrees_with_the_definition() {
    for (across, down) in [
        (span(0.0, 37.0, 20), span(0.0, 29.0, 16)),
        (span(0.0, 37.0, 3), span(0.0, 29.0, 2)),
        (span(0.0, 37.0, 80), span(0.0, 29.0, 63)),
        (span(0.0, 37.0, 11), span(0.0, 29.0, 50)),
        (span(0.0, 37.0, 50), span(0.0, 29.0, 11)),
        (span(0.0, 37.0, 37), span(0.0, 29.0, 10)),
        (span(10.5, 16.0, 8), span(0.0, 29.0, 14)),
        (span(0.0, 37.0, 19), span(7.25, 14.5, 7)),
        (span(12.0, 20.0, 40), span(4.5, 20.0, 40)),
    ] {
        let geometry = geometry(across, down);
        for (image, channels, most) in noisy(37, 29) {
            let wanted = expected(&image, channels, most, &geometry);
            let found = weighted(samples(&resample(image, &geometry, None).unwrap()), channels, most);
            assert_eq!(found.len(), wanted.len());
            let worst = found.iter().zip(&wanted).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
            // Each pass rounds once, and with alpha so do weighing and its reversal.
            let tolerance = if channels == 4 && most > 255.0 { 3.0 } else { 1.5 };
            assert!(worst <= tolerance, "{geometry:?}, {channels} channels of {most}: {worst}");
        }
    }
}

/// A sum of weights that is not 1 would show here: one colour stays that colour, however far it is scaled.
#[test]
fn one_colour_stays() {
    for (width, height, to) in
        [(60_000, 1, (1, 1)), (1, 60_000, (1, 7)), (3, 5, (1, 1)), (3, 5, (600, 90)), (500, 400, (7, 390))]
    {
        let geometry = geometry(span(0.0, f64::from(width), to.0), span(0.0, f64::from(height), to.1));
        let count = width as usize * height as usize;
        let all = |pixel: &[u8]| Arc::new(pixel.repeat(count));
        let wide = |pixel: &[u16]| Arc::new(pixel.repeat(count));
        for pixels in [
            Pixels::Gray8(all(&[255])),
            Pixels::Gray8(all(&[1])),
            Pixels::Rgb8(all(&[255, 130, 1])),
            Pixels::Rgba8(all(&[255, 128, 0, 254])),
            Pixels::Gray16(wide(&[65_534])),
            Pixels::Rgb16(wide(&[65_535, 32_000, 1])),
            Pixels::Rgba16(wide(&[65_535, 32_768, 0, 65_534])),
        ] {
            let image = ImageBuffer::from_pixels(width, height, pixels);
            let (before, after) = (samples(&image), samples(&resample(image, &geometry, None).unwrap()));
            let channels = before.len() / count;
            assert_eq!(after.len() as u64, to.0 * to.1 * channels as u64);
            let first = &before[..channels];
            assert!(after.chunks_exact(channels).all(|pixel| pixel == first), "{first:?}: {:?}", &after[..channels]);
        }
    }
}

/// Beside what is transparent, and black as far as its samples say, red stays red.
#[test]
fn what_is_invisible_does_not_darken_an_edge() {
    let red_beside_nothing = |y: u32, x: u32| if (x + y / 3) % 40 < 20 { [255, 0, 0, 255] } else { [0, 0, 0, 0] };
    let pixels = (0..120).flat_map(|y| (0..120).flat_map(move |x| red_beside_nothing(y, x))).collect();
    let image = ImageBuffer::from_pixels(120, 120, Pixels::Rgba8(Arc::new(pixels)));
    for to in [37, 250] {
        let result = resample(image.clone(), &geometry(span(0.0, 120.0, to), span(0.0, 120.0, to)), None).unwrap();
        let Pixels::Rgba8(samples) = result.pixels() else { panic!("alpha stays") };
        let (pixels, _) = samples.as_chunks::<4>();
        assert!(pixels.iter().any(|pixel| pixel[3] > 0 && pixel[3] < 255), "soft edges");
        for pixel in pixels {
            assert!(pixel[3] == 0 || (pixel[0] > 250 && pixel[1] == 0 && pixel[2] == 0), "{pixel:?}");
        }
    }
}

/// What is only cut out or padded keeps every sample, colours of low alpha included.
#[test]
fn what_is_not_scaled_stays_as_it_is() {
    for (image, channels, _) in noisy(20, 10) {
        let from = samples(&image);
        let cut = resample(image.clone(), &geometry(span(5.0, 8.0, 8), span(0.0, 10.0, 10)), None).unwrap();
        let wanted: Vec<_> =
            from.chunks_exact(20 * channels).flat_map(|row| &row[5 * channels..13 * channels]).collect();
        assert!(samples(&cut).iter().eq(wanted));
        let padded = Geometry { across: span(0.0, 20.0, 20), down: span(0.0, 10.0, 10), size: (20, 15) };
        let padded = samples(&resample(image, &padded, Some([1, 2, 3])).unwrap());
        let channels = channels.max(3);
        let inside = &padded[20 * channels * 2..20 * channels * 12];
        if channels == from.len() / 200 {
            assert_eq!(inside, from);
        }
    }
}

#[test]
fn padding_has_the_colour_of_flatten_or_none() {
    let image = ImageBuffer::from_pixels(2, 1, Pixels::Gray8(Arc::new(vec![9, 10])));
    let geometry = Geometry { across: span(0.0, 2.0, 2), down: span(0.0, 1.0, 1), size: (4, 3) };
    let Pixels::Rgb8(red) = resample(image.clone(), &geometry, Some([255, 0, 0])).unwrap().pixels().clone() else {
        panic!("opaque colour")
    };
    let (r, row) = ([255, 0, 0], [[255, 0, 0], [9, 9, 9], [10, 10, 10], [255, 0, 0]].concat());
    assert_eq!(*red, [r.repeat(4), row, r.repeat(4)].concat());
    let Pixels::Rgba8(clear) = resample(image.clone(), &geometry, None).unwrap().pixels().clone() else {
        panic!("transparent")
    };
    assert!(clear[..4 * 4].iter().all(|&sample| sample == 0));
    assert_eq!(clear[4 * 4..4 * 8], [[0; 4], [9, 9, 9, 255], [10, 10, 10, 255], [0; 4]].concat());
    // The canonical form: grey on grey stays grey.
    assert!(matches!(resample(image, &geometry, Some([7; 3])).unwrap().pixels(), Pixels::Gray8(_)));
    // Sixteen bits stay sixteen.
    let deep = ImageBuffer::from_pixels(1, 1, Pixels::Gray16(Arc::new(vec![300])));
    let geometry = Geometry { across: span(0.0, 1.0, 1), down: span(0.0, 1.0, 1), size: (2, 1) };
    let padded = resample(deep, &geometry, Some([0, 255, 0])).unwrap();
    assert_eq!(padded.pixels(), &Pixels::Rgb16(Arc::new(vec![300, 300, 300, 0, 65_535, 0])));
}

/// Large enough that eight threads share the work.
#[test]
fn no_byte_depends_on_the_number_of_threads() {
    let geometries = [
        geometry(span(0.0, 1501.0, 700), span(0.0, 1400.0, 653)),
        geometry(span(0.0, 1501.0, 1900), span(0.0, 1400.0, 1772)),
        geometry(span(250.5, 1000.0, 333), span(0.0, 1400.0, 466)),
        geometry(span(0.0, 1501.0, 300), span(0.0, 1400.0, 2000)),
    ];
    for (image, ..) in noisy(1501, 1400) {
        let run = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| geometries.map(|geometry| resample(image.clone(), &geometry, None).unwrap()))
        };
        let alone = run(1);
        for threads in [2, 3, 8] {
            assert!(run(threads) == alone, "{threads} threads");
        }
    }
}

/// Wide and flat becomes narrow and tall without anything of both long sides in between.
#[test]
fn a_line_can_be_turned() {
    let image = ImageBuffer::from_pixels(60_000, 1, Pixels::Gray8(Arc::new(vec![7; 60_000])));
    let result = resample(image, &geometry(span(0.0, 60_000.0, 1), span(0.0, 1.0, 60_000)), None).unwrap();
    assert_eq!(result.pixels(), &Pixels::Gray8(Arc::new(vec![7; 60_000])));
}
