#!/bin/bash
# Record captures/http2.pcap anew: nghttpd, nghttp and curl speak HTTP/2 in clear text
# between two network namespaces of their own, and tcpdump listens. Nothing leaves
# the machine. The upgrade from HTTP/1, which nghttpd does not know, is in files.pcap.
# Prints the hashes of what was carried, for the test that asks for them.
#
# Run as root: testdata/record/http2.sh
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
out=$(dirname "$here")/captures/http2.pcap
export TZ=UTC LC_ALL=C
PATH=$PATH:/usr/sbin:/sbin

missing=
need() { command -v "$1" >/dev/null || missing="$missing $2"; }
need nghttpd nghttp2-server; need nghttp nghttp2-client; need curl curl
need tcpdump tcpdump; need ip iproute2; need ethtool ethtool; need python3 python3
if [ -n "$missing" ]; then
    echo "missing programs; on Debian 12: apt-get install --no-install-recommends$missing" >&2
    exit 2
fi

client=wsr$$-ws7 server=wsr$$-kestrel
work=$(mktemp -d)
clean() {
    local ns pid
    for ns in "$client" "$server"; do
        for pid in $(ip netns pids "$ns" 2>/dev/null); do kill "$pid" 2>/dev/null || true; done
        ip netns del "$ns" 2>/dev/null || true
    done
    rm -rf "$work"
}
trap clean EXIT

ip netns add "$client"
ip netns add "$server"
ip link add name ws0 netns "$client" type veth peer name srv0 netns "$server"
ip -n "$client" addr add 192.0.2.10/24 dev ws0
ip -n "$server" addr add 203.0.113.80/24 dev srv0
for ns in "$client" "$server"; do ip -n "$ns" link set lo up; done
ip -n "$client" link set ws0 up
ip -n "$server" link set srv0 up
ip -n "$client" route add default dev ws0
ip -n "$server" route add default dev srv0
ip netns exec "$client" ethtool -K ws0 tso off gso off gro off tx off >/dev/null
ip netns exec "$server" ethtool -K srv0 tso off gso off gro off tx off >/dev/null

python3 "$here/site.py" "$work/site" >/dev/null
cp -r "$work/site/kestrel" "$work/www"
echo '<html><title>Kestrel</title></html>' >"$work/www/index.html"
echo 'body { color: gray }' >"$work/www/panel.css"
seq 1 2000 >"$work/upload.txt"
gzip -9n <"$work/upload.txt" >"$work/upload.gz"

ip netns exec "$server" nghttpd --no-tls --address 203.0.113.80 --htdocs "$work/www" \
    --push=/index.html=/panel.css --padding=40 --trailer='x-sum: 7731' --echo-upload 8080 &
ip netns exec "$client" tcpdump -i ws0 -s 0 -U -w "$work/http2.pcap" 'tcp port 8080' 2>/dev/null &
sleep 2

authority=kestrel-update.example:8080
n() { ip netns exec "$client" nghttp --null-out --timeout=8 -H ":authority: $authority" "$@"; }
c() {
    ip netns exec "$client" curl -q -s -o /dev/null --max-time 8 \
        --resolve "$authority:203.0.113.80" --resolve api.gray-heron.test:8080:203.0.113.80 "$@"
}
base=http://203.0.113.80:8080
# Three streams at a time and a push, with padding; headers that need a CONTINUATION.
n --padding=60 -H 'referer: http://track.brightparcel.example/t' -H 'user-agent: gh/0.9' \
    $base/index.html $base/dl/KestrelSetup.bin $base/dl/invoice-7731.zip
n --continuation -H 'x-forwarded-for: 192.0.2.77, 203.0.113.99' $base/panel.css
# Uploads: plain, and in a coding.
n --data="$work/upload.txt" $base/gate.php
c --http2-prior-knowledge -A 'gh/0.9' -T "$work/upload.gz" -H 'content-encoding: gzip' \
    -H 'content-disposition: attachment; filename="numbers.txt"' http://api.gray-heron.test:8080/drop
# One connection, one request after another: the table fills up.
n -H 'user-agent: gh/0.9' "$base/?a=1" "$base/?a=2" "$base/?a=3" "$base/?a=4"
sleep 1
cp "$work/http2.pcap" "$out"
cd "$work"
sha256sum www/dl/* www/index.html www/panel.css upload.txt
