# ws7 goes through proxy.corp.example. Run as ws7.
c() { curl -q -s -o /dev/null --max-time 8 --cacert /srv/tls/ca.pem "$@" || true; }
p4='-x http://proxy.corp.example:3128 -4'
p6='-x http://proxy.corp.example:3128 -6'
c $p4 -A 'Mozilla/5.0 (Macintosh; Intel Mac OS X 14_5) AppleWebKit/605.1.15' http://www.corp.example/
c $p4 -A 'KestrelUpdater/1.4' http://dl.kestrel-update.example/dl/KestrelSetup.bin
c $p6 -A 'gh/0.9' 'http://panel.gray-heron.test/gate.php?h=ws7&n=3'
c $p4 -A 'gh/0.9' http://203.0.113.66/gate.php
c $p4 -A 'gh/0.9' 'http://[2001:db8:bad::66]/gate.php'
c $p4 -A 'gh/0.9' https://panel.gray-heron.test:8443/api/v2/tasks
c $p6 -A 'Mozilla/5.0' https://login.brightparcel.example/
c $p4 -e 'http://track.brightparcel.example/t?id=9' http://www.xn--mnchner-paket-wob.example/
c $p4 http://nothing-here.invalid/x
c $p4 http://track.brightparcel.example:22/
