//! The schema of one object: its fields, options and names.
