# A short visit, recorded in several formats. Run as ws7.
c() { curl -q -s -o /dev/null --max-time 8 --cacert /srv/tls/ca.pem "$@" || true; }
dig +noall @198.51.100.53 edge8.parcelcdn.test A
dig +noall @2001:db8:2::53 www.brightparcel.example AAAA
dig +noall @198.51.100.53 -x 203.0.113.5
c -4 -A 'Wget/1.21.3' http://dl.kestrel-update.example/dl/invoice-7731.zip
c -6 -A 'gh/0.9' 'http://panel.gray-heron.test/gate.php?h=ws7&n=2'
c -4 -A 'gh/0.9' --tls-max 1.2 https://panel.gray-heron.test:8443/api/v2/tasks
c -4 -A 'curl/8.9' https://www.corp.example/robots.txt
