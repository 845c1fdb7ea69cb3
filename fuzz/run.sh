#!/bin/sh
# Fuzzes one target: fuzz/run.sh NAME SECONDS [options of libFuzzer].
#
# Seeds are those that the project made, and what else lies in ../shared where it is there:
# captures, logs and feeds of the real world, up to a size that still leaves time for rounds.
set -eu

target=$1 seconds=$2
shift 2
cd "$(dirname "$0")/.."

# Inputs may be as long as the longest of these seeds: a round of each is cheap enough.
most=65536
seeds=
case $target in
  capture | frames) own=testdata/captures others=../shared/data/pcaps ;;
  feed_* | warninglist) own=testdata/indicators others=../shared/data/feeds ;;
  text) own=testdata/logs others=../shared/data/logs ;;
  config | values) own=testdata/indicators others= ;;
  *) own= others= ;;
esac
if [ -n "$others" ] && [ -d "$others" ]; then
  seeds=fuzz/findings/.seeds/$target
  mkdir -p "$seeds"
  find "$others" -type f -size -$((most / 1024 + 1))k -exec cp -f --backup=numbered -t "$seeds" {} +
fi

echo "== fuzz $target"
mkdir -p "fuzz/findings/$target" "fuzz/corpus/$target"
# -timeout: an input that takes longer than any should is a finding like a panic.
# shellcheck disable=SC2086
RUSTC_BOOTSTRAP=1 exec cargo fuzz run "$target" \
  "fuzz/findings/$target" "fuzz/corpus/$target" $own $seeds \
  -- -timeout=5 -max_len=$most "-max_total_time=$seconds" "$@"
