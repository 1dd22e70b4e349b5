//! What a crash, a second process or a damaged file may do: the real binary on a real disk.

mod backup;
mod constraints;
mod crash;
mod damage;
mod process;
mod relations;
mod shared_name;
mod slot;
