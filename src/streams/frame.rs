//! SPDY/3.1 frames as bytes and back (SPDY protocol draft 3.1, section 2.6), as far as Kubernetes uses them. Pure: no I/O.
//!
//! Data comes in the pieces it arrives in, so a frame's size is no claim on memory. Header blocks are compressed with one
//! zlib stream a direction and a dictionary that the protocol fixes; both sizes are bounded.

use bytes::{Buf, BufMut, Bytes, BytesMut};
use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress};

use crate::{
    bail,
    error::{Error, Kind, Result},
};

/// Bytes of a control frame; larger ones are an attack.
const CONTROL: usize = 64 << 10;
/// Bytes of a header block, decompressed, and the number of its headers.
const BLOCK: usize = 64 << 10;
const HEADERS: u32 = 64;
/// Stream ids have 31 bits.
pub const LAST_ID: u32 = 0x7fff_ffff;
/// Bytes that one data frame can carry.
const DATA: usize = 0xff_ffff;

const DICTIONARY: &[u8] = include_bytes!("dictionary.bin");

/// Names are lower case.
pub type Headers = Vec<(String, String)>;

/// RST_STREAM's reasons.
pub const PROTOCOL_ERROR: u32 = 1;
pub const REFUSED_STREAM: u32 = 3;
pub const CANCEL: u32 = 5;

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Frame {
    SynStream {
        id: u32,
        fin: bool,
        headers: Headers,
    },
    SynReply {
        id: u32,
        fin: bool,
        headers: Headers,
    },
    Reset {
        id: u32,
        status: u32,
    },
    Ping(u32),
    GoAway {
        last: u32,
        status: u32,
    },
    Headers {
        id: u32,
        fin: bool,
        headers: Headers,
    },
    /// `fin` is with the last piece.
    Data {
        id: u32,
        fin: bool,
        bytes: Bytes,
    },
    /// SETTINGS, WINDOW_UPDATE and what a later version may add: nobody here uses flow control windows.
    Other(u16),
}

/// Bytes to frames.
#[derive(Debug)]
pub struct Decoder {
    inflate: Decompress,
    /// The data frame whose bytes are coming: stream, fin, bytes still to come.
    data: Option<(u32, bool, usize)>,
}

impl Default for Decoder {
    fn default() -> Self {
        Self { inflate: Decompress::new(true), data: None }
    }
}

impl Decoder {
    /// The next frame, taken off the front of `from`; `None` if more bytes are needed.
    ///
    /// # Errors
    /// `InvalidArgument` for what is no SPDY or beyond the bounds; nothing can be decoded after it.
    pub fn next(&mut self, from: &mut BytesMut) -> Result<Option<Frame>> {
        if let Some((id, fin, left)) = self.data {
            if from.is_empty() && left > 0 {
                return Ok(None);
            }
            let bytes = from.split_to(left.min(from.len())).freeze();
            let left = left - bytes.len();
            self.data = (left > 0).then_some((id, fin, left));
            return Ok(Some(Frame::Data { id, fin: fin && left == 0, bytes }));
        }
        let Some(head) = from.first_chunk::<8>() else { return Ok(None) };
        let word = u32::from_be_bytes([head[0], head[1], head[2], head[3]]);
        let flags = head[4];
        let length = u32::from_be_bytes([0, head[5], head[6], head[7]]) as usize;
        if word & 0x8000_0000 == 0 {
            if word == 0 {
                bail!(InvalidArgument, "SPDY: data for stream 0");
            }
            from.advance(8);
            self.data = Some((word, flags & 1 != 0, length));
            return self.next(from);
        }
        let (version, kind) = ((word >> 16) & 0x7fff, (word & 0xffff) as u16);
        if version != 3 {
            bail!(InvalidArgument, "SPDY: a frame of version {version}");
        }
        if length > CONTROL {
            bail!(InvalidArgument, "SPDY: a control frame of {length} bytes, at most {CONTROL} are allowed");
        }
        if from.len() < 8 + length {
            return Ok(None);
        }
        from.advance(8);
        let body = from.split_to(length).freeze();
        self.control(kind, flags & 1 != 0, body).map(Some)
    }

    fn control(&mut self, kind: u16, fin: bool, mut body: Bytes) -> Result<Frame> {
        let mut number = |what: &str| {
            if body.len() < 4 {
                return Err(Error::new(Kind::InvalidArgument, format!("SPDY: a frame without its {what}")));
            }
            Ok(body.get_u32())
        };
        let stream = |id: u32| match id & LAST_ID {
            0 => Err(Error::new(Kind::InvalidArgument, "SPDY: stream 0")),
            id => Ok(id),
        };
        Ok(match kind {
            1 => {
                let id = stream(number("stream")?)?;
                number("associated stream")?;
                if body.len() < 2 {
                    bail!(InvalidArgument, "SPDY: a stream without its priority");
                }
                body.advance(2);
                Frame::SynStream { id, fin, headers: self.headers(&body)? }
            }
            2 => {
                let id = stream(number("stream")?)?;
                Frame::SynReply { id, fin, headers: self.headers(&body)? }
            }
            3 => Frame::Reset { id: stream(number("stream")?)?, status: number("status")? },
            6 => Frame::Ping(number("id")?),
            7 => Frame::GoAway { last: number("last stream")? & LAST_ID, status: number("status")? },
            8 => {
                let id = stream(number("stream")?)?;
                Frame::Headers { id, fin, headers: self.headers(&body)? }
            }
            other => Frame::Other(other),
        })
    }

    fn headers(&mut self, compressed: &[u8]) -> Result<Headers> {
        let block = self.inflate(compressed)?;
        let mut rest = block.as_slice();
        let short = || Error::new(Kind::InvalidArgument, "SPDY: a header block ends too early");
        let number = |rest: &mut &[u8]| rest.try_get_u32().map_err(|_| short());
        let count = number(&mut rest)?;
        if count > HEADERS {
            bail!(InvalidArgument, "SPDY: {count} headers, at most {HEADERS} are allowed");
        }
        let mut headers = Headers::new();
        for _ in 0..count {
            let mut text = || {
                let length = number(&mut rest)? as usize;
                let (text, after) = rest.split_at_checked(length).ok_or_else(short)?;
                rest = after;
                let text = str::from_utf8(text);
                text.map(str::to_owned)
                    .map_err(|e| Error::new(Kind::InvalidArgument, "SPDY: a header is not text").with_source(e))
            };
            let name = text()?.to_ascii_lowercase();
            headers.push((name, text()?));
        }
        Ok(headers)
    }

    fn inflate(&mut self, compressed: &[u8]) -> Result<Vec<u8>> {
        let mut block = Vec::new();
        let before = self.inflate.total_in();
        loop {
            let used = usize::try_from(self.inflate.total_in() - before).unwrap_or(usize::MAX);
            let rest = compressed.get(used..).unwrap_or_default();
            block.reserve(4096);
            let room = block.capacity();
            match self.inflate.decompress_vec(rest, &mut block, FlushDecompress::Sync) {
                Ok(_) => {}
                Err(error) if error.needs_dictionary().is_some() => {
                    self.inflate.set_dictionary(DICTIONARY).map_err(corrupt)?;
                    continue;
                }
                Err(error) => return Err(corrupt(error)),
            }
            if block.len() > BLOCK {
                bail!(InvalidArgument, "SPDY: a header block of more than {BLOCK} bytes");
            }
            let done = self.inflate.total_in() - before >= compressed.len() as u64;
            if block.len() < room {
                // It had room and stopped: what is left cannot be understood.
                return if done {
                    Ok(block)
                } else {
                    Err(Error::new(Kind::InvalidArgument, "SPDY: a header block with bytes after its end"))
                };
            }
        }
    }
}

fn corrupt(error: flate2::DecompressError) -> Error {
    Error::new(Kind::InvalidArgument, "SPDY: a header block is corrupt").with_source(error)
}

/// Frames to bytes.
#[derive(Debug)]
pub struct Encoder {
    deflate: Compress,
}

impl Encoder {
    /// # Errors
    /// `Internal` if zlib does not take the dictionary.
    pub fn new() -> Result<Self> {
        let mut deflate = Compress::new(Compression::fast(), true);
        deflate
            .set_dictionary(DICTIONARY)
            .map_err(|e| Error::new(Kind::Internal, "SPDY: set the dictionary").with_source(e))?;
        Ok(Self { deflate })
    }

    /// Appends a frame to `to`.
    ///
    /// # Errors
    /// `InvalidArgument` for a frame that has no such form: data longer than 16 MiB, a kind of its own.
    pub fn encode(&mut self, frame: &Frame, to: &mut BytesMut) -> Result<()> {
        match frame {
            Frame::Data { id, fin, bytes } => {
                if bytes.len() > DATA {
                    bail!(InvalidArgument, "SPDY: {} bytes in one frame", bytes.len());
                }
                to.put_u32(*id & LAST_ID);
                length(to, *fin, bytes.len());
                to.put_slice(bytes);
            }
            Frame::SynStream { id, fin, headers } => {
                let block = self.block(headers)?;
                control(to, 1, *fin, 10 + block.len());
                to.put_u32(*id & LAST_ID);
                to.put_u32(0);
                to.put_u16(0);
                to.put_slice(&block);
            }
            Frame::SynReply { id, fin, headers } | Frame::Headers { id, fin, headers } => {
                let block = self.block(headers)?;
                let kind = if matches!(frame, Frame::SynReply { .. }) { 2 } else { 8 };
                control(to, kind, *fin, 4 + block.len());
                to.put_u32(*id & LAST_ID);
                to.put_slice(&block);
            }
            Frame::Reset { id, status } => {
                control(to, 3, false, 8);
                to.put_u32(*id & LAST_ID);
                to.put_u32(*status);
            }
            Frame::Ping(id) => {
                control(to, 6, false, 4);
                to.put_u32(*id);
            }
            Frame::GoAway { last, status } => {
                control(to, 7, false, 8);
                to.put_u32(*last & LAST_ID);
                to.put_u32(*status);
            }
            Frame::Other(kind) => bail!(InvalidArgument, "SPDY: a frame of kind {kind} is not for sending"),
        }
        Ok(())
    }

    fn block(&mut self, headers: &Headers) -> Result<Vec<u8>> {
        let size = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        let mut plain = Vec::new();
        plain.put_u32(size(headers.len()));
        for text in headers.iter().flat_map(|(name, value)| [name, value]) {
            plain.put_u32(size(text.len()));
            plain.put_slice(text.as_bytes());
        }
        let mut block = Vec::new();
        let before = self.deflate.total_in();
        loop {
            let used = usize::try_from(self.deflate.total_in() - before).unwrap_or(usize::MAX);
            block.reserve(plain.len() + 64);
            let room = block.capacity();
            self.deflate
                .compress_vec(plain.get(used..).unwrap_or_default(), &mut block, FlushCompress::Sync)
                .map_err(|e| Error::new(Kind::Internal, "SPDY: compress headers").with_source(e))?;
            if block.len() < room {
                return Ok(block);
            }
        }
    }
}

fn control(to: &mut BytesMut, kind: u16, fin: bool, body: usize) {
    to.put_u16(0x8003);
    to.put_u16(kind);
    length(to, fin, body);
}

fn length(to: &mut BytesMut, fin: bool, length: usize) {
    to.put_u32(u32::from(fin) << 24 | u32::try_from(length).unwrap_or(u32::MAX) & 0xff_ffff);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn headers() -> impl Strategy<Value = Headers> {
        proptest::collection::vec(("[a-z-]{1,20}", "\\PC{0,200}"), 0..8)
    }

    fn frame() -> impl Strategy<Value = Frame> {
        let id = 1..=LAST_ID;
        prop_oneof![
            (id.clone(), any::<bool>(), headers()).prop_map(|(id, fin, headers)| Frame::SynStream { id, fin, headers }),
            (id.clone(), any::<bool>(), headers()).prop_map(|(id, fin, headers)| Frame::SynReply { id, fin, headers }),
            (id.clone(), any::<bool>(), headers()).prop_map(|(id, fin, headers)| Frame::Headers { id, fin, headers }),
            (id.clone(), any::<u32>()).prop_map(|(id, status)| Frame::Reset { id, status }),
            any::<u32>().prop_map(Frame::Ping),
            (0..=LAST_ID, any::<u32>()).prop_map(|(last, status)| Frame::GoAway { last, status }),
            (id, any::<bool>(), proptest::collection::vec(any::<u8>(), 0..5000))
                .prop_map(|(id, fin, bytes)| Frame::Data { id, fin, bytes: bytes.into() }),
        ]
    }

    /// Feeds bytes in pieces; the frames, with the pieces of data joined.
    fn decode(bytes: &[u8], piece: usize) -> Result<Vec<Frame>> {
        let (mut decoder, mut buffer, mut frames) = (Decoder::default(), BytesMut::new(), Vec::new());
        let mut open: Option<Vec<u8>> = None;
        for part in bytes.chunks(piece) {
            buffer.extend_from_slice(part);
            while let Some(frame) = decoder.next(&mut buffer)? {
                let Frame::Data { id, fin, bytes } = frame else {
                    frames.push(frame);
                    continue;
                };
                let mut whole = open.take().unwrap_or_default();
                whole.extend_from_slice(&bytes);
                if decoder.data.is_some() {
                    open = Some(whole);
                } else {
                    frames.push(Frame::Data { id, fin, bytes: whole.into() });
                }
            }
        }
        Ok(frames)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(128))]

        #[test]
        fn frames_come_back_however_they_are_cut(frames in proptest::collection::vec(frame(), 1..12), piece in 1_usize..6000) {
            let (mut encoder, mut bytes) = (Encoder::new().unwrap(), BytesMut::new());
            for frame in &frames {
                encoder.encode(frame, &mut bytes).unwrap();
            }
            prop_assert_eq!(decode(&bytes, piece).unwrap(), frames);
        }

        #[test]
        fn str_11_noise_is_refused_and_never_a_panic(noise in proptest::collection::vec(any::<u8>(), 0..4000), piece in 1_usize..500) {
            let _ = decode(&noise, piece);
        }

        #[test]
        fn str_11_a_flipped_byte_is_no_panic(frames in proptest::collection::vec(frame(), 1..8), at in any::<prop::sample::Index>(), flip in 1_u8..) {
            let (mut encoder, mut bytes) = (Encoder::new().unwrap(), BytesMut::new());
            for frame in &frames {
                encoder.encode(frame, &mut bytes).unwrap();
            }
            let at = at.index(bytes.len());
            bytes[at] ^= flip;
            let _ = decode(&bytes, 333);
        }
    }

    #[test]
    fn str_11_a_header_bomb_is_refused() {
        let (mut encoder, mut bytes) = (Encoder::new().unwrap(), BytesMut::new());
        let bomb = vec![("a".to_owned(), "x".repeat(4 << 20))];
        encoder.encode(&Frame::SynReply { id: 1, fin: false, headers: bomb }, &mut bytes).unwrap();
        assert!(bytes.len() < CONTROL, "a small frame: {}", bytes.len());
        let error = decode(&bytes, 8192).unwrap_err();
        assert!(error.to_string().contains("header block of more than"), "{error}");
        let (mut encoder, mut bytes) = (Encoder::new().unwrap(), BytesMut::new());
        let many = (0..100).map(|i| (format!("h{i}"), String::new())).collect();
        encoder.encode(&Frame::SynStream { id: 1, fin: false, headers: many }, &mut bytes).unwrap();
        assert!(decode(&bytes, 8192).unwrap_err().to_string().contains("100 headers"));
    }

    #[test]
    fn str_11_sizes_are_no_claim_on_memory() {
        let mut huge = BytesMut::new();
        control(&mut huge, 1, false, 0xff_ffff);
        assert!(Decoder::default().next(&mut huge).unwrap_err().to_string().contains("control frame"));
        let (mut decoder, mut data) = (Decoder::default(), BytesMut::new());
        data.put_u32(1);
        length(&mut data, true, DATA);
        data.put_slice(b"abc");
        let first = decoder.next(&mut data).unwrap();
        assert_eq!(first, Some(Frame::Data { id: 1, fin: false, bytes: Bytes::from_static(b"abc") }));
        assert_eq!(decoder.next(&mut data).unwrap(), None);
    }

    #[test]
    fn pings_and_settings_are_understood() {
        let mut bytes = BytesMut::from(&b"\x80\x03\x00\x06\x00\x00\x00\x04\x00\x00\x00\x01"[..]);
        assert_eq!(Decoder::default().next(&mut bytes).unwrap(), Some(Frame::Ping(1)));
        assert!(bytes.is_empty());
        let mut settings = BytesMut::from(&b"\x80\x03\x00\x04\x00\x00\x00\x04\x00\x00\x00\x00"[..]);
        assert_eq!(Decoder::default().next(&mut settings).unwrap(), Some(Frame::Other(4)));
    }
}
