#!/usr/bin/env bash
# Builds the release binary with a profile of itself at work (profile-guided optimisation):
# target/guided/release/wiresift. It does the same as that of `cargo build --release`, faster
# by what docs/performance.md says.
#
# The work is what the project can make itself: a feed and three logs (benches/inputs.rs), and
# captures (benches/traffic.rs) of the recorded ones in testdata/captures. Needs the
# llvm-profdata of the compiler's LLVM: `rustup component add llvm-tools`, or the package
# llvm-N. Takes about eight minutes on two cores.
set -euo pipefail
cd "$(dirname "$0")/../.."

folder=$PWD/target/guided
packets=${PACKETS:-200000}
cargo=${CARGO:-cargo}

major=$(rustc -vV | sed -n 's/^LLVM version: \([0-9]*\).*/\1/p')
profdata=
for tool in "$(rustc --print sysroot)"/lib/rustlib/*/bin/llvm-profdata \
  "llvm-profdata-$major" "/usr/lib/llvm-$major/bin/llvm-profdata"; do
  if command -v "$tool" >/dev/null; then
    profdata=$tool
    break
  fi
done
if [ -z "$profdata" ]; then
  echo "llvm-profdata of LLVM $major is not installed:" \
    "rustup component add llvm-tools, or apt-get install llvm-$major" >&2
  exit 2
fi

echo '== 1. a binary that counts what it does'
RUSTFLAGS="${RUSTFLAGS:-} -Cprofile-generate=$folder/counts" \
  "$cargo" build --release --locked --bin wiresift --target-dir "$folder/counting"
counting=$folder/counting/release/wiresift

echo '== 2. what it shall be good at'
"$cargo" test --quiet --locked --bench inputs -- "$folder/inputs"
"$cargo" test --quiet --locked --bench traffic -- "$folder/traffic" testdata/captures "$packets"

# at_work ARGUMENT…: hits and no hits are both well.
at_work() {
  local status=0
  "$counting" "$@" >/dev/null 2>"$folder/errors" || status=$?
  if [ "$status" -gt 1 ]; then
    cat "$folder/errors" >&2
    exit "$status"
  fi
}

rm -rf "$folder/counts"
at_work compile --quiet -o "$folder/recorded.wsdb" --internal testdata/indicators
at_work compile --quiet -o "$folder/feed.wsdb" "$folder/inputs/feed.csv"
at_work lookup --db "$folder/feed.wsdb" 192.0.2.1 www.example.com
for threads in 1 2; do
  for input in "$folder"/inputs/*.log testdata/logs "$folder"/traffic/*.pcap; do
    at_work scan --db "$folder/feed.wsdb" -j "$threads" -o /dev/null "$input"
  done
  # Digests are computed where there are indicators of their kind.
  at_work scan --db "$folder/recorded.wsdb" -j "$threads" -o /dev/null "$folder/traffic/mixed.pcap"
done
"$profdata" merge -o "$folder/profile" "$folder/counts"

echo '== 3. the binary'
RUSTFLAGS="${RUSTFLAGS:-} -Cprofile-use=$folder/profile" \
  "$cargo" build --release --locked --bin wiresift --target-dir "$folder"
"$folder/release/wiresift" --version
