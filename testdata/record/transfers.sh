#!/bin/bash
# Record captures/ftp*.pcap, tftp.pcap, smb1.pcap and smb2.pcap anew: servers and clients of
# FTP, TFTP and SMB of all ages carry files between two network namespaces of their own, and
# tcpdump listens. Nothing leaves the machine. Beside them it writes captures/TRANSFERS.tsv:
# what md5sum, sha1sum and sha256sum say of the files on the disks.
#
# Run as root: testdata/record/transfers.sh [ftp|tftp|smb]...
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
out=$(dirname "$here")/captures
export TZ=UTC LC_ALL=C
PATH=$PATH:/usr/sbin:/sbin

missing=
need() { command -v "$1" >/dev/null || missing="$missing $2"; }
need tcpdump tcpdump; need ip iproute2; need ethtool ethtool; need python3 python3; need curl curl
need vsftpd vsftpd; need lftp lftp; need tnftp tnftp; need inetutils-ftp inetutils-ftp; need busybox busybox
need in.tftpd tftpd-hpa; need tftp tftp-hpa; need atftp atftp
need smbd samba; need smbclient smbclient
/usr/bin/python3 -c 'import pyftpdlib' 2>/dev/null || missing="$missing python3-pyftpdlib"
/usr/bin/python3 -c 'import impacket' 2>/dev/null || missing="$missing python3-impacket"
if [ -n "$missing" ]; then
    echo "missing programs; on Debian 12: apt-get install --no-install-recommends$missing" >&2
    exit 2
fi

# Debian lets these not stand beside vsftpd and tftpd-hpa: they are run from where they lie.
unpacked=${UNPACKED:-}
if [ ! -x "$unpacked/usr/sbin/proftpd" ] || [ ! -x "$unpacked/usr/sbin/atftpd" ]; then
    echo 'missing servers; UNPACKED names a folder that has them:' >&2
    echo '  apt-get download proftpd-core atftpd; for deb in *.deb; do dpkg -x "$deb" FOLDER; done' >&2
    exit 2
fi

client=wsr$$-ws7 server=wsr$$-srv
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
    for ns in "$client" "$server"; do
        for pid in $(ip netns pids "$ns" 2>/dev/null); do kill "$pid" 2>/dev/null || true; done
    done
    sleep 0.5
    for ns in "$client" "$server"; do ip netns del "$ns" 2>/dev/null || true; done
    if [ -n "${KEEP:-}" ]; then echo "kept $work" >&2; else rm -rf "$work"; fi
}
trap clean EXIT

# --- the stage ---------------------------------------------------------------
ip netns add "$client"
ip netns add "$server"
ip link add name ws0 netns "$client" type veth peer name srv0 netns "$server"
ip -n "$client" addr add 192.0.2.10/24 dev ws0
ip -n "$client" addr add 2001:db8:1::10/64 dev ws0 nodad
for one in 203.0.113.80 203.0.113.66 198.51.100.80; do ip -n "$server" addr add $one/24 dev srv0; done
ip -n "$server" addr add 2001:db8:bad::80/64 dev srv0 nodad
for ns in "$client" "$server"; do ip -n "$ns" link set lo up; done
ip -n "$client" link set ws0 up
ip -n "$server" link set srv0 up
for family in -4 -6; do
    ip -n "$client" $family route add default dev ws0
    ip -n "$server" $family route add default dev srv0
done
ip netns exec "$client" ethtool -K ws0 tso off gso off gro off tx off >/dev/null
ip netns exec "$server" ethtool -K srv0 tso off gso off gro off tx off >/dev/null

on() { # namespace, command...
    local ns=$1
    shift
    ip netns exec "$ns" env HOME="$work/home" "$@"
}
start() { # name, namespace, command...: a program that stays
    local name=$1 ns=$2
    shift 2
    # setsid: smbd ends its whole process group when it is told to stop
    setsid ip netns exec "$ns" "$@" >"$work/$name.out" 2>&1 </dev/null &
    pids[$name]=$!
}
wait_for() { # what, command...
    local what=$1
    shift
    for _ in $(seq 100); do
        if "$@" >/dev/null 2>&1; then return; fi
        sleep 0.1
    done
    echo "$what did not come up" >&2
    cat "$work"/*.out >&2
    exit 2
}
takes() { # port, udp or tcp
    ip netns exec "$server" ss -Hnl"${2:-t}" "sport = :$1" | grep -q .
}
capture() { # name, filter...
    local name=$1
    shift
    ip netns exec "$client" tcpdump -Z root -n -i ws0 -s 0 -B 8192 -U -w "$work/$name" "$@" 2>"$work/$name.out" &
    pids[$name]=$!
    wait_for "tcpdump for $name" grep -q 'listening on' "$work/$name.out"
    rm -f "$work/$name.tsv"
    capture=$name
}
keep() { # ends the capture and keeps it with what is true of it
    sleep 1.2
    stop "$capture"
    if ! grep -q '^0 packets dropped' "$work/$capture.out"; then
        echo "$capture: packets were dropped; run again" >&2
        exit 2
    fi
    cp "$work/$capture" "$out/$capture"
    touch "$out/TRANSFERS.tsv"
    { grep -v "^$capture	" "$out/TRANSFERS.tsv" || true; sort "$work/$capture.tsv"; } >"$work/transfers"
    cp "$work/transfers" "$out/TRANSFERS.tsv"
}
digests() { # file
    printf '%s\t%s\t%s\t%s' "$(stat -c %s "$1")" "$(md5sum <"$1" | cut -d' ' -f1)" \
        "$(sha1sum <"$1" | cut -d' ' -f1)" "$(sha256sum <"$1" | cut -d' ' -f1)"
}
truth() { # protocol, name, file on a disk: it was carried as a whole, once
    if [ ! -s "$3" ]; then
        echo "$capture: $3 did not arrive" >&2
        exit 2
    fi
    printf '%s\t%s\t%s\t%s\n' "$capture" "$1" "$2" "$(digests "$3")" >>"$work/$capture.tsv"
}
agree() { # file, file: a program did what it was asked for
    if ! cmp "$1" "$2" >&2; then
        echo "$capture: $1 is not $2" >&2
        exit 2
    fi
}
quietly() { "$@" >>"$work/sessions.out" 2>&1 || true; }

# --- the files ---------------------------------------------------------------
mkdir -p "$work"/{home,site,disk,pub/up}
python3 "$here/site.py" "$work/site" >/dev/null
python3 "$here/texts.py" "$work/pub"
cp "$work/site/kestrel/dl/KestrelSetup.bin" "$work/pub/"
# as text travels: `sed` knows nothing of FTP
for text in lf crlf; do
    tr -d '\r' <"$work/pub/$text.txt" >"$work/$text.lf"
    sed 's/$/\r/' "$work/$text.lf" >"$work/$text.wire"
done
cd "$work/disk"

ftp() {
    chown ftp "$work/pub/up"
    chmod 755 "$work/pub" "$work/pub/up"
    mkdir -p /run/vsftpd/empty
    local family
    for family in 4 6; do
        cp "$here/ftp/vsftpd.conf" "$work/vsftpd$family.conf"
        {
            echo "anon_root=$work/pub"
            if [ $family = 4 ]; then
                printf '%s\n' listen=YES listen_ipv6=NO listen_address=203.0.113.80
            else
                printf '%s\n' listen=NO listen_ipv6=YES listen_address6=2001:db8:bad::80
            fi
        } >>"$work/vsftpd$family.conf"
        start "vsftpd$family" "$server" vsftpd "$work/vsftpd$family.conf"
    done
    {
        cat "$here/ftp/proftpd.conf"
        printf '%s\n' 'DefaultAddress 203.0.113.66' "PidFile $work/proftpd.pid" "ScoreboardFile $work/proftpd.board"
        printf '%s\n' "<Anonymous $work/pub>" 'User ftp' 'Group nogroup' 'UserAlias anonymous ftp' 'RequireValidShell off' '</Anonymous>'
    } >"$work/proftpd.conf"
    start proftpd "$server" "$unpacked/usr/sbin/proftpd" --nodaemon --config "$work/proftpd.conf"
    start ftp_fast "$server" /usr/bin/python3 "$here/ftp_server.py" 203.0.113.80 "$work/pub" 0
    start ftp_slow "$server" /usr/bin/python3 "$here/ftp_server.py" 203.0.113.66 "$work/pub" 1000
    wait_for proftpd takes 2021
    wait_for pyftpdlib takes 2121
    wait_for vsftpd takes 21
    sleep 1
    local pub=$work/pub up=$work/pub/up base=ftp://203.0.113.80 six='ftp://[2001:db8:bad::80]'
    c() { on "$client" curl -q -sS --max-time 8 -u anonymous:ana.ruiz@corp.example "$@" >>"$work/sessions.out" 2>&1; }
    fetched() { truth ftp "$1" "$pub/$1"; }
    as_text() { truth ftp "$1" "$2"; truth ftp "$1" "$3"; }

    capture ftp.pcap 'tcp and not port 2121'
    # curl: EPSV, PASV, EPRT, PORT, IPv6; bytes and text, both ways.
    c -o k1 $base/KestrelSetup.bin; agree k1 "$pub/KestrelSetup.bin"; fetched KestrelSetup.bin
    c -o k2 --disable-epsv $base/pairs.bin; agree k2 "$pub/pairs.bin"; fetched pairs.bin
    c -o k3 -P - "$six/KestrelSetup.bin"; agree k3 "$pub/KestrelSetup.bin"; fetched KestrelSetup.bin
    c -o k4 -P - --disable-eprt $base/pairs.bin; agree k4 "$pub/pairs.bin"; fetched pairs.bin
    c -o k5 -B $base/lf.txt; agree k5 "$work/lf.lf"; as_text lf.txt "$work/lf.lf" "$work/lf.wire"
    c -o k6 -B -P - "$six/crlf.txt"; agree k6 "$work/crlf.lf"; as_text crlf.txt "$work/crlf.lf" "$work/crlf.wire"
    c -T "$pub/KestrelSetup.bin" $base/up/curl.bin; agree "$up/curl.bin" "$pub/KestrelSetup.bin"; truth ftp curl.bin "$up/curl.bin"
    # It adds CR to each end of a line, and so does not lose those that were there.
    sed 's/$/\r/' "$pub/crlf.txt" >"$work/crcrlf.wire"
    c -T "$pub/crlf.txt" -B -P - --disable-eprt "$base/up/curl.txt"
    agree "$up/curl.txt" "$pub/crlf.txt"; as_text curl.txt "$pub/crlf.txt" "$work/crcrlf.wire"
    # A file in two parts, a part, one that goes behind what was there: no file by itself.
    head -c 2048 "$pub/KestrelSetup.bin" >k7
    c -C 2048 -o k7 $base/KestrelSetup.bin; agree k7 "$pub/KestrelSetup.bin"
    quietly c -o k8 -r 100-1500 $base/KestrelSetup.bin
    c -a -T "$pub/pairs.bin" $base/up/curl.bin
    # Two files over one control connection.
    c -o k9 $base/pairs.bin -o k10 $base/lf.txt; agree k9 "$pub/pairs.bin"; fetched pairs.bin; agree k10 "$pub/lf.txt"; fetched lf.txt
    keep

    capture ftp_old.pcap 'tcp and not port 2121'
    # tnftp and inetutils: PASV and PORT by commands, text first.
    head -c 2048 "$pub/KestrelSetup.bin" | tee t5 >KestrelSetup.bin
    on "$client" tnftp -n -v -A 203.0.113.80 >>"$work/sessions.out" 2>&1 <<FTP
user anonymous ana.ruiz@corp.example
epsv4 off
ascii
get lf.txt t1
put $pub/lf.txt up/tn.txt
binary
get pairs.bin t2
passive
get KestrelSetup.bin t3
ascii
get crlf.txt t4
binary
reget KestrelSetup.bin t5
ls
put $pub/KestrelSetup.bin up/tn.bin
bye
FTP
    agree t1 "$work/lf.lf"; as_text lf.txt "$work/lf.lf" "$work/lf.wire"
    agree "$up/tn.txt" "$work/lf.lf"; as_text tn.txt "$work/lf.lf" "$work/lf.wire"
    agree t2 "$pub/pairs.bin"; fetched pairs.bin
    agree t3 "$pub/KestrelSetup.bin"; fetched KestrelSetup.bin
    agree t5 "$pub/KestrelSetup.bin"
    agree t4 "$work/crlf.lf"; as_text crlf.txt "$work/crlf.lf" "$work/crlf.wire"
    agree "$up/tn.bin" "$pub/KestrelSetup.bin"; truth ftp tn.bin "$up/tn.bin"
    on "$client" inetutils-ftp -n -v 203.0.113.80 >>"$work/sessions.out" 2>&1 <<FTP
user anonymous ana.ruiz@corp.example
ascii
get lf.txt i1
put $pub/crlf.txt up/in.txt
binary
put $pub/pairs.bin up/in.bin
reget KestrelSetup.bin
bye
FTP
    agree i1 "$work/lf.lf"; as_text lf.txt "$work/lf.lf" "$work/lf.wire"
    agree "$up/in.txt" "$work/crlf.wire"; as_text in.txt "$up/in.txt" "$work/crcrlf.wire"
    agree KestrelSetup.bin "$pub/KestrelSetup.bin"
    agree "$up/in.bin" "$pub/pairs.bin"; truth ftp in.bin "$up/in.bin"
    on "$client" busybox ftpget 203.0.113.80 b1 pairs.bin
    agree b1 "$pub/pairs.bin"; fetched pairs.bin
    on "$client" busybox ftpput 203.0.113.80 up/busy.bin "$pub/pairs.bin"
    agree "$up/busy.bin" "$pub/pairs.bin"; truth ftp busy.bin "$up/busy.bin"
    keep

    capture ftp_parts.pcap 'tcp and not port 21'
    # lftp, which waits for nothing unless it is told to: text, active, a file in two connections
    # at once, one that goes on where it ended.
    l() { quietly on "$client" timeout 20 lftp -c "set net:max-retries 1; set cmd:interactive no; set ftp:sync-mode no; $*"; }
    l "open -u anonymous,a@b.example 203.0.113.66:2021; get pairs.bin -o l1; get -a lf.txt -o l2; set ftp:passive-mode no; get KestrelSetup.bin -o l3; put -O up $work/pub/pairs.bin -o lftp.bin; put -O up -a $work/pub/lf.txt -o lftp.txt"
    agree l1 "$pub/pairs.bin"; fetched pairs.bin
    agree l2 "$pub/lf.txt"; as_text lf.txt "$pub/lf.txt" "$work/lf.wire"
    agree l3 "$pub/KestrelSetup.bin"; fetched KestrelSetup.bin
    agree "$up/lftp.bin" "$pub/pairs.bin"; truth ftp lftp.bin "$up/lftp.bin"
    agree "$up/lftp.txt" "$pub/lf.txt"; as_text lftp.txt "$pub/lf.txt" "$work/lf.wire"
    l "open -u anonymous,a@b.example 203.0.113.80:2121; get -a crlf.txt -o l5; set ftp:sync-mode yes; get pairs.bin -o l7"
    agree l7 "$pub/pairs.bin"; fetched pairs.bin
    l "set pget:min-chunk-size 1k; open -u anonymous,a@b.example 203.0.113.66:2121; pget -n 2 KestrelSetup.bin -o l4"
    agree l4 "$pub/KestrelSetup.bin"
    agree l5 "$work/crlf.lf"; as_text crlf.txt "$work/crlf.lf" "$work/crlf.wire"
    head -c 1000 "$pub/pairs.bin" >l6
    l "open -u anonymous,a@b.example 203.0.113.80:2121; get -c pairs.bin -o l6"
    agree l6 "$pub/pairs.bin"
    # Broken off: by time, by the user (ABOR), by the client's end.
    quietly on "$client" curl -q -sS --max-time 0.9 -u anonymous:a -o x1 ftp://203.0.113.66:2121/KestrelSetup.bin
    quietly on "$client" curl -q -sS --max-time 0.9 -u anonymous:a -B -o x2 ftp://203.0.113.66:2121/crlf.txt
    printf '%s\n' 'user anonymous a' ascii 'get crlf.txt x3' bye >abort
    quietly on "$client" timeout -s INT 1 tnftp -n -A 203.0.113.66 2121 <abort
    quietly on "$client" timeout -s INT 1 tnftp -n 203.0.113.66 2121 <abort
    quietly on "$client" timeout -s INT 1 inetutils-ftp -n 203.0.113.66 2121 <abort
    quietly on "$client" timeout 1 lftp -c "open -u anonymous,a 203.0.113.66:2121; get -a lf.txt -o x4"
    keep
}

tftp() {
    local dir=$work/tftp
    mkdir -p "$dir/up" "$work/atftp"
    cp "$work/pub"/*.* "$dir/"
    cp "$work/pub"/*.* "$work/atftp/"
    touch "$dir/up"/{hpa.bin,hpa.txt,hpa.cr,curl.bin,busy.bin}
    chmod 777 "$dir/up" "$work/atftp"
    chmod 666 "$dir/up"/*
    start tftpd "$server" in.tftpd -L -a 203.0.113.80:69 -u tftp -s -B 1428 "$dir"
    start atftpd "$server" "$unpacked/usr/sbin/atftpd" --daemon --no-fork --user nobody.nogroup --bind-address 203.0.113.66 "$work/atftp"
    wait_for in.tftpd takes 69 u
    sleep 1
    on_time() { quietly on "$client" timeout 8 "$@"; }
    carried() { truth tftp "$1" "$2"; }
    as_text() { truth tftp "$1" "$2"; truth tftp "$1" "$3"; }
    # as netascii has it: CR LF for LF, CR NUL for CR
    wire() { sed -e 's/\r/\r\x00/g' -e 's/$/\r/' "$1"; }
    for text in lf crlf; do wire "$work/pub/$text.txt" >"$work/$text.net"; done
    # its last line has no end
    wire "$work/pub/cr.txt" | head -c -1 >"$work/cr.net"

    capture tftp.pcap udp
    # tftp-hpa has no options; it translates text itself.
    on_time tftp 203.0.113.80 -m octet -c get KestrelSetup.bin h1; agree h1 "$work/pub/KestrelSetup.bin"
    carried KestrelSetup.bin "$work/pub/KestrelSetup.bin"
    on_time tftp 203.0.113.80 -m netascii -c get lf.txt h2; agree h2 "$work/pub/lf.txt"; as_text lf.txt h2 "$work/lf.net"
    on_time tftp 203.0.113.80 -m netascii -c get crlf.txt h3; agree h3 "$work/pub/crlf.txt"; as_text crlf.txt h3 "$work/crlf.net"
    on_time tftp 203.0.113.80 -m netascii -c get cr.txt h4; agree h4 "$work/pub/cr.txt"; as_text cr.txt h4 "$work/cr.net"
    on_time tftp 203.0.113.80 -m octet -c put "$work/pub/pairs.bin" up/hpa.bin
    agree "$dir/up/hpa.bin" "$work/pub/pairs.bin"; carried hpa.bin "$dir/up/hpa.bin"
    on_time tftp 203.0.113.80 -m netascii -c put "$work/pub/lf.txt" up/hpa.txt
    agree "$dir/up/hpa.txt" "$work/pub/lf.txt"; as_text hpa.txt "$dir/up/hpa.txt" "$work/lf.net"
    on_time tftp 203.0.113.80 -m netascii -c put "$work/pub/cr.txt" up/hpa.cr
    agree "$dir/up/hpa.cr" "$work/pub/cr.txt"; as_text hpa.cr "$dir/up/hpa.cr" "$work/cr.net"
    # curl asks for blksize, tsize and timeout; of 1,428 bytes the server grants all, and less of more.
    on_time curl -q -sS -o c1 --tftp-blksize 1024 tftp://203.0.113.80/KestrelSetup.bin; agree c1 "$work/pub/KestrelSetup.bin"; carried KestrelSetup.bin c1
    on_time curl -q -sS -o c2 --tftp-blksize 8192 tftp://203.0.113.80/pairs.bin; agree c2 "$work/pub/pairs.bin"
    carried pairs.bin "$work/pub/pairs.bin"
    on_time curl -q -sS -o c3 --tftp-no-options tftp://203.0.113.80/pairs.bin; agree c3 "$work/pub/pairs.bin"; carried pairs.bin c3
    on_time curl -q -sS -T "$work/pub/pairs.bin" --tftp-blksize 700 tftp://203.0.113.80/up/curl.bin
    agree "$dir/up/curl.bin" "$work/pub/pairs.bin"; carried curl.bin "$dir/up/curl.bin"
    on_time curl -q -sS -o c4 'tftp://203.0.113.80/lf.txt;mode=netascii'
    # atftp and busybox, with options, against two servers
    local at
    for at in 203.0.113.80 203.0.113.66; do
        on_time atftp --option 'blksize 512' --option 'tsize 0' -g -r KestrelSetup.bin -l "a1.$at" $at; agree "a1.$at" "$work/pub/KestrelSetup.bin"
        carried KestrelSetup.bin "a1.$at"
        on_time atftp --option 'mode netascii' --option 'blksize 1200' -g -r lf.txt -l "a2.$at" $at
        as_text lf.txt "$work/pub/lf.txt" "$work/lf.net"
        on_time busybox tftp -g -b 900 -r pairs.bin -l "b1.$at" $at; agree "b1.$at" "$work/pub/pairs.bin"; carried pairs.bin "b1.$at"
    done
    on_time atftp --option 'blksize 1400' --option 'tsize 0' -p -l "$work/pub/pairs.bin" -r at.bin 203.0.113.66
    agree "$work/atftp/at.bin" "$work/pub/pairs.bin"; carried at.bin "$work/atftp/at.bin"
    on_time atftp --option 'mode netascii' -p -l "$work/pub/lf.txt" -r at.txt 203.0.113.66
    as_text at.txt "$work/pub/lf.txt" "$work/lf.net"
    on_time atftp --option 'windowsize 4' --option 'blksize 600' -g -r pairs.bin -l a3 203.0.113.66; agree a3 "$work/pub/pairs.bin"; carried pairs.bin a3
    on_time busybox tftp -p -b 1000 -l "$work/pub/KestrelSetup.bin" -r up/busy.bin 203.0.113.80
    agree "$dir/up/busy.bin" "$work/pub/KestrelSetup.bin"; carried busy.bin "$dir/up/busy.bin"
    # What is not there.
    on_time tftp 203.0.113.80 -m octet -c get absent.bin h9
    keep
}


smb() {
    local share=$work/share state=$work/samba
    mkdir -p "$share" "$state/ncalrpc" "$work/home"
    cp "$work/pub"/*.* "$share/"
    {
        cat "$here/samba/old.conf"
        printf '%s\n' "path = $share" '[global]' "log file = $state/log" "ncalrpc dir = $state/ncalrpc"
        for one in 'private dir' 'lock directory' 'state directory' 'cache directory' 'pid directory'; do echo "$one = $state"; done
        # several messages for each file
        printf '%s\n' 'max xmit = 2920' 'large readwrite = no' 'smb2 max read = 65536' 'smb2 max write = 65536'
    } >"$work/smb.conf"
    cp "$here/samba/old-client.conf" "$work/client.conf"
    start smbd "$server" smbd --foreground --no-process-group --configfile="$work/smb.conf"
    wait_for smbd takes 445
    sleep 1
    s() { # dialect, commands
        quietly on "$client" timeout 20 smbclient -s "$work/client.conf" -U ana.ruiz%guess -m "$1" //198.51.100.80/pub -c "$2"
    }
    carried() { truth smb "$1" "$2"; }

    capture smb1.pcap 'tcp port 445'
    # smbclient opens, reads and writes in the manner of each dialect that smbd still speaks.
    local dialect file
    for dialect in LANMAN1 LANMAN2 NT1; do
        s $dialect "get KestrelSetup.bin s1.$dialect; put $work/pub/pairs.bin $dialect.bin; get lf.txt s2.$dialect"
        agree "s1.$dialect" "$share/KestrelSetup.bin"; carried KestrelSetup.bin "$share/KestrelSetup.bin"
        agree "$share/$dialect.bin" "$work/pub/pairs.bin"; carried $dialect.bin "$share/$dialect.bin"
        agree "s2.$dialect" "$share/lf.txt"; carried lf.txt "$share/lf.txt"
    done
    # A part of a file that is there already, and one behind another: no file by itself.
    head -c 2100 "$share/KestrelSetup.bin" >s3
    s NT1 "reget KestrelSetup.bin s3"; agree s3 "$share/KestrelSetup.bin"
    on "$client" /usr/bin/python3 "$here/old_smb.py" 198.51.100.80 pub pairs.bin "$work/disk"
    for file in read readraw; do agree "old.$file" "$share/pairs.bin"; carried pairs.bin "old.$file"; done
    # and in one message with its opening
    carried pairs.bin "$share/pairs.bin"
    for file in write writeraw writeraw2; do agree "$share/$file.bin" "$share/pairs.bin"; carried $file.bin "$share/$file.bin"; done
    carried chain.bin "$share/chain.bin"
    keep

    capture smb2.pcap 'tcp port 445'
    for dialect in SMB2_10 SMB3_11; do
        s $dialect "get KestrelSetup.bin s4.$dialect; put $work/pub/pairs.bin $dialect.bin"
        agree "s4.$dialect" "$share/KestrelSetup.bin"; carried KestrelSetup.bin "$share/KestrelSetup.bin"
        agree "$share/$dialect.bin" "$work/pub/pairs.bin"; carried $dialect.bin "$share/$dialect.bin"
    done
    keep
}

if [ $# = 0 ]; then set -- ftp tftp smb; fi
for session in "$@"; do "$session"; done
"$here/versions.sh" atftp busybox inetutils-ftp lftp python3-impacket python3-pyftpdlib samba smbclient tcpdump tftp-hpa tftpd-hpa tnftp vsftpd
version() { # package
    zcat "$unpacked/usr/share/doc/$1/changelog.Debian.gz" | sed -n '1s/^[^(]*(\([^)]*\)).*/\1/p'
}
for one in proftpd-core atftpd; do printf '%s\t%s\n' $one "$(version $one)"; done |
    cat - "$(dirname "$out")/VERSIONS.tsv" | sort -s -u -t '	' -k 1,1 >"$work/versions"
cp "$work/versions" "$(dirname "$out")/VERSIONS.tsv"
