//! The one test binary: it links once, and its modules are the kinds of test.

mod format;
