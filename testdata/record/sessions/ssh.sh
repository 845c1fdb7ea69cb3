# Logins on bastion.corp.example: guesses and one that succeeds.
# Run outside; $1 is the IPv4 and $2 the IPv6 address to come from.
s() { # password, options and target
    word=$1; shift
    timeout 20 sshpass -p "$word" ssh -F /dev/null -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null \
        -o LogLevel=ERROR -o PreferredAuthentications=password -o NumberOfPasswordPrompts=1 "$@" true >/dev/null 2>&1 || true
}
s guess1 -b "$1" root@198.51.100.22
s guess2 -b "$1" admin@198.51.100.22
s guess3 -b "$1" -p 22 oracle@198.51.100.22
s guess4 -b "$2" deploy@2001:db8:2::22
s invented -b "$1" deploy@198.51.100.22
timeout 10 ssh -F /dev/null -i /srv/ssh/client_ed25519 -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null \
    -o LogLevel=ERROR -b "$2" backup7@2001:db8:2::22 true </dev/null || true
printf 'GET / HTTP/1.0\r\n\r\n' | socat -t 1 - "TCP4:198.51.100.22:22,bind=$1" >/dev/null || true
