//! Answers without a length: the chunks of a body (RFC 9112 section 7.1), piece by piece as they
//! come, so that nothing of a long answer is kept.

use std::io;

/// Where in a chunked body the next byte stands.
#[derive(Debug, Default)]
pub(crate) struct Chunked {
    place: Place,
    /// Of the chunk that is being read: as far as it was told, or as much of it as is to come.
    left: usize,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Place {
    #[default]
    Size,
    Data,
    /// The line that ends a chunk's data.
    End,
    /// The empty line behind the last chunk; trailers are not read.
    Last,
    Done,
}

impl Chunked {
    /// Gives the data in these bytes to `sink`, and says whether the body has ended.
    pub(crate) fn feed(
        &mut self,
        mut bytes: &[u8],
        sink: &mut impl FnMut(&[u8]),
    ) -> io::Result<bool> {
        while let Some((&byte, rest)) = bytes.split_first() {
            match self.place {
                Place::Data => {
                    let (data, rest) = bytes.split_at(self.left.min(bytes.len()));
                    sink(data);
                    self.left -= data.len();
                    self.place = if self.left == 0 { Place::End } else { Place::Data };
                    bytes = rest;
                    continue;
                }
                Place::Size => self.read_size(byte)?,
                Place::End if byte == b'\n' => self.place = Place::Size,
                Place::Last if byte == b'\n' => self.place = Place::Done,
                Place::End | Place::Last if byte == b'\r' => {}
                Place::End | Place::Last | Place::Done => return Err(malformed()),
            }
            bytes = rest;
        }
        Ok(self.place == Place::Done)
    }

    fn read_size(&mut self, byte: u8) -> io::Result<()> {
        let digit = match byte {
            b'\r' => return Ok(()),
            b'\n' => {
                self.place = if self.left == 0 { Place::Last } else { Place::Data };
                return Ok(());
            }
            _ => char::from(byte).to_digit(16).ok_or_else(malformed)?,
        };
        let digit = usize::try_from(digit).expect("a digit fits");
        self.left = self.left.checked_mul(16).ok_or_else(malformed)? + digit;
        Ok(())
    }
}

fn malformed() -> io::Error {
    io::Error::other("the chunks of the answer are not what RFC 9112 says")
}
