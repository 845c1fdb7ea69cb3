# Mail for corp.example from outside. Run outside.
m() { swaks --silent 3 --timeout 8 --suppress-data "$@" >/dev/null 2>&1 || true; }
DATE='Tue, 24 Nov 2026 04:05:06 +0000'
m --server 198.51.100.25 --local-interface 203.0.113.25 --ehlo mail.oldlace.example \
  --from billing@oldlace.example --to ana.ruiz@corp.example --h-From: '"Bright Parcel" <billing@oldlace.example>' \
  --h-Reply-To: 'refunds@gray-heron.test' --h-Subject: 'Parcel 7731 is waiting' --h-Message-Id '<7731.1@oldlace.example>' \
  --h-Date: "$DATE" --h-X-Originating-IP: '[203.0.113.99]' \
  --body 'Dear Ana,\n\nPay at http://track.brightparcel.example/t?id=ws7-0042 within a day.\nBright Parcel\n'
m -6 --server 2001:db8:2::25 --local-interface 2001:db8:bad::25 --ehlo mail.oldlace.example \
  --from billing@oldlace.example --to accounts@corp.example --h-From: 'billing@oldlace.example' --h-Date: "$DATE" \
  --h-Subject: 'Invoice 7731' --h-Message-Id '<7731.2@oldlace.example>' \
  --attach-type application/zip --attach-name invoice-7731.zip --attach @/srv/www/kestrel/dl/invoice-7731.zip --body 'See the attached invoice.\n'
m --server 198.51.100.25 --local-interface 203.0.113.25 --tls --ehlo mail.oldlace.example --h-Date: "$DATE" \
  --from refunds+x@gray-heron.test --to postmaster@corp.example --h-Subject: 'Secret' --h-Message-Id '<7731.3@gray-heron.test>' --body 'Encrypted.\n'
m --server 198.51.100.25 --local-interface 203.0.113.25 --ehlo '[203.0.113.25]' --h-Date: "$DATE" \
  --from spam@brightparcel.example --to someone@elsewhere.example --h-Subject: 'Relay?' --h-Message-Id '<7731.4@brightparcel.example>'
m --server 198.51.100.25 --local-interface 203.0.113.25 --ehlo mail.oldlace.example --h-Date: "$DATE" \
  --from billing@oldlace.example --to nobody.here@corp.example --h-Subject: 'Unknown' --h-Message-Id '<7731.5@oldlace.example>'
