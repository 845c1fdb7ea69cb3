//! The house rules: layers, dependencies, documents, cost of parsers, what fuzzers found.

mod documents;
mod fuzz_corpus;
mod growth;
mod layering;
mod sizes;
mod walls;
