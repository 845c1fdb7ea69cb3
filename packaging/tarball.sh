#!/usr/bin/env bash
# Makes a tar archive with a binary that needs glibc 2.17 or later and no other library, its man pages,
# completions, unit and licences, and prints the archive's path.
#
#   packaging/tarball.sh FOLDER
#
# Zig brings the symbols of the old glibc, and cargo-zigbuild passes it to cargo as the linker. libpcap is linked in,
# since its file is called differently on different systems; the one of Debian and Ubuntu needs
# libraries for D-Bus and InfiniBand, so that it is built here from the distribution's source.
set -euo pipefail
cd "$(dirname "$0")/.."

glibc=2.17
case $(uname -m) in
  x86_64 | aarch64) machine=$(uname -m) ;;
  *) echo "packaging/tarball.sh knows x86_64 and aarch64, and not $(uname -m)" >&2; exit 2 ;;
esac
target=$machine-unknown-linux-gnu
folder=$(realpath "$1")
work=$(realpath -m target/tarball)
mkdir -p "$work"

# Zig and cargo-zigbuild, from the index of Python packages.
if ! "$work/zig/bin/python" -m ziglang version >/dev/null 2>&1 || ! [ -x "$work/zig/bin/cargo-zigbuild" ]; then
  rm -rf "$work/zig"
  python3 -m venv "$work/zig"
  "$work/zig/bin/pip" install --quiet ziglang cargo-zigbuild
fi
printf '#!/bin/sh\nexec "%s/zig/bin/python" -m ziglang "$@"\n' "$work" > "$work/zig/bin/zig"
chmod +x "$work/zig/bin/zig"
export PATH=$work/zig/bin:$PATH

# sources_of_the_system FOLDER: makes the system's own sources of packages sources of source packages.
sources_of_the_system() {
  local file
  for file in /etc/apt/sources.list /etc/apt/sources.list.d/*.list; do
    [ -f "$file" ] && sed -n 's/^deb /deb-src /p' "$file" >> "$1/system.list"
  done
  for file in /etc/apt/sources.list.d/*.sources; do
    [ -f "$file" ] && sed 's/^Types:.*/Types: deb-src/' "$file" > "$1/$(basename "$file")"
  done
  return 0
}

# libpcap, without what it need not have.
if ! [ -f "$work/lib/libpcap.a" ]; then
  rm -rf "$work/pcap"
  mkdir -p "$work/pcap/sources" "$work/pcap/lists/partial" "$work/lib"
  sources_of_the_system "$work/pcap/sources"
  apt=(-qq -o Dir::Etc::sourcelist=/dev/null -o "Dir::Etc::sourceparts=$work/pcap/sources"
    -o "Dir::State::lists=$work/pcap/lists" -o APT::Sandbox::User=root)
  # Sources of others on this system need not have source packages.
  apt-get "${apt[@]}" update 2>"$work/pcap/update.log" || true
  (
    cd "$work/pcap"
    apt-get "${apt[@]}" source --download-only libpcap
    tar -xzf libpcap_*.orig.tar.gz
    cd libpcap-*/
    printf '#!/bin/sh\nexec zig cc -target %s-linux-gnu.%s "$@"\n' "$machine" "$glibc" > cc
    printf '#!/bin/sh\nexec zig ar "$@"\n' > ar
    printf '#!/bin/sh\nexec zig ranlib "$@"\n' > ranlib
    chmod +x cc ar ranlib
    CC=$PWD/cc AR=$PWD/ar RANLIB=$PWD/ranlib ./configure --quiet --host="$machine-linux-gnu" \
      --disable-shared --disable-dbus --disable-rdma --disable-bluetooth --disable-usb \
      --without-libnl --without-dag --without-snf --without-dpdk
    make --silent libpcap.a AR="$PWD/ar" RANLIB="$PWD/ranlib"
    # The linker is asked for a shared library, and this is what it finds.
    echo 'INPUT(libpcap.a)' > "$work/lib/libpcap.so"
    cp libpcap.a "$work/lib/"
  ) >"$work/pcap/build.log" 2>&1 || { tail -20 "$work/pcap/build.log" >&2; exit 1; }
fi

LIBPCAP_LIBDIR=$work/lib LIBPCAP_VER=1.9.1 \
  cargo zigbuild --release --locked --quiet --target "$target.$glibc" --target-dir "$work/build"
binary=$work/build/$target/release/wiresift

# What it asks of a system is checked and not assumed.
newest=$(objdump -T "$binary" | grep -o 'GLIBC_[0-9.]*' | sort -uV | tail -1)
if [ "$(printf '%s\nGLIBC_%s\n' "$newest" "$glibc" | sort -V | tail -1)" != "GLIBC_$glibc" ]; then
  echo "$binary needs $newest, and not GLIBC_$glibc or earlier" >&2
  exit 1
fi
if objdump -p "$binary" | grep NEEDED | grep -vE 'lib(c|m|dl|rt|pthread|gcc_s|util)\.so|ld-linux'; then
  echo "$binary needs the libraries above" >&2
  exit 1
fi
"$binary" scan --help >/dev/null

version=$("$binary" --version | cut -d' ' -f2)
name=wiresift-$version-$machine-linux-glibc$glibc
stage=$work/$name
rm -rf "$stage"
mkdir -p "$stage"/{man,completions,systemd}
cp "$binary" LICENSE-MIT LICENSE-APACHE README.md CHANGELOG.md "$stage/"
"$binary" man "$stage/man"
for shell in bash zsh fish; do
  "$binary" completions "$shell" > "$stage/completions/$shell"
done
cp packaging/wiresift.{service,sysusers,tmpfiles,logrotate,toml} packaging/sockets/* "$stage/systemd/"
tar -C "$work" --owner=0 --group=0 -czf "$folder/$name.tar.gz" "$name"
echo "$folder/$name.tar.gz"
