//! Tests of a table as a whole: what is decided, applied, stored, replayed and walked.

mod accounts;
mod archived_object;
mod column_states;
mod columns;
mod creating;
mod images;
mod lists;
mod naive;
mod naive_pipeline;
mod naive_schema;
mod naive_sets;
mod naive_together;
mod naive_values;
mod options;
mod pipeline_steps;
mod pipelines;
mod random;
mod readers;
mod relating;
mod restoring;
mod rights;
mod searching;
mod steps;
mod stored;
mod together;
mod together_steps;
