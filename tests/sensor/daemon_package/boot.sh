#!/bin/bash
# Runs as a service of a system that has just booted. What it finds out it writes to /out, one
# file each, for the test to read.
S=wiresift.service
OWN=/etc/systemd/system/$S.d/own.conf
STATE=/var/lib/wiresift
LOGS=/var/log/wiresift
touch /out/started

say() { cat > "/out/$1"; }

# The command of the service, with all else that the unit says.
command() {
  mkdir -p "${OWN%/*}"
  printf '[Service]\nType=exec\nWatchdogSec=0\nExecStart=\nExecStart=%s\nExecReload=\nExecReload=%s\n' \
    "$1" "/bin/sh -c 'kill -HUP \"\$MAINPID\"'" > "$OWN"
  systemctl daemon-reload
}

# until FILE TEXT: waits until it is there, for ten seconds.
until_has() {
  for _ in {1..100}; do grep -qs "$2" "$1" && return; sleep 0.1; done
}

# What the kernel says of the running service.
limits() {
  grep -E '^(Uid|Groups|Cap...|NoNewPrivs|Seccomp):' "/proc/$(systemctl show -P MainPID $S)/status"
}

stop() {
  systemctl stop $S
  systemctl show -P Result -P ExecMainStatus $S
}

printf 'evil.example\n203.0.113.9\n' > /tmp/list.txt
install -d -o wiresift -g wiresift -m 0750 $STATE
setpriv --reuid=wiresift --regid=wiresift --init-groups \
  wiresift compile -q -o $STATE/iocs.wsdb /tmp/list.txt

# A log that only the group adm reads.
install -d -g adm -m 0750 /var/log/app
command "/usr/bin/wiresift tail --db $STATE/iocs.wsdb /var/log/app/*.log -o $LOGS/tail.json"
systemctl start $S
(umask 0027; echo 'GET http://evil.example/x' > /var/log/app/a.log; chgrp adm /var/log/app/a.log)
until_has $LOGS/tail.json evil.example
cp $LOGS/tail.json /out/tail
limits | say tail.limits
stop | say tail.result

# Packets of an address that is ours alone.
ip address add 203.0.113.9/32 dev lo
command "/usr/bin/wiresift tap --db $STATE/iocs.wsdb -i lo -o $LOGS/tap.json"
systemctl start $S
for _ in {1..100}; do
  journalctl -u $S --no-pager | grep -q seccomp: && break
  sleep 0.1
done
echo hello > /dev/udp/203.0.113.9/9
until_has $LOGS/tap.json 203.0.113.9
cp $LOGS/tap.json /out/tap
journalctl -u $S --no-pager -o cat | grep -A3 sandbox | say tap.sandbox
mv $LOGS/tap.json $LOGS/tap.json.1
systemctl reload $S
echo $? | say tap.reload
for _ in {1..50}; do [ -e $LOGS/tap.json ] && break; sleep 0.1; done
ls $LOGS | say tap.rotated
limits | say tap.limits
stop | say tap.result

# The journal, as an input reads it. Without --merge journalctl asks for the identifier of the
# boot, which ProcSubset=pid hides.
command '/bin/sh -c "timeout 3 journalctl -f --all --merge -o export --no-tail | grep -c ^__CURSOR= > /var/lib/wiresift/entries"'
systemctl start $S
for _ in {1..100}; do [ "$(systemctl is-active $S)" = active ] || break; sleep 0.1; done
cp $STATE/entries /out/journal
rm "$OWN"
systemctl daemon-reload

# The unit as it is, with the daemon.
if ! wiresift run --help > /dev/null 2>&1; then exit; fi
touch /out/run
cat > /etc/wiresift/wiresift.toml <<END
state = "$STATE"
database = "$STATE/iocs.wsdb"
[suppress]
enabled = false
[[input]]
kind = "files"
patterns = ["/var/log/app/*.log"]
[[input]]
kind = "journal"
[[input]]
kind = "tap"
interfaces = ["lo"]
filter = "port 9"
[[input]]
kind = "syslog"
listen = ["systemd:syslog-udp", "systemd:syslog-tcp"]
[[sink]]
kind = "file"
path = "$LOGS/alerts.json"
END
wiresift run --config /etc/wiresift/wiresift.toml --check > /out/run.check 2>&1
echo $? | say run.check.status
systemctl start wiresift-syslog-udp.socket wiresift-syslog-tcp.socket
systemctl start $S
echo $? | say run.start
systemctl status --no-pager -l $S | say run.status
echo '<13>app: asked for udp.evil.example' > /dev/udp/127.0.0.1/514
echo '<13>app: asked for tcp.evil.example' > /dev/tcp/127.0.0.1/514
echo 'asked for journal.evil.example' | systemd-cat
echo 'GET http://file.evil.example/x' >> /var/log/app/a.log
echo hello > /dev/udp/203.0.113.9/9
for what in udp.evil tcp.evil journal.evil file.evil 203.0.113.9; do
  until_has $LOGS/alerts.json "$what"
done
systemctl reload $S
echo $? | say run.reload
# Longer than half of WatchdogSec: a daemon that says nothing would be killed.
sleep 70
systemctl show -P ActiveState -P NRestarts $S | say run.later
limits | say run.limits
cp $LOGS/alerts.json /out/run.alerts
journalctl -u $S --no-pager -o cat | say run.journal
stop | say run.result
