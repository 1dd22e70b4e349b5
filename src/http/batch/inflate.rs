//! The bytes of a body that may be compressed, step by step, so that a small body which unfolds into
//! a huge one takes no more memory than any other.
//!
//! It must not know what the bytes say.

use crate::http::code::Code;
use crate::http::problem::Problem;
use actix_web::http::header::{self, HeaderMap};
use bytes::Bytes;
use flate2::write::MultiGzDecoder;
use std::io::Write as _;
use zstd::stream::raw::{DParameter, Decoder, InBuffer, Operation as _, OutBuffer};

/// Compressed bytes that are unfolded in one step. DEFLATE makes at most 1,032 of one.
const STEP_IN: usize = 256;
/// Bytes that one step gives at most, for the format that can stop anywhere.
const STEP_OUT: usize = 64 * 1024;
/// The largest window that is taken, as a power of two: 8 MiB.
const WINDOW_LOG_MAX: u32 = 23;
/// What a body may unfold into whatever its ratio.
const FREE_BYTES: u64 = 1 << 20;
/// How many times larger than its body it may be beyond that. Rows of one kind reach 60.
const RATIO_MAX: u64 = 200;

/// A body on its way to plain bytes.
pub(super) struct Inflate {
    coding: Coding,
    pending: Bytes,
    taken: u64,
    given: u64,
}

enum Coding {
    Plain,
    Gzip(Box<MultiGzDecoder<Vec<u8>>>),
    /// And whether a frame has begun that has not ended.
    Zstd(Box<Decoder<'static>>, bool),
}

impl Inflate {
    /// As the head of a request says.
    pub(super) fn of_head(headers: &HeaderMap) -> Result<Self, Problem> {
        let Some(given) = headers.get(header::CONTENT_ENCODING) else {
            return Ok(Self::new(Coding::Plain));
        };
        let name = given.to_str().unwrap_or_default().trim().to_ascii_lowercase();
        let coding = match &*name {
            "" | "identity" => Coding::Plain,
            "gzip" | "x-gzip" => Coding::Gzip(Box::new(MultiGzDecoder::new(Vec::new()))),
            "zstd" => {
                let mut decoder = Decoder::new().expect("a decoder needs memory alone");
                let window = DParameter::WindowLogMax(WINDOW_LOG_MAX);
                decoder.set_parameter(window).expect("the window is one that zstd knows");
                Coding::Zstd(Box::new(decoder), false)
            }
            _ => {
                let detail = "Unsupported Content-Encoding; gzip, zstd and none are taken here.";
                return Err(Problem::new(Code::UnsupportedMediaType).saying(detail).closing());
            }
        };
        Ok(Self::new(coding))
    }

    fn new(coding: Coding) -> Self {
        Self { coding, pending: Bytes::new(), taken: 0, given: 0 }
    }

    /// Takes a piece of the body; `step` has given all of the piece before.
    pub(super) fn feed(&mut self, piece: Bytes) {
        debug_assert!(self.pending.is_empty(), "the piece before was not unfolded to its end");
        self.taken += piece.len() as u64;
        self.pending = piece;
    }

    /// The next plain bytes; none where the body must be read on.
    pub(super) fn step(&mut self) -> Result<Option<Bytes>, Problem> {
        loop {
            let bytes = match &mut self.coding {
                Coding::Plain => std::mem::take(&mut self.pending),
                Coding::Gzip(decoder) => {
                    let some = self.pending.split_to(self.pending.len().min(STEP_IN));
                    decoder.write_all(&some).map_err(|error| broken(&error))?;
                    Bytes::from(std::mem::take(decoder.get_mut()))
                }
                Coding::Zstd(decoder, is_open) => {
                    let mut plain = vec![0; STEP_OUT];
                    let mut input = InBuffer::around(&self.pending);
                    let mut output = OutBuffer::around(&mut plain[..]);
                    let left =
                        decoder.run(&mut input, &mut output).map_err(|error| broken(&error))?;
                    let (used, made) = (input.pos(), output.pos());
                    if used > 0 || made > 0 {
                        *is_open = left > 0;
                    }
                    plain.truncate(made);
                    // A full buffer: more may lie inside the decoder, with nothing left to feed it.
                    let is_full = made == STEP_OUT;
                    drop(self.pending.split_to(used));
                    if used == 0 && made == 0 && !is_full {
                        return Ok(None);
                    }
                    Bytes::from(plain)
                }
            };
            self.given += bytes.len() as u64;
            if self.given > FREE_BYTES && self.given / RATIO_MAX > self.taken {
                let detail = "The body unfolds into more than 200 times its size.";
                return Err(Problem::new(Code::PayloadExceeded).saying(detail).closing());
            }
            if !bytes.is_empty() {
                return Ok(Some(bytes));
            }
            if self.pending.is_empty() {
                return Ok(None);
            }
        }
    }

    /// Whether the body has ended where it may.
    pub(super) fn finish(&mut self) -> Result<Option<Bytes>, Problem> {
        match &mut self.coding {
            Coding::Plain => Ok(None),
            Coding::Zstd(_, is_open) => {
                if *is_open {
                    Err(ends_early())
                } else {
                    Ok(None)
                }
            }
            Coding::Gzip(decoder) => {
                if self.taken > 0 {
                    decoder.try_finish().map_err(|_| ends_early())?;
                }
                let rest = std::mem::take(decoder.get_mut());
                Ok(Some(Bytes::from(rest)).filter(|rest| !rest.is_empty()))
            }
        }
    }
}

fn broken(error: &std::io::Error) -> Problem {
    let detail = format!("The compressed body cannot be read: {error}.");
    Problem::new(Code::ParseError).saying(detail).closing()
}

fn ends_early() -> Problem {
    Problem::new(Code::ParseError).saying("The compressed body ends early.").closing()
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::http::header::HeaderValue;
    use flate2::Compression;
    use flate2::write::GzEncoder;

    fn gzip(plain: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(plain).unwrap();
        encoder.finish().unwrap()
    }

    fn zstd(plain: &[u8]) -> Vec<u8> {
        let mut encoder = zstd::stream::Encoder::new(Vec::new(), 19).unwrap();
        encoder.include_checksum(true).unwrap();
        encoder.write_all(plain).unwrap();
        encoder.finish().unwrap()
    }

    fn of(coding: &str) -> Result<Inflate, Problem> {
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_str(coding).unwrap());
        Inflate::of_head(&headers)
    }

    /// What a body of pieces unfolds into, and the most that one step gave.
    fn unfold(coding: &str, body: &[u8], piece: usize) -> Result<(Vec<u8>, usize), Problem> {
        let mut inflate = of(coding)?;
        let (mut plain, mut most) = (Vec::new(), 0);
        for piece in body.chunks(piece) {
            inflate.feed(Bytes::copy_from_slice(piece));
            while let Some(bytes) = inflate.step()? {
                most = most.max(bytes.len());
                plain.extend_from_slice(&bytes);
            }
        }
        plain.extend_from_slice(&inflate.finish()?.unwrap_or_default());
        Ok((plain, most))
    }

    fn rows() -> Vec<u8> {
        (0..5_000_u32).flat_map(|row| format!("{{\"row\":{row}}}\n").into_bytes()).collect()
    }

    #[test]
    fn every_coding_gives_what_was_sent_however_it_arrives() {
        let plain = rows();
        for (coding, body) in
            [("identity", plain.clone()), ("GZIP", gzip(&plain)), ("zstd", zstd(&plain))]
        {
            for piece in [1, 7, 1_000, usize::MAX] {
                let (unfolded, _) = unfold(coding, &body, piece).unwrap();
                assert_eq!(unfolded, plain, "{coding} in pieces of {piece}");
            }
        }
        let twice = [gzip(b"a\n"), gzip(b"b\n")].concat();
        assert_eq!(unfold("gzip", &twice, 3).unwrap().0, b"a\nb\n");
    }

    #[test]
    fn a_body_that_ends_early_or_is_damaged_is_refused() {
        let code = |coding: &str, body: &[u8]| {
            unfold(coding, body, 50).err().and_then(|problem| problem.code())
        };
        for (coding, body) in [("gzip", gzip(&rows())), ("zstd", zstd(&rows()))] {
            assert_eq!(code(coding, &body[..body.len() - 1]), Some(Code::ParseError), "{coding}");
            let mut damaged = body.clone();
            damaged[body.len() / 2] ^= 0xff;
            assert_eq!(code(coding, &damaged), Some(Code::ParseError), "{coding}");
            assert_eq!(code(coding, b"no such thing"), Some(Code::ParseError), "{coding}");
            assert_eq!(code(coding, b""), None, "{coding}");
        }
        assert_eq!(
            of("br").err().and_then(|problem| problem.code()),
            Some(Code::UnsupportedMediaType)
        );
    }

    #[test]
    fn a_bomb_is_refused_before_it_has_unfolded() {
        let zeros = vec![0; 64 << 20];
        for (coding, body) in [("gzip", gzip(&zeros)), ("zstd", zstd(&zeros))] {
            let mut inflate = of(coding).unwrap();
            inflate.feed(Bytes::from(body));
            let mut given = 0;
            let refused = loop {
                match inflate.step() {
                    Ok(Some(bytes)) => {
                        assert!(bytes.len() <= 1_200 * STEP_IN, "{coding}: {}", bytes.len());
                        given += bytes.len();
                    }
                    Ok(None) => panic!("{coding}: it has unfolded into {given} bytes"),
                    Err(problem) => break problem,
                }
            };
            assert_eq!(refused.code(), Some(Code::PayloadExceeded), "{coding}");
            assert!(given < 16 << 20, "{coding}: {given}");
        }
    }

    #[test]
    fn a_window_beyond_the_limit_is_refused() {
        let mut encoder = zstd::stream::Encoder::new(Vec::new(), 1).unwrap();
        encoder.window_log(27).unwrap();
        encoder.include_contentsize(false).unwrap();
        encoder.write_all(&rows()).unwrap();
        let body = encoder.finish().unwrap();
        let refused = unfold("zstd", &body, usize::MAX).err().and_then(|problem| problem.code());
        assert_eq!(refused, Some(Code::ParseError));
    }
}
