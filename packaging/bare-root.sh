#!/usr/bin/env bash
# Makes a root folder of the packages that are installed here: the essential ones, those named,
# and all that they depend on, with the records of dpkg about them. So a package can be
# installed as on a machine that has nothing else, without a network.
#
#   packaging/bare-root.sh FOLDER [PACKAGE…]
set -euo pipefail

root=$1
shift
mkdir -p "$root"

# name <tab> what it provides <tab> what it depends on, of each that is installed
installed() {
  dpkg-query -f '${db:Status-Abbrev}\t${binary:Package}\t${Provides}\t${Pre-Depends}, ${Depends}\n' -W |
    sed -n 's/^ii \t//p'
}
essential=$(dpkg-query -f '${Essential}\t${binary:Package}\n' -W | sed -n 's/^yes\t//p')

# Of alternatives, all that are installed.
closure=$(installed | awk -F '\t' -v wanted="$(echo $essential "$@")" '
  function plain(name) { sub(/[ (:].*/, "", name); return name }
  {
    own = plain($1); full[own] = $1; depends[own] = $3
    count = split($2, names, /, */)
    for (at = 1; at <= count; at++) if (names[at] != "") by[plain(names[at])] = by[plain(names[at])] " " own
  }
  function want(name,    count, names, at) {
    name = plain(name)
    if (name in full) { if (!(name in seen)) { seen[name] = 1; queue[++last] = name } }
    else { count = split(by[name], names, " "); for (at = 1; at <= count; at++) want(names[at]) }
  }
  END {
    count = split(wanted, names, " ")
    for (at = 1; at <= count; at++) want(names[at])
    for (first = 1; first <= last; first++) {
      count = split(depends[queue[first]], parts, /[,|] */)
      for (at = 1; at <= count; at++) { gsub(/^ +/, "", parts[at]); if (parts[at] != "") want(parts[at]) }
      print full[queue[first]]
    }
  }')

# The links of a merged /usr first, which packages take for granted.
for link in bin sbin lib lib32 lib64 libx32; do
  if [ -L "/$link" ]; then cp -a "/$link" "$root/"; mkdir -p "$root/usr/$link"; fi
done
# What is a folder comes with its files.
dpkg-query -L $closure | sort -u |
  while read -r path; do
    if [ -L "$path" ] || [ -f "$path" ]; then printf '%s\0' "${path#/}"; fi
  done | tar --create --null --no-recursion --directory=/ --files-from=- |
  tar --extract --directory="$root" --keep-directory-symlink

mkdir -p "$root"/{dev,etc,proc,run,sys,tmp,var/lib/dpkg/{info,updates,triggers},var/log,var/tmp,root}
chmod 1777 "$root"/{tmp,var/tmp}
for name in $closure; do
  for record in /var/lib/dpkg/info/"$name".* /var/lib/dpkg/info/"${name%%:*}".*; do
    if [ -e "$record" ]; then cp -a "$record" "$root/var/lib/dpkg/info/"; fi
  done
done
cp -a /var/lib/dpkg/info/format "$root/var/lib/dpkg/info/"
awk -v RS= -v ORS='\n\n' -v names="$(echo $closure)" '
  BEGIN { count = split(names, list, " "); for (at in list) { sub(/:.*/, "", list[at]); want[list[at]] = 1 } }
  { split($0, lines, "\n"); name = lines[1]; sub(/^Package: /, "", name); if (name in want) print }
' /var/lib/dpkg/status > "$root/var/lib/dpkg/status"

# Users as a new system has them.
cp /usr/share/base-passwd/passwd.master "$root/etc/passwd"
cp /usr/share/base-passwd/group.master "$root/etc/group"
