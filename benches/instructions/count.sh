#!/usr/bin/env bash
# Counts the instructions of the release binary on fixed inputs under valgrind, which
# does not depend on the machine's mood, and holds them against baseline.tsv.
#
#   benches/instructions/count.sh compare   fails when a count changed by more than 3%
#   benches/instructions/count.sh accept    makes today's counts the baseline
#
# WIRESIFT_VECTORS pins the vector path (valgrind knows no AVX-512); the baseline is
# kept for each architecture and path. LIMIT is the change in percent that passes.
set -euo pipefail
cd "$(dirname "$0")/../.."

mode=${1:-compare}
limit=${LIMIT:-3}
baseline=benches/instructions/baseline.tsv
folder=target/instructions
wiresift=$PWD/target/release/wiresift

case $mode in
  compare | accept) ;;
  *) echo "usage: $0 compare|accept" >&2; exit 2 ;;
esac
if ! command -v valgrind >/dev/null; then
  echo 'valgrind is not installed: .ci/install-deps --with-valgrind' >&2
  exit 2
fi

arch=$(uname -m)
case $arch in
  x86_64) vectors=${WIRESIFT_VECTORS:-avx2} ;;
  aarch64 | arm64) vectors=${WIRESIFT_VECTORS:-neon} ;;
  *) vectors=${WIRESIFT_VECTORS:-portable} ;;
esac
if [ "$vectors" = avx512 ]; then
  echo 'valgrind knows no AVX-512: WIRESIFT_VECTORS=avx2' >&2
  exit 2
fi
if [ "$mode" = compare ] && [ ! -e "$baseline" ]; then
  echo "there is no $baseline yet: make instructions-accept" >&2
  exit 2
fi
export WIRESIFT_VECTORS=$vectors
key=$arch/$vectors
compiler=$(rustc --version | cut -d' ' -f2)

cargo build --release --locked --quiet
# The inputs depend on the generator and the recorded logs, not on the engine.
if [ ! -e "$folder/hits.tsv" ] ||
  [ -n "$(find benches/corpus benches/inputs.rs testdata/logs -newer "$folder/hits.tsv")" ]; then
  cargo test --quiet --locked --features kafka,postgres --bench inputs -- "$PWD/$folder"
fi

counts=$folder/counts.tsv
: >"$counts"

# count CASE STATUS ARGUMENT…: runs wiresift under callgrind; STATUS is what it must say.
count() {
  local name=$1 status=$2 said=0
  shift 2
  rm -rf "$folder/cache"
  env SOURCE_DATE_EPOCH=0 XDG_CACHE_HOME="$PWD/$folder/cache" \
    valgrind --tool=callgrind --callgrind-out-file="$folder/$name.callgrind" \
    "$wiresift" "$@" >"$folder/$name.out" 2>"$folder/$name.err" || said=$?
  if [ "$said" -ne "$status" ]; then
    echo "$name: exit status $said, not $status" >&2
    cat "$folder/$name.err" >&2
    exit 2
  fi
  awk -v name="$name" -v OFS='\t' '/^(totals|summary):/ { n = $2 } END { print name, n }' \
    "$folder/$name.callgrind" >>"$counts"
}

echo "counting instructions: $key, rustc $compiler"
count compile 0 compile --quiet -o "$folder/feed.wsdb" "$folder/feed.csv"
while IFS=$'\t' read -r log hits; do
  count "scan_$log" 0 scan --db "$folder/feed.wsdb" -j 1 --format json \
    -o "$folder/$log.alerts" "$folder/$log.log"
  records=$(wc -l <"$folder/$log.alerts")
  if [ "$records" -ne "$hits" ]; then
    echo "scan_$log: $records records, and $hits hits were planted" >&2
    exit 2
  fi
done <"$folder/hits.tsv"
count open_and_lookup 1 lookup --db "$folder/feed.wsdb" 192.0.2.1
"$wiresift" compile --quiet -o "$folder/recorded.wsdb" --internal testdata/indicators
count scan_capture 0 scan --db "$folder/recorded.wsdb" -j 1 --format json \
  -o "$folder/capture.alerts" testdata/captures/dns_http_tls.pcap

if [ "$mode" = accept ]; then
  {
    echo '# Instructions of fixed inputs; `make instructions` compares, `make instructions-accept` rewrites.'
    printf '#case\tvectors\tinstructions\trustc\n'
    {
      [ -e "$baseline" ] && awk -F'\t' -v key="$key" '!/^#/ && $2 != key' "$baseline"
      awk -v OFS='\t' -v key="$key" -v rustc="$compiler" '{ print $1, key, $2, rustc }' "$counts"
    } | sort
  } >"$folder/baseline.tsv"
  mv "$folder/baseline.tsv" "$baseline"
  echo "$baseline holds the counts of $key now"
  exit 0
fi

awk -F'\t' -v key="$key" -v limit="$limit" -v rustc="$compiler" '
  FNR == NR { if (!/^#/ && $2 == key) { was[$1] = $3; by[$1] = $4 } next }
  {
    if (!($1 in was)) {
      printf "%-16s %15s %15d  no baseline for %s\n", $1, "-", $2, key
      wrong = 1
      next
    }
    change = 100 * ($2 - was[$1]) / was[$1]
    verdict = "ok"
    if (change > limit || change < -limit) { verdict = "CHANGED"; wrong = 1 }
    printf "%-16s %15d %15d  %+6.2f%%  %s\n", $1, was[$1], $2, change, verdict
    if (by[$1] != rustc) other = by[$1]
    seen[$1] = 1
  }
  END {
    for (name in was) if (!(name in seen)) { printf "%-16s is counted no more\n", name; wrong = 1 }
    if (other) printf "the baseline was counted with rustc %s: part of a change may be the compiler\n", other
    if (wrong) print "if that is what you want: make instructions-accept, and say why in the commit"
    exit wrong
  }' "$baseline" "$counts"
