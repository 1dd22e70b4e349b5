//! What people wish for who write the same records from several systems, each wish as a test.

mod blanks_are_not_absent;
mod my_own_key;
mod no_lock_errors;
mod no_lost_updates;
mod partial_writes;
mod two_identities;
