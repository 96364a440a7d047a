//! Times decoding, header included: milliseconds of each of a number of rounds, sorted.
//!
//! `cargo run --release --package pixrace --example decode -- picture.avif 15`

use std::time::Instant;

use pixrace::decode;
use pixrace::error::Error;
use pixrace::limits::Limits;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let data = std::fs::read(&arguments[0])?;
    let rounds: usize = arguments.get(1).map_or(Ok(15), |rounds| rounds.parse())?;
    let once = || -> Result<f64, Error> {
        let started = Instant::now();
        let header = decode::read_header(&data, &Limits::default())?;
        decode::decode(&header, &data, None)?;
        Ok(started.elapsed().as_secs_f64() * 1e3)
    };
    // In a pool, as every call.
    let mut times = rayon::join(|| (0..rounds).map(|_| once()).collect::<Result<Vec<_>, _>>(), || ()).0?;
    times.sort_by(f64::total_cmp);
    println!("{times:.1?}");
    Ok(())
}
