//! What a crash, a second process or a damaged file may do: the real binary on a real disk.

mod backup;
mod crash;
mod damage;
mod process;
mod relations;
mod retries;
mod shared_name;
mod slot;
