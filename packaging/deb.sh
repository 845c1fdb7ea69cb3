#!/usr/bin/env bash
# Makes the Debian package of a binary of wiresift, with the man pages and completions that it
# writes itself, and prints the package's path. See [package.metadata.deb] in Cargo.toml.
#
#   packaging/deb.sh BINARY FOLDER [OPTION OF cargo deb…]
set -euo pipefail
cd "$(dirname "$0")/.."

binary=$(realpath "$1")
folder=$(realpath "$2")
shift 2

cargo=${CARGO:-cargo}
if ! "$cargo" deb --version >/dev/null 2>&1; then
  echo 'cargo-deb is not installed: cargo install cargo-deb --locked' >&2
  exit 2
fi

# What cargo-deb takes for the folder of a build. It looks for all of it in `release`.
stage=$(mktemp -d "$folder/deb.XXXXXX")
trap 'rm -rf "$stage"' EXIT
mkdir -p "$stage"/release/{man,completions}
cp "$binary" "$stage/release/wiresift"
"$binary" man "$stage/release/man"
gzip -9n "$stage"/release/man/*
for shell in bash zsh fish; do
  "$binary" completions "$shell" > "$stage/release/completions/$shell"
done

CARGO_TARGET_DIR=$stage "$cargo" deb --no-build --quiet --output "$folder/" "$@"
