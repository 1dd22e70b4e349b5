//! `X-Origin`: for which system a request writes, if that is another than its key's.
//!
//! It must not know where an origin is kept.

use crate::http::code::Code;
use crate::http::extension::ORIGIN;
use crate::http::fault::{Fault, Place};
use actix_web::http::header::HeaderMap;

/// Characters of an origin.
pub const ORIGIN_CHARS_MAX: usize = 64;

/// The origin that the headers name, if they name one.
pub fn read(headers: &HeaderMap) -> Result<Option<&str>, Fault> {
    let mut values = headers.get_all(ORIGIN);
    let Some(value) = values.next() else { return Ok(None) };
    let is_one = values.next().is_none();
    let text = value.to_str().ok().filter(|text| is_one && is_origin(text));
    let message = "Expected 1 to 64 letters, digits, or any of . _ : -";
    let fault = || Fault::new(Code::Invalid, Place::Header(ORIGIN.into())).saying(message);
    text.map(Some).ok_or_else(fault)
}

fn is_origin(text: &str) -> bool {
    let is_known = |byte: u8| byte.is_ascii_alphanumeric() || b"._:-".contains(&byte);
    (1..=ORIGIN_CHARS_MAX).contains(&text.len()) && text.bytes().all(is_known)
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::test::TestRequest;

    #[test]
    fn an_origin_has_few_characters_and_few_kinds_of_them() {
        let longest = "x".repeat(ORIGIN_CHARS_MAX);
        let longer = "x".repeat(ORIGIN_CHARS_MAX + 1);
        for (value, is_good) in [
            ("shop-sync", true),
            ("A.b_c:9", true),
            (&*longest, true),
            (&*longer, false),
            ("", false),
            ("a b", false),
            ("a,b", false),
            ("\u{e4}", false),
        ] {
            let request = TestRequest::get().insert_header((ORIGIN, value)).to_http_request();
            let expected = is_good.then_some(Some(value));
            assert_eq!(read(request.headers()).ok(), expected, "{value}");
        }
        let request = TestRequest::get().to_http_request();
        assert_eq!(read(request.headers()).ok(), Some(None));
        let twice = TestRequest::get().append_header((ORIGIN, "a")).append_header((ORIGIN, "a"));
        assert!(read(twice.to_http_request().headers()).is_err());
    }
}
