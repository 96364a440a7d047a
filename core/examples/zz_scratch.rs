use pixrace::{decode, limits::Limits, error::catch};
use std::time::Instant;
fn next(s: &mut u64) -> u64 { *s ^= *s << 13; *s ^= *s >> 7; *s ^= *s << 17; *s }
fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let n: u64 = args[1].parse().unwrap();
    let start: u64 = args[2].parse().unwrap();
    for f in &args[3..] {
        let data = std::fs::read(f).unwrap();
        if args[0] == "time" {
            let h = decode::read_header(&data, &Limits::default()).unwrap();
            let mut t: Vec<f64> = (0..n).map(|_| { let s = Instant::now(); let i = decode::decode(&h, &data).unwrap(); std::hint::black_box(i); s.elapsed().as_secs_f64()*1e3 }).collect();
            t.sort_by(f64::total_cmp);
            println!("{f} {}x{} {}bit min {:.1} median {:.1} ms", h.width, h.height, h.bit_depth, t[0], t[t.len()/2]);
            let s = std::fs::read_to_string("/proc/self/status").unwrap();
            println!("{}", s.lines().filter(|l| l.starts_with("VmHWM") || l.starts_with("Threads")).collect::<Vec<_>>().join(" "));
            continue;
        }
        let limits = Limits { max_pixels: 1 << 20, ..Limits::default() };
        let mut counts = std::collections::BTreeMap::new();
        for seed in start..start+n {
            let mut s = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
            for _ in 0..5 { next(&mut s); }
            let mut d = data.clone();
            let reach = match seed % 4 { 0 => d.len(), 1 => d.len().min(600), _ => { 0 } };
            let mdat = d.windows(4).position(|w| w == b"mdat").unwrap() + 4;
            for _ in 0..1 + next(&mut s) % 8 {
                let at = if reach > 0 { next(&mut s) as usize % reach } else if seed % 4 == 2 { mdat + next(&mut s) as usize % (d.len()-mdat).min(60) } else { mdat + next(&mut s) as usize % (d.len()-mdat) };
                d[at] = next(&mut s) as u8;
            }
            std::fs::write("/tmp/pr/avifdec/last.avif", &d).unwrap();
            let r = catch(|| { let h = decode::read_header(&d, &limits)?; decode::decode(&h, &d) });
            let key = match r { Ok(_) => "ok".to_owned(), Err(e) => { let e = e.to_string(); if e.starts_with("Internal") { println!("{f} {seed} {e}"); } e } };
            *counts.entry(key).or_insert(0) += 1;
        }
        println!("{f}"); for (k, v) in counts { println!("  {v:6} {k}"); }
    }
}
