#!/usr/bin/env bash
# Measures what a packet costs and prints every bar of the packets with its verdict.
# Makes the captures (benches/traffic.rs) and the feed where they are missing, and leaves
# measuring and judging to measure.py. docs/performance.md says how to read it.
set -euo pipefail
cd "$(dirname "$0")/../.."

usage() {
  cat <<'USAGE'
usage: benches/packets/run.sh [OPTION…]

  --runs N          measured runs of each command, interleaved; medians count (5)
  --only BAR,BAR    measure these bars alone
  --pcaps FOLDER    real captures, for the mixed traffic (../shared/data/pcaps, else
                    testdata/captures)
  --feed FILE       the indicators (target/corpora/feed_1m.csv, made where it is missing)
  --generator FILE  gen_corpus.py, which makes it (../shared/bench/gen_corpus.py)
  --traffic FOLDER  where the captures lie, or are made (target/traffic; 2.3 GB)
  --list            name the bars

What is measured is target/release/wiresift; WIRESIFT names another binary. Needs
tcpdump and python3. The bars of a wire are benches/tap/run.sh's.
USAGE
}

pcaps=../shared/data/pcaps
[ -d "$pcaps" ] || pcaps=testdata/captures
feed=target/corpora/feed_1m.csv
generator=../shared/bench/gen_corpus.py
traffic=target/traffic
pass=()
while [ $# -gt 0 ]; do
  case $1 in
    --pcaps) pcaps=$2; shift 2 ;;
    --feed) feed=$2; shift 2 ;;
    --generator) generator=$2; shift 2 ;;
    --traffic) traffic=$2; shift 2 ;;
    --runs | --only) pass+=("$1" "$2"); shift 2 ;;
    --list) exec python3 benches/packets/measure.py --list ;;
    -h | --help) usage; exit 0 ;;
    *) usage >&2; exit 2 ;;
  esac
done

command -v tcpdump >/dev/null || { echo 'tcpdump is not installed: apt-get install tcpdump' >&2; exit 1; }
wiresift=${WIRESIFT:-target/release/wiresift}
[ -x "$wiresift" ] || cargo build --release --locked
if [ ! -e "$feed" ]; then
  echo "making $feed (a minute, once)" >&2
  python3 "$generator" feed --size 1000000 --out "$(dirname "$feed")" >&2
fi
if [ ! -e "$traffic/made" ] || [ benches/traffic.rs -nt "$traffic/made" ]; then
  echo "making the captures in $traffic (once)" >&2
  cargo test --quiet --locked --bench traffic -- "$traffic" "$pcaps" >&2
  touch "$traffic/made"
fi
exec python3 benches/packets/measure.py --wiresift "$wiresift" --feed "$feed" \
  --traffic "$traffic" --out target/packets "${pass[@]}"
