#!/bin/bash
# Become one of the recorded hosts, then run a command as it:
#   host.sh WORKDIR HOSTNAME COMMAND...
# Called inside `ip netns exec NS unshare --mount --uts`: what it mounts is seen
# by this process and its children only. WORKDIR/srv becomes /srv, so that no log
# names a path of the machine that recorded it.
set -eu
work=$1 name=$2
shift 2
hostname "$name"
mount --make-rprivate /
mount --bind "$work/srv" /srv
for file in passwd shadow group hosts resolv.conf nsswitch.conf; do
    mount --bind "$work/etc/$file" "/etc/$file"
done
mount --bind "$work/etc/pam-sshd" /etc/pam.d/sshd
mkdir -p "$work/run/$name/sshd"
mount --bind "$work/run/$name" /run
dev=$work/dev/$name
if [ ! -d "$dev" ]; then
    mkdir -p "$dev/pts" "$dev/shm" "$dev/net"
    mknod -m 666 "$dev/null" c 1 3
    mknod -m 666 "$dev/zero" c 1 5
    mknod -m 666 "$dev/full" c 1 7
    mknod -m 666 "$dev/random" c 1 8
    mknod -m 666 "$dev/urandom" c 1 9
    mknod -m 666 "$dev/tty" c 5 0
    mknod -m 666 "$dev/ptmx" c 5 2
    mknod -m 666 "$dev/net/tun" c 10 200
    ln -s /proc/self/fd "$dev/fd"
    chmod 1777 "$dev/shm"
fi
mount --bind /dev/pts "$dev/pts"
mount --rbind "$dev" /dev
export HOME=/srv/home TZ=UTC LC_ALL=C LANG=C USER=root LOGNAME=root
cd /srv
exec "$@"
