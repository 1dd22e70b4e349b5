//! The commands that ask a server, as somebody at a terminal or a script uses them.

mod caller;
mod export;
mod first_sync;
mod import;
mod singer;
mod tail;
mod tls;
