# Ana answers the phishing mail; nobody listens at the other end. Run as proxy.
swaks --silent 3 --timeout 8 --server 198.51.100.25 --local-interface 198.51.100.31 --ehlo ws7.corp.example \
  --from ana.ruiz@corp.example --to billing@oldlace.example --h-Subject: 'Re: Parcel 7731 is waiting' \
  --h-Date: 'Tue, 24 Nov 2026 04:15:06 +0000' --h-Message-Id '<ar.1@corp.example>' --body 'Which parcel?\n' >/dev/null 2>&1 || true
