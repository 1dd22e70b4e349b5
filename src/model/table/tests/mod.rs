//! Tests of a table as a whole: what is decided, applied, stored, replayed and walked.

mod accounts;
mod creating;
mod naive;
mod random;
mod restoring;
mod steps;
