//! Normal forms: what is compared where values are matched.
