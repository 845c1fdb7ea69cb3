#!/usr/bin/env bash
# wiresift tap on a wire of its own: rates, drops, one worker against two.
#
#   sudo benches/tap/run.sh [PCAP [DB [LOOPS]]]
#
# PCAP must be of Ethernet, with frames of at most 1514 bytes and many flows: a flow is
# one worker's. Needs tcpreplay and iproute2. The sender takes a core of its own, so
# that two workers are compared over packets that wait in their rings already.
set -euo pipefail
cd "$(dirname "$0")/../.."

wiresift=${WIRESIFT:-target/release/wiresift}
pcap=${1:-testdata/captures/dns_http_tls.pcap}
loops=${3:-600}
rounds=${ROUNDS:-5}
work=$(mktemp -d)
ns=wsbench$$
near=wsb$$
stats=$work/stats

finish() {
  ip netns del "$ns" 2>/dev/null || true
  rm -rf "$work"
}
trap finish EXIT

db=${2:-$work/db}
[ -n "${2:-}" ] || "$wiresift" compile -q --internal -o "$db" testdata/indicators

ip netns add "$ns"
ip link add "$near" type veth peer name far netns "$ns"
ip link set "$near" addrgenmode none up
ip -n "$ns" link set far addrgenmode none up

# send FLAG…: replays, and prints packets and packets a second.
send() {
  tcpreplay -q --preload-pcap --loop "$loops" -i "$near" "$@" "$pcap" 2>&1 |
    awk '/^Actual:/ { sent = $2 } /^Rated:/ { print sent, int($(NF - 1)) }'
}

# start WORKERS RING FLAG…: a tap that listens, as $tap.
start() {
  local workers=$1 ring=$2
  shift 2
  : >"$stats"
  ip netns exec "$ns" "$wiresift" tap --db "$db" -i far -j "$workers" --ring "$ring" \
    --stats=json -o /dev/null "$@" 2>>"$stats" &
  tap=$!
  until grep -q seccomp "$stats"; do sleep 0.02; done
}

member() { sed -n 's/.*"'"$1"'":\([0-9]*\).*/\1/p' "$stats" | tail -1; }

# Nobody listens: what the sender reaches.
read -r sent top < <(send --topspeed)
echo "sender alone: $sent packets, $top packets/s"

for workers in 1 2; do
  for share in 80 100; do
    start "$workers" 16M
    if [ "$share" = 100 ]; then speed=(--topspeed); else speed=(--pps $((top * share / 100))); fi
    read -r sent rate < <(send "${speed[@]}")
    kill -TERM "$tap"
    wait "$tap" || true
    frames=$(member frames) dropped=$(member dropped_by_kernel) received=$(member received)
    rest=$((received - frames - dropped - $(member outside)))
    # What the kernel puts together for several workers is received as one.
    echo "$workers workers, $share%: $rate packets/s, of $sent: $dropped dropped, $frames decoded," \
      "$((sent - received)) fragments put together, $rest unaccounted for"
  done
done

# drain WORKERS COUNT: milliseconds for so many packets that wait in the rings.
drain() {
  local begun
  start "$1" $((1024 / $1))M --count "$2"
  kill -STOP "$tap"
  send --topspeed >/dev/null
  begun=$(date +%s%N)
  kill -CONT "$tap"
  wait "$tap" || true
  echo $((($(date +%s%N) - begun) / 1000000))
}

# What both take to begin and to end is measured with one packet, and taken off.
for workers in 1 2; do
  best=999999 least=999999
  for _ in $(seq "$rounds"); do
    least=$(printf '%s\n' "$least" "$(drain "$workers" 1)" | sort -n | head -1)
    # Fragments that are put together are fewer packets.
    best=$(printf '%s\n' "$best" "$(drain "$workers" $((sent * 99 / 100)))" | sort -n | head -1)
  done
  echo "$workers workers: $((best - least)) ms for $((sent * 99 / 100)) packets that wait"
done
