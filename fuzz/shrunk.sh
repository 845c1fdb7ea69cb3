#!/bin/sh
# The compiler, for this package alone, with the bounds of the fuzzers:
# RUSTC_WORKSPACE_WRAPPER=$PWD/fuzz/shrunk.sh cargo test …
# What it depends on need not be built anew for that.
exec "$@" --cfg fuzzing
