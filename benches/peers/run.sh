#!/usr/bin/env bash
# Measures wiresift against its peers and prints every bar of "line rate" with its
# verdict. Installs matchy and ripgrep where they are missing, makes the corpora, and
# leaves measuring and judging to measure.py. docs/performance.md says how to read it.
set -euo pipefail
cd "$(dirname "$0")/../.."

usage() {
  cat <<'USAGE'
usage: benches/peers/run.sh [OPTION…]

  --bytes N         size of each generated log (200M)
  --sizes N,N,…     indicators of the generated feeds (10000,100000,1000000,10000000)
  --runs N          measured runs of each command, interleaved; medians count (5)
  --only BAR,BAR    measure these bars alone; the others keep their last figures
  --feed FILE       your own indicators (a table with a header, or one value a line) …
  --log FILE        … and your own logs (can be given again): ratios and counts alone
  --generator FILE  gen_corpus.py (../shared/bench/gen_corpus.py)
  --unified FILE    the big feed (../shared/data/feeds/unified/indicators.csv.gz)
  --corpora FOLDER  where the corpora lie, or are made (target/corpora)
  --grep            also grep -F -f, on a tenth of the log: slow, and takes much memory
  --open-flags S    flags of wiresift lookup that trust a database checked before
  --list            name the bars
  --publish FILE    measure nothing; put the last table into a page (docs/performance.md)

Peers are installed into target/peers; what is measured is target/release/wiresift.
MATCHY, RG and WIRESIFT name other binaries. MATCHY_BUILD holds the flags of
"matchy build" (-i: names match in any case, as they do for wiresift).
USAGE
}

bytes=200M sizes=10000,100000,1000000,10000000
corpora=target/corpora peers=target/peers
generator=../shared/bench/gen_corpus.py
unified=../shared/data/feeds/unified/indicators.csv.gz
only='' own=() pass=()

while [ $# -gt 0 ]; do
  case $1 in
    --bytes) bytes=$2; shift 2 ;;
    --sizes) sizes=$2; shift 2 ;;
    --runs) pass+=("$1" "$2"); shift 2 ;;
    --only) only=$2; pass+=("$1" "$2"); shift 2 ;;
    --feed | --log) own+=("$1" "$2"); shift 2 ;;
    --generator) generator=$2; shift 2 ;;
    --unified) unified=$2; shift 2 ;;
    --corpora) corpora=$2; shift 2 ;;
    --open-flags) pass+=("--open-flags=$2"); shift 2 ;;
    --grep) pass+=("$1"); shift ;;
    --list) exec python3 benches/peers/measure.py --list ;;
    --publish) exec python3 benches/peers/measure.py --publish "$2" ;;
    -h | --help) usage; exit 0 ;;
    *) usage >&2; exit 2 ;;
  esac
done

# wants BAR…: whether one of these bars is to be measured.
wants() {
  [ -z "$only" ] && return 0
  local bar
  for bar in "$@"; do
    case ,$only, in *,"$bar",*) return 0 ;; esac
  done
  return 1
}

# install CRATE VERSION: the binary of a crate into target/peers, once.
install() {
  echo "installing $1 $2 into $peers" >&2
  cargo install "$1" --version "$2" --locked --quiet --root "$peers" --target-dir "$peers/build"
}

mkdir -p "$peers" "$corpora"
wiresift=${WIRESIFT:-target/release/wiresift}
[ -x "$wiresift" ] || cargo build --release --locked
matchy=${MATCHY:-$peers/bin/matchy}
[ -x "$matchy" ] || install matchy 2.0.1
rg=${RG:-$(command -v rg || echo "$peers/bin/rg")}
[ -x "$rg" ] || install ripgrep 14.1.1

if [ "${#own[@]}" -eq 0 ] && [ ! -e "$generator" ]; then
  echo "$generator is not there: name it with --generator, or your own --feed and --log" >&2
  echo "measuring only what needs no corpus" >&2
fi

feed_name() {
  case $1 in
    10000) echo feed_10k ;; 100000) echo feed_100k ;;
    1000000) echo feed_1m ;; 10000000) echo feed_10m ;;
    *) echo "feed_$1" ;;
  esac
}

# A file counts when its stamp says that it was made as we want it: a run that was
# broken off leaves none.
make_feeds() {
  local missing=() size
  for size in ${sizes//,/ }; do
    [ -e "$corpora/$(feed_name "$size").made" ] || missing+=("$size")
  done
  [ "${#missing[@]}" -eq 0 ] && return
  echo "making feeds of ${missing[*]} indicators (minutes, once)" >&2
  (IFS=,; python3 "$generator" feed --size "${missing[*]}" --out "$corpora") >&2
  for size in "${missing[@]}"; do touch "$corpora/$(feed_name "$size").made"; done
}

# make_log KIND EVERY NAME
make_log() {
  local log=$corpora/$3.log
  [ "$(cat "$log.made" 2>/dev/null)" = "$1 $bytes $2" ] && return
  echo "making $log ($bytes, a hit in $2 lines)" >&2
  rm -f "$log.made"
  python3 "$generator" logs --kind "$1" --bytes "$bytes" --every "$2" --out "$log" >&2
  echo "$1 $bytes $2" >"$log.made"
}

if [ "${#own[@]}" -eq 0 ] && [ -e "$generator" ] && wants matchy reading threads scale density packed memory compile10m open; then
  make_feeds
  for kind in zeek_json zeek_tsv syslog_mix; do make_log "$kind" 10000 "$kind"; done
  wants density memory && make_log zeek_json 100 zeek_json_dense
fi
if [ -e "$unified" ] && [ "${#own[@]}" -eq 0 ] && wants matchy compile &&
  [ ! -e "$corpora/unified.csv" ]; then
  gzip -dc "$unified" >"$corpora/unified.csv.part"
  mv "$corpora/unified.csv.part" "$corpora/unified.csv"
fi

exec python3 benches/peers/measure.py --wiresift "$wiresift" --matchy "$matchy" --rg "$rg" \
  --corpora "$corpora" --out "$peers" --sizes "$sizes" "${own[@]}" "${pass[@]}"
