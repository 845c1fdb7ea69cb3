#!/bin/bash
# Write captures/EXPECTED.tsv: what tshark sees in the captures. Columns:
# file, packet (from 1), where, value. Addresses: the first packet of each
# distinct value in a file; the rest: every packet, each value once in it.
# Values are as tshark prints them, names with the case that stood on the wire.
# `dns.answer` holds addresses and names from the answer, authority and
# additional sections alike: A, AAAA, CNAME, NS, MX, SRV and SVCB targets, PTR,
# SOA's server, and the address hints of HTTPS and SVCB.
set -euo pipefail
cd "$(dirname "$0")/../captures"
export LC_ALL=C

fields() { # file, where, filter, fields...: one "packet<TAB>value" a line
    local file=$1 where=$2 filter=$3 args=() field
    shift 3
    for field in "$@"; do args+=(-e "$field"); done
    tshark -n -r "$file" -Y "$filter" -T fields -E occurrence=a -E aggregator=/s -E separator=/t \
        -e frame.number "${args[@]}" 2>/dev/null |
        awk -F '\t' -v file="$file" -v where="$where" '
            { for (i = 2; i <= NF; i++) {
                # A packet of HTTP/2 may hold several; in a URL a blank may stand.
                gsub(/ http:/, "\001http:", $i)
                n = split($i, part, where == "http.url" ? "\001" : " ")
                for (k = 1; k <= n; k++) if (part[k] != "" && part[k] != "<Root>" && !seen[$1, part[k]]++) {
                    if (where ~ /^ip\./ && once[part[k]]++) continue
                    print file "\t" $1 "\t" where "\t" part[k]
                }
            } }'
}
for file in *.pcap *.pcapng *.pcap.gz; do
    fields "$file" ip.src 'ip or ipv6' ip.src ipv6.src
    fields "$file" ip.dst 'ip or ipv6' ip.dst ipv6.dst
    fields "$file" dns.query 'dns.flags.response == 0' dns.qry.name
    fields "$file" dns.answer 'dns.flags.response == 1' dns.a dns.aaaa dns.cname dns.ns dns.mx.mail_exchange \
        dns.srv.target dns.ptr.domain_name dns.soa.mname dns.svcb.targetname dns.svcb.svcparam.ipv4hint.ip dns.svcb.svcparam.ipv6hint.ip
    fields "$file" tls.sni 'tcp and tls.handshake.extensions_server_name' tls.handshake.extensions_server_name
    fields "$file" quic.sni 'quic and tls.handshake.extensions_server_name' tls.handshake.extensions_server_name
    fields "$file" http.host "http.host or http2.headers.authority" http.host http2.headers.authority
    fields "$file" http.url "http.request or http2.request.full_uri" http.request.full_uri http2.request.full_uri
done >EXPECTED.tsv
