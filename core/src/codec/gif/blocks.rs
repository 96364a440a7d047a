//! The blocks of a GIF (GIF89a; Netscape's extension), read where they lie: nothing is unpacked or kept, whatever they claim.
//! What does not fit together is read as Chromium's decoder (Wuffs) does.

use std::ops::Range;

/// A rectangle on the canvas, in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Area {
    pub left: u32,
    pub top: u32,
    pub width: u32,
    pub height: u32,
}

/// What happens to a frame before the next one is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Disposal {
    #[default]
    Keep,
    /// Its area becomes transparent.
    Clear,
    /// The canvas becomes what it was before.
    Restore,
}

impl Disposal {
    /// 4 is what old writers mean by 3; 5 to 7 mean nothing.
    fn of(method: u8) -> Self {
        match method {
            2 => Self::Clear,
            3 | 4 => Self::Restore,
            _ => Self::Keep,
        }
    }
}

/// What is said in front of a frame.
#[derive(Debug, Clone, Copy, Default)]
struct Control {
    disposal: Disposal,
    delay: u16,
    transparent: Option<u8>,
}

/// One picture of the file, packed.
#[derive(Debug, Clone)]
pub struct Frame<'a> {
    pub area: Area,
    pub interlaced: bool,
    /// Red, green and blue of each colour: its own table, else the shared one, else nothing.
    pub colors: &'a [u8],
    pub transparent: Option<u8>,
    pub disposal: Disposal,
    /// In hundredths of a second.
    pub delay: u16,
    /// Bits of a pixel in the LZW codes.
    pub code_size: u8,
    /// The LZW codes, in sub-blocks.
    pub codes: &'a [u8],
}

impl Frame<'_> {
    /// Whether its codes can be all of its pixels: none stands for more than the table has entries, and those that stand for so
    /// many take 12 bits (GIF89a, appendix F). Else no canvas has to be made to find out.
    pub fn can_be_whole(&self) -> bool {
        const MOST_PIXELS_OF_A_BYTE: u64 = 4096 * 8 / 12 + 1;
        let pixels = u64::from(self.area.width) * u64::from(self.area.height);
        pixels <= MOST_PIXELS_OF_A_BYTE * self.codes.len() as u64
    }
}

#[derive(Debug)]
pub enum Block<'a> {
    Frame(Frame<'a>),
    /// How often to repeat the animation, 0 for ever.
    Repeat(u16),
    Xmp(&'a [u8]),
    /// What a frame needs, or may need to some viewer.
    Shown,
    /// A comment, what an application has to say, or an extension that nobody knows.
    Other,
    Trailer,
    /// It does not end within the file, or is none.
    Broken {
        unfinished: bool,
    },
}

/// A GIF up to its first block.
#[derive(Debug, Clone, Copy)]
pub struct Gif<'a> {
    data: &'a [u8],
    colors: &'a [u8],
    /// Size of the logical screen in pixels.
    pub screen: (u32, u32),
    /// Where the blocks begin.
    pub start: usize,
}

/// Signature and logical screen.
const HEAD: usize = 13;

impl<'a> Gif<'a> {
    /// `None` if the file ends before its first block.
    pub fn open(data: &'a [u8]) -> Option<Self> {
        let head: &[u8; HEAD] = data.first_chunk()?;
        let word = |at: usize| u32::from(u16::from_le_bytes([head[at], head[at + 1]]));
        let start = HEAD + table_length(head[10]);
        Some(Self { data, colors: data.get(HEAD..start)?, screen: (word(6), word(8)), start })
    }

    /// Every block and where it lies, up to the trailer or to where the file breaks off.
    pub fn blocks(&self) -> impl Iterator<Item = (Range<usize>, Block<'a>)> + use<'a> {
        let Self { data, colors, mut start, .. } = *self;
        let mut control = Control::default();
        std::iter::from_fn(move || {
            let kind = *data.get(start)?;
            let blocks = match kind {
                0x21 => Some(start + 2),
                0x2C => data.get(start + 9).map(|&flags| start + 11 + table_length(flags)),
                _ => None,
            };
            let end = blocks.and_then(|blocks| after_blocks(data, blocks));
            let body = &data[start + 1..end.unwrap_or(data.len())];
            let block = match kind {
                0x21 if end.is_some() => extension(body, &mut control),
                // Of one that breaks off the decoder says what is missing.
                0x2C => frame(body, colors, std::mem::take(&mut control)),
                0x3B => Some(Block::Trailer),
                _ => None,
            };
            let block = block.unwrap_or(Block::Broken { unfinished: matches!(kind, 0x21 | 0x2C) });
            let range = start..end.unwrap_or(if kind == 0x3B { start + 1 } else { data.len() });
            // Nothing follows these.
            start = if matches!(block, Block::Trailer | Block::Broken { .. }) { data.len() } else { range.end };
            Some((range, block))
        })
    }
}

/// Bytes of the colour table that these flags announce.
fn table_length(flags: u8) -> usize {
    if flags & 0x80 == 0 { 0 } else { 3 << (1 + usize::from(flags & 7)) }
}

/// From the label on. `None` if it is malformed.
fn extension<'a>(body: &'a [u8], control: &mut Control) -> Option<Block<'a>> {
    const LOOPING: [&[u8; 11]; 2] = [b"NETSCAPE2.0", b"ANIMEXTS1.0"];
    match body {
        // The last one in front of a frame holds, whatever lies between.
        &[0xF9, 4, flags, low, high, index, 0] => {
            let transparent = (flags & 1 != 0).then_some(index);
            let disposal = Disposal::of(flags >> 2 & 7);
            *control = Control { disposal, delay: u16::from_le_bytes([low, high]), transparent };
            Some(Block::Shown)
        }
        [0xF9, ..] => None,
        [0x01, ..] => Some(Block::Shown),
        [0xFF, 11, rest @ ..] => Some(match rest.split_first_chunk::<11>() {
            // A 1 and the number.
            Some((name, &[3, 1, low, high, ..])) if LOOPING.contains(&name) => {
                Block::Repeat(u16::from_le_bytes([low, high]))
            }
            Some((b"XMP DataXMP", packet)) => Block::Xmp(without_ramp(packet)),
            _ => Block::Other,
        }),
        _ => Some(Block::Other),
    }
}

/// An XMP packet lies there as it is, not in sub-blocks: 257 bytes behind it, which fall to 0, lead those to the end who take
/// its characters for lengths (XMP specification, part 3, 1.1.2).
fn without_ramp(packet: &[u8]) -> &[u8] {
    const RAMP: usize = 258;
    let packet = match packet.len().checked_sub(RAMP) {
        Some(length) if packet[length..].starts_with(&[1, 0xFF]) => &packet[..length],
        _ => packet,
    };
    packet.strip_suffix(&[0]).unwrap_or(packet)
}

/// From the position on.
fn frame<'a>(body: &'a [u8], shared: &'a [u8], control: Control) -> Option<Block<'a>> {
    let (head, rest) = body.split_first_chunk::<9>()?;
    let word = |at: usize| u32::from(u16::from_le_bytes([head[at], head[at + 1]]));
    let (own, rest) = rest.split_at_checked(table_length(head[8]))?;
    let (&code_size, codes) = rest.split_first()?;
    let Control { disposal, delay, transparent } = control;
    Some(Block::Frame(Frame {
        area: Area { left: word(0), top: word(2), width: word(4), height: word(6) },
        interlaced: head[8] & 0x40 != 0,
        colors: if own.is_empty() { shared } else { own },
        transparent,
        disposal,
        delay,
        code_size,
        codes,
    }))
}

/// Where a row of sub-blocks, each with its length in front, ends behind the empty one.
fn after_blocks(data: &[u8], mut position: usize) -> Option<usize> {
    loop {
        match *data.get(position)? {
            0 => return Some(position + 1),
            length => position += 1 + usize::from(length),
        }
    }
}

/// The sub-blocks of such a row.
pub fn sub_blocks(mut row: &[u8]) -> impl Iterator<Item = &[u8]> {
    std::iter::from_fn(move || {
        let (&length, rest) = row.split_first()?;
        let (block, rest) = rest.split_at_checked(usize::from(length))?;
        row = rest;
        (length > 0).then_some(block)
    })
}
