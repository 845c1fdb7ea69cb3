//! The house rules: layers, dependencies, documents, cost of parsers, results of fuzzing.

mod documents;
mod errors;
mod fuzz_corpus;
mod growth;
mod layering;
mod sizes;
mod walls;
