#!/bin/bash
# Note in VERSIONS.tsv which versions of Debian packages were recorded: versions.sh PACKAGE...
# Rows of other packages stay as they are.
set -euo pipefail
to=$(cd "$(dirname "$0")/.." && pwd)/VERSIONS.tsv
export LC_ALL=C
command -v dpkg-query >/dev/null || exit 0
new=$(mktemp)
{ dpkg-query -W "$@" 2>/dev/null || true; cat "$to" 2>/dev/null || true; } | sort -s -u -t '	' -k 1,1 >"$new"
cat "$new" >"$to"
rm "$new"
