//! What a crash, a second process or a damaged file may do: the real binary on a real disk.

mod backup;
mod constraints;
mod crash;
mod damage;
mod leavers;
mod process;
mod relations;
mod resumed_streams;
mod retried_rows;
mod retries;
mod rules;
mod shared_name;
mod slot;

use crate::support::Server;
use rustix::process::Signal;

/// Kills a server when it is dropped, also where a test fails: its clients go on until then.
struct Killed<'s>(&'s Server);

impl Drop for Killed<'_> {
    fn drop(&mut self) {
        self.0.signal(Signal::KILL);
    }
}
