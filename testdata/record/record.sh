#!/bin/bash
# Record testdata/captures and testdata/logs anew: real programs talk to each
# other in network namespaces of their own, with addresses of the documentation
# ranges and invented names, and tcpdump listens. Nothing leaves the machine.
#
# Run as root: testdata/record/record.sh
#
#   ws7 192.0.2.10          router            www 198.51.100.80, ns1 .53, mx1 .25,
#   2001:db8:1::10 ── lan0 ┤      ├ dmz0 ──   bastion .22, proxy .31 (2001:db8:2::)
#                          └ wan0 ─ outside 203.0.113.5 .25 .66 .80 .99 (2001:db8:bad::)
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
out=$(dirname "$here")
export TZ=UTC LC_ALL=C

# --- what is needed ----------------------------------------------------------
missing=
need() { command -v "$1" >/dev/null || missing="$missing $2"; }
PATH=$PATH:/usr/sbin:/sbin
need tcpdump tcpdump; need tshark tshark; need dumpcap wireshark-common; need ip iproute2; need ethtool ethtool; need sysctl procps
need nginx nginx-light; need named bind9; need dig bind9-dnsutils; need curl curl; need openssl openssl
need sshd openssh-server; need ssh openssh-client; need sshpass sshpass; need postfix postfix; need swaks swaks
need squid squid; need socat socat; need rsyslogd rsyslog; need ping iputils-ping; need python3 python3
perl -MIO::Socket::INET6 -e 1 2>/dev/null || missing="$missing libio-socket-inet6-perl"
perl -MNet::SSLeay -e 1 2>/dev/null || missing="$missing libnet-ssleay-perl"
need smbd samba; need smbclient smbclient
/usr/bin/python3 -c "import pyftpdlib" 2>/dev/null || missing="$missing python3-pyftpdlib"
need zstd zstd; need xz xz-utils; need bzip2 bzip2
if [ -n "$missing" ]; then
    echo "missing programs; on Debian 12: apt-get install --no-install-recommends$missing" >&2
    exit 2
fi
if [ "$(id -u)" != 0 ]; then
    echo "network namespaces need root" >&2
    exit 2
fi

# HTTP/3 needs aioquic, which Debian 12 lacks: a Python that has it, or none
quic_python=${QUIC_PYTHON:-python3}
if ! "$quic_python" -c 'import aioquic' 2>/dev/null; then
    echo "no aioquic (pip install aioquic; QUIC_PYTHON names a Python that has it): quic.pcap stays as it is" >&2
    quic_python=
fi

# --- the stage ---------------------------------------------------------------
tag=wsr$$
client=$tag-lan router=$tag-rt dmz=$tag-dmz outside=$tag-out
work=$(mktemp -d)
chmod 755 "$work"
declare -A pids=()

stop() { # name...: ends programs that were started here
    local name
    for name in "$@"; do
        if [ -n "${pids[$name]:-}" ]; then
            kill "${pids[$name]}" 2>/dev/null || true
            wait "${pids[$name]}" 2>/dev/null || true
            unset "pids[$name]"
        fi
    done
}
clean() {
    local ns pid
    stop "${!pids[@]}"
    for ns in "$client" "$router" "$dmz" "$outside"; do
        for pid in $(ip netns pids "$ns" 2>/dev/null); do kill "$pid" 2>/dev/null || true; done
    done
    sleep 1
    for ns in "$client" "$router" "$dmz" "$outside"; do ip netns del "$ns" 2>/dev/null || true; done
    if [ -n "${KEEP:-}" ]; then echo "kept $work" >&2; else rm -rf "$work"; fi
}
trap clean EXIT

as() { # namespace, host name, command...
    local ns=$1 name=$2
    shift 2
    ip netns exec "$ns" unshare --mount --uts bash "$here/host/host.sh" "$work" "$name" "$@"
}
start() { # name, namespace, host name, command...: a program that stays
    local name=$1 ns=$2 host=$3
    shift 3
    # every step execs, so that $! is the program's own number;
    # setsid: smbd ends its whole process group when it is told to stop
    setsid ip netns exec "$ns" unshare --mount --uts bash "$here/host/host.sh" "$work" "$host" "$@" \
        >"$work/$name.out" 2>&1 </dev/null &
    pids[$name]=$!
}
wait_for() { # what, command...
    local what=$1
    shift
    for _ in $(seq 100); do
        if "$@" >/dev/null 2>&1; then return; fi
        sleep 0.1
    done
    echo "$what did not come up; its output:" >&2
    cat "$work"/*.out >&2
    exit 2
}
listens() { # namespace, port
    ip netns exec "$1" ss -Hltn "sport = :$2" | grep -q .
}
capture() { # name, namespace, tcpdump options and filter...
    local name=$1 ns=$2
    shift 2
    ip netns exec "$ns" tcpdump -Z root -n -B 8192 -U -w "$work/$name" "$@" 2>"$work/$name.out" &
    pids[$name]=$!
    wait_for "tcpdump for $name" grep -q 'listening on' "$work/$name.out"
}
keep() { # name...: ends captures and keeps them
    local name
    sleep 1.2
    for name in "$@"; do
        stop "$name"
        if ! grep -q '^0 packets dropped' "$work/$name.out"; then
            echo "$name: packets were dropped; run again" >&2
            exit 2
        fi
        cp "$work/$name" "$out/captures/$name"
    done
}

mkdir -p "$out/captures" "$out/logs" "$work"/{etc,dev,run,srv}
mkdir -p "$work"/srv/{tmp,run,log,www,tls,ssh,home,mail,named,nginx,squid,postfix/etc,postfix/queue,postfix/data}
chmod 1777 "$work/srv/tmp" "$work/srv/log" "$work/srv/run" "$work/srv/mail"
cp "$here"/named/* "$work/srv/named/"
cp "$here"/nginx/* "$work/srv/nginx/"
cp "$here"/postfix/* "$work/srv/postfix/etc/"
cp "$here"/squid/* "$work/srv/squid/"
cp "$here"/ssh/sshd_config "$work/srv/ssh/"
mkdir -p "$work"/srv/samba/ncalrpc
cp "$here/samba/smb.conf" "$work/srv/"
cp "$here"/vlanport.py "$here"/quic.py "$here"/sessions/*.sh "$work/srv/"
python3 "$here/site.py" "$work/srv/www" >"$work/hashes"
mkdir -p "$work/srv/www/pub"
cp -r "$work/srv/www/kestrel/dl" "$work/srv/www/pub/"
chmod -R a+rwX "$work/srv/www/pub"
cp "$here"/host/{passwd,group,pam-sshd} "$work/etc/"
printf '%s:*:20000:0:99999:7:::\n' root daemon mail proxy www-data postfix sshd nobody >"$work/etc/shadow"
printf '%s:%s:20000:0:99999:7:::\n' deploy "$(openssl passwd -6 invented)" backup7 "$(openssl passwd -6 other)" >>"$work/etc/shadow"
echo '127.0.0.1 localhost' >"$work/etc/hosts"
echo 'nameserver 198.51.100.53' >"$work/etc/resolv.conf"
printf 'passwd: files\ngroup: files\nshadow: files\nhosts: files dns\n' >"$work/etc/nsswitch.conf"
chown 102:105 "$work/srv/postfix/data"
chown 8:8 "$work/srv/mail"

# certificates: made for the day, their keys are thrown away with $work
cd "$work/srv/tls"
openssl ecparam -name prime256v1 -genkey -noout -out ca.key
openssl req -x509 -new -key ca.key -subj '/O=Invented/CN=Invented Root' -days 3650 -out ca.pem
certificate() { # file, subject, alternative names
    openssl ecparam -name prime256v1 -genkey -noout -out "$1.key"
    openssl req -new -key "$1.key" -subj "$2" -out "$1.csr"
    openssl x509 -req -in "$1.csr" -CA ca.pem -CAkey ca.key -CAcreateserial -days 825 -out "$1.pem" \
        -extfile <(echo "subjectAltName=$3") 2>/dev/null
    chmod 644 "$1.key"
}
certificate corp '/O=Corp/CN=www.corp.example' DNS:www.corp.example,DNS:intranet.corp.example,DNS:mx1.corp.example
certificate parcel '/CN=www.brightparcel.example' DNS:www.brightparcel.example,DNS:login.brightparcel.example
certificate heron '/O=Gray Heron Trading/CN=panel.gray-heron.test' 'DNS:panel.gray-heron.test,DNS:*.gray-heron.test,IP:203.0.113.66,email:admin@gray-heron.test'
cd "$work/srv/ssh"
ssh-keygen -q -t ed25519 -N '' -C bastion -f host_ed25519
ssh-keygen -q -t ecdsa -N '' -C bastion -f host_ecdsa
ssh-keygen -q -t ed25519 -N '' -C backup7 -f client_ed25519
cp client_ed25519.pub authorized_keys
chmod 644 authorized_keys
cd "$out"

for ns in "$client" "$router" "$dmz" "$outside"; do
    ip netns add "$ns"
    ip -n "$ns" link set lo up
    ip netns exec "$ns" sysctl -qw net.ipv6.conf.all.accept_dad=0 net.ipv6.conf.default.accept_dad=0
done
link() { # namespace, router's interface, number
    ip -n "$router" link add name "$2" address "02:00:00:00:0$3:01" type veth peer name eth0 address "02:00:00:00:0$3:02" netns "$1"
    ip -n "$1" link set eth0 mtu 1500 up
    ip -n "$router" link set "$2" up
    # no offloads: what is captured is what a wire would carry
    ip netns exec "$1" ethtool -K eth0 tx off rx off tso off gso off gro off >/dev/null 2>&1 || true
    ip netns exec "$router" ethtool -K "$2" tx off rx off tso off gso off gro off >/dev/null 2>&1 || true
}
address() { # namespace, interface, addresses...
    local ns=$1 dev=$2 one
    shift 2
    for one in "$@"; do
        case $one in *:*) ip -n "$ns" addr add "$one" dev "$dev" nodad ;; *) ip -n "$ns" addr add "$one" dev "$dev" ;; esac
    done
}
link "$client" lan0 1
link "$dmz" dmz0 2
link "$outside" wan0 3
address "$router" lan0 192.0.2.1/24 2001:db8:1::1/64
address "$router" dmz0 198.51.100.1/24 2001:db8:2::1/64
address "$router" wan0 203.0.113.1/24 2001:db8:bad::1/64
ip netns exec "$router" sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
address "$client" eth0 192.0.2.10/24 192.0.2.11/24 2001:db8:1::10/64
address "$dmz" eth0 198.51.100.{22,25,31,53,80}/24 2001:db8:2::{22,25,31,53,80}/64
address "$outside" eth0 203.0.113.{5,25,66,80,99}/24 2001:db8:bad::{5,25,66,80,99}/64
for side in "$client:192.0.2.1:2001:db8:1::1" "$dmz:198.51.100.1:2001:db8:2::1" "$outside:203.0.113.1:2001:db8:bad::1"; do
    IFS=: read -r ns four six <<<"$side"
    ip -n "$ns" route add default via "$four"
    ip -n "$ns" -6 route add default via "$six"
done

# --- the programs ------------------------------------------------------------
sed 's/NAME/auth.log/' "$here/host/rsyslog.conf" >"$work/srv/rsyslog-bastion.conf"
sed 's/NAME/mail.log/' "$here/host/rsyslog.conf" >"$work/srv/rsyslog-mx1.conf"
start named "$dmz" ns1 named -f -c /srv/named/named.conf
start www "$dmz" www nginx -e /srv/log/unused_nginx.log -p /srv/tmp/ -c /srv/nginx/corp.conf -g 'daemon off;'
start web "$outside" web nginx -e /srv/log/unused_nginx.log -p /srv/tmp/ -c /srv/nginx/outside.conf -g 'daemon off;'
start syslog1 "$dmz" bastion rsyslogd -n -i /srv/run/rsyslog1.pid -f /srv/rsyslog-bastion.conf
start syslog2 "$dmz" mx1 rsyslogd -n -i /srv/run/rsyslog2.pid -f /srv/rsyslog-mx1.conf
start squid "$dmz" proxy squid -N -f /srv/squid/squid.conf
wait_for 'the syslog of bastion' test -S "$work/dev/bastion/log"
wait_for 'the syslog of mx1' test -S "$work/dev/mx1/log"
start sshd "$dmz" bastion /usr/sbin/sshd -D -f /srv/ssh/sshd_config
start postfix "$dmz" mx1 postfix -c /srv/postfix/etc start-fg
start smbd "$dmz" www smbd -F --no-process-group -s /srv/smb.conf
start ftp4 "$outside" web /usr/bin/python3 -m pyftpdlib -i 203.0.113.80 -p 21 -d /srv/www/kestrel
start ftp6 "$outside" web /usr/bin/python3 -m pyftpdlib -i 2001:db8:bad::80 -p 21 -d /srv/www/kestrel
wait_for smbd listens "$dmz" 445
wait_for 'the FTP server' listens "$outside" 21
wait_for named listens "$dmz" 53
wait_for 'nginx of corp' listens "$dmz" 80
wait_for 'nginx outside' listens "$outside" 80
wait_for squid listens "$dmz" 3128
wait_for sshd listens "$dmz" 22
wait_for postfix listens "$dmz" 25

# --- the sessions ------------------------------------------------------------
echo 'browsing' >&2
capture dns_http_tls.pcap "$router" -i lan0
as "$client" ws7 bash browse.sh
keep dns_http_tls.pcap

echo 'a short visit, in several formats' >&2
capture nanosecond.pcap "$router" -i lan0 --time-stamp-precision=nano
capture cooked_v1.pcap "$router" -i any -y LINUX_SLL
capture cooked_v2.pcap "$router" -i any -y LINUX_SLL2
as "$client" ws7 bash short.sh
keep nanosecond.pcap cooked_v1.pcap cooked_v2.pcap

echo 'the proxy, on two interfaces' >&2
ip netns exec "$router" dumpcap -q -i lan0 -i dmz0 -w "$work/two_interfaces.pcapng" >"$work/dumpcap.out" 2>&1 &
pids[dumpcap]=$!
wait_for dumpcap test -s "$work/two_interfaces.pcapng"
sleep 1
as "$client" ws7 bash proxy.sh
sleep 1
stop dumpcap
python3 "$here/variants.py" plain-section "$work/two_interfaces.pcapng" "$out/captures/two_interfaces.pcapng"

echo 'visitors from outside' >&2
capture http_scan.pcap "$router" -i dmz0 'tcp port 80 or tcp port 443'
as "$outside" web bash scan.sh 203.0.113.99 2001:db8:bad::99
keep http_scan.pcap
capture ssh.pcap "$router" -i dmz0 'tcp port 22'
as "$outside" web bash ssh.sh 203.0.113.99 2001:db8:bad::99
keep ssh.pcap
capture mail.pcap "$router" -i wan0 'tcp port 25'
as "$outside" web bash mail.sh
as "$dmz" proxy bash reply.sh
sleep 2
keep mail.pcap

echo 'files, HTTP/2 and HTTP/3' >&2
capture files.pcap "$router" -i lan0
as "$client" ws7 bash files.sh
keep files.pcap
if [ -n "$quic_python" ]; then
    for one in 203.0.113.66 2001:db8:bad::66; do
        start "quic$one" "$outside" web "$quic_python" /srv/quic.py serve "$one" /srv/tls/heron.pem /srv/tls/heron.key
    done
    sleep 2
    capture quic.pcap "$router" -i lan0 'udp port 443'
    as "$client" ws7 "$quic_python" quic.py get panel.gray-heron.test 203.0.113.66 /gate.php /srv/tls/ca.pem
    as "$client" ws7 "$quic_python" quic.py get api.gray-heron.test 2001:db8:bad::66 /api/v2/tasks /srv/tls/ca.pem
    keep quic.pcap
fi

echo 'tunnels and tags' >&2
get() { # address of the web server at the far end of a tunnel
    as "$client" ws7 curl -q -sS -o /dev/null --max-time 5 -A 'gh/0.9' -H 'Host: panel.gray-heron.test' "http://$1/gate.php?via=$2" || true
    as "$client" ws7 ping -c 1 -W 1 "${1//[\[\]]/}" >/dev/null || true
}
# the outside's web server also answers on the tunnels: a second nginx, for any address
sed -e '/server {/,$d' "$here/nginx/outside.conf" >"$work/srv/nginx/tunnel.conf"
cat >>"$work/srv/nginx/tunnel.conf" <<'CONF'
    server {
        listen 203.0.113.130:80; listen 203.0.113.134:80; listen 203.0.113.138:80; listen 203.0.113.142:80; listen 203.0.113.146:80;
        listen [2001:db8:bad:1::2]:80; listen [2001:db8:bad:2::2]:80; listen [2001:db8:bad:3::2]:80; listen [2001:db8:bad:4::2]:80;
        location = /gate.php { default_type text/plain; return 200 'sleep 3600\n'; }
    }
}
CONF
sed -i 's/nginx-outside.pid/nginx-tunnel.pid/' "$work/srv/nginx/tunnel.conf"

# VXLAN between ws7 and outside
ip -n "$client" link add name vx0 address 02:00:00:00:04:02 type vxlan id 7731 local 192.0.2.10 remote 203.0.113.66 dstport 4789
ip -n "$outside" link add name vx0 address 02:00:00:00:04:01 type vxlan id 7731 local 203.0.113.66 remote 192.0.2.10 dstport 4789
# raw IP and IP in IP: tun devices that socat joins over UDP and over protocol 4
start tunA "$outside" web socat UDP4-DATAGRAM:192.0.2.10:7000,bind=203.0.113.66:7000 TUN,tun-name=tun0,iff-no-pi,iff-up
start tunB "$client" ws7 socat UDP4-DATAGRAM:203.0.113.66:7000,bind=192.0.2.10:7000 TUN,tun-name=tun0,iff-no-pi,iff-up
start ipipA "$outside" web socat IP4-DATAGRAM:192.0.2.10:4,bind=203.0.113.66 TUN,tun-name=tun1,iff-no-pi,iff-up
start ipipB "$client" ws7 socat IP4-DATAGRAM:203.0.113.66:4,bind=192.0.2.10 TUN,tun-name=tun1,iff-no-pi,iff-up
# VLAN: a cable of its own between the two, tagged once, and twice (802.1ad)
ip -n "$client" link add name trunk address 02:00:00:00:05:02 type veth peer name trunk address 02:00:00:00:05:01 netns "$outside"
for ns in "$client" "$outside"; do
    ip -n "$ns" link set trunk mtu 1600 up
    ip netns exec "$ns" ethtool -K trunk tx off rx off tso off gso off gro off rxvlan off txvlan off >/dev/null 2>&1 || true
done
start vlanA "$outside" web python3 /srv/vlanport.py trunk access 110
start vlanB "$client" ws7 python3 /srv/vlanport.py trunk access 110
start qinqA "$outside" web python3 /srv/vlanport.py trunk metro s200 30
start qinqB "$client" ws7 python3 /srv/vlanport.py trunk metro s200 30
sleep 1
net=0
for dev in vx0 tun0 tun1 access metro; do
    four=203.0.113.$((129 + 4 * net)) far=203.0.113.$((130 + 4 * net))
    address "$client" $dev $four/30
    address "$outside" $dev $far/30
    case $dev in
    tun1) ;;
    *)
        six=$((net < 2 ? net + 1 : net))
        address "$client" $dev 2001:db8:bad:$six::1/64
        address "$outside" $dev 2001:db8:bad:$six::2/64
        ;;
    esac
    for ns in "$client" "$outside"; do
        case $dev:$ns in *:"$client") last=02 ;; *) last=01 ;; esac
        case $dev in
        access) ip -n "$ns" link set access address 02:00:00:00:06:$last ;;
        metro) ip -n "$ns" link set metro address 02:00:00:00:07:$last ;;
        esac
        ip -n "$ns" link set $dev mtu 1400 up
        ip netns exec "$ns" ethtool -K $dev tx off rx off tso off gso off gro off >/dev/null 2>&1 || true
    done
    net=$((net + 1))
done
start web2 "$outside" web nginx -e /srv/log/unused_nginx.log -p /srv/tmp/ -c /srv/nginx/tunnel.conf -g 'daemon off;'
wait_for 'nginx on the tunnels' test -s "$work/srv/run/nginx-tunnel.pid"
sleep 1
capture vxlan.pcap "$router" -i lan0 'udp port 4789'
get 203.0.113.130 vxlan
get '[2001:db8:bad:1::2]' vxlan
keep vxlan.pcap
capture raw_ip.pcap "$client" -i tun0
get 203.0.113.134 tun
get '[2001:db8:bad:2::2]' tun
keep raw_ip.pcap
capture ipip.pcap "$router" -i lan0 'ip proto 4'
get 203.0.113.138 ipip
keep ipip.pcap
capture vlan.pcap "$client" -i trunk
get 203.0.113.142 vlan
get '[2001:db8:bad:3::2]' vlan
get 203.0.113.146 qinq
get '[2001:db8:bad:4::2]' qinq
keep vlan.pcap

echo 'fragments and the loopback' >&2
capture fragments.pcap "$router" -i lan0
as "$client" ws7 dig +noall +ignore +bufsize=4096 @198.51.100.53 big.gray-heron.test TXT || true
as "$client" ws7 dig +noall +ignore +bufsize=4096 @2001:db8:2::53 big.gray-heron.test TXT || true
keep fragments.pcap
capture loopback.pcap "$dmz" -i lo
as "$dmz" ns1 dig +noall @198.51.100.53 panel.gray-heron.test A || true
as "$dmz" ns1 curl -q -sS -o /dev/null -A 'health/1' 'http://[2001:db8:2::80]/api/ping' || true
keep loopback.pcap

python3 "$here/variants.py" big-endian "$out/captures/nanosecond.pcap" "$out/captures/big_endian_nano.pcap"
python3 "$here/variants.py" big-endian "$out/captures/http_scan.pcap" "$out/captures/big_endian.pcap"
python3 "$here/variants.py" null "$out/captures/raw_ip.pcap" "$out/captures/bsd_loopback.pcap"
gzip -9nc "$out/captures/http_scan.pcap" >"$out/captures/http_scan.pcap.gz"

# --- the logs ----------------------------------------------------------------
as "$dmz" mx1 postfix -c /srv/postfix/etc stop >/dev/null 2>&1 || true
sleep 1
stop sshd squid www web web2 named syslog1 syslog2
cd "$work/srv/log"
for log in nginx_access.log nginx_access.json nginx_proxied.log nginx_error.log named_query.log named_security.log \
    auth.log mail.log squid_access.log squid_combined.log; do
    if [ -s "$log" ]; then install -m 644 "$log" "$out/logs/$log"; else echo "no $log" >&2; fi
done
cd "$out/logs"
gzip -9nc nginx_access.log >nginx_access.log.gz
bzip2 -9c auth.log >auth.log.bz2
xz -9c named_query.log >named_query.log.xz
zstd -q -19 -c mail.log >mail.log.zst

# the mails as postfix delivered them
mkdir -p "$out/mail"
rm -f "$out"/mail/*.eml "$out/mail/all.mbox"
for file in $(grep -l . "$work"/srv/mail/*/new/* | sort); do
    name=$(sed -n 's/^Subject: //p' "$file" | head -1 | tr 'A-Z ' 'a-z-' | tr -cd 'a-z0-9-')
    install -m 644 "$file" "$out/mail/$name.eml"
    { printf 'From billing@oldlace.example Tue Nov 24 04:05:06 2026\n'; sed 's/^From />From /' "$file"; echo; } >>"$out/mail/all.mbox"
done

# --- what depends on the day: fingerprints ------------------------------------
sha1=$(openssl x509 -in "$work/srv/tls/heron.pem" -outform DER | sha1sum | cut -c1-40)
sha256=$(openssl x509 -in "$work/srv/tls/heron.pem" -outform DER | sha256sum | cut -c1-64)
ja3=$(tshark -n -r "$out/captures/dns_http_tls.pcap" -Y 'tls.handshake.extensions_server_name == "api.gray-heron.test"' -T fields -e tls.handshake.ja3 2>/dev/null | head -1)
for file in "$here"/indicators/*.in; do
    if [ -e "$file" ]; then
        name=$(basename "$file" .in)
        sed -e "s/@CERT_SHA1@/$sha1/g" -e "s/@CERT_SHA256@/$sha256/g" -e "s/@JA3@/$ja3/g" "$file" >"$out/indicators/$name"
    fi
done
"$here/expected.sh"
"$here/versions.sh" bind9 bind9-dnsutils curl iproute2 nghttp2-client nghttp2-server nginx-light openssh-client openssh-server \
    openssl postfix rsyslog samba smbclient socat squid swaks tcpdump tshark wireshark-common
du -sh "$out" >&2
