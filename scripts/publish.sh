#!/usr/bin/env bash
# Publishes heart-server for each platform into dist/, and checks that each is one file that is made for it.
#   scripts/publish.sh [RUNTIME...]    all four without one: linux-x64 linux-arm64 osx-arm64 win-x64
set -euo pipefail
cd "$(dirname "$0")/.."

# The file's first bytes, and those that name the processor: offset, bytes.
expected() {
    case $1 in
        linux-x64) echo "0 7f454c4602 18 3e00" ;;
        linux-arm64) echo "0 7f454c4602 18 b700" ;;
        osx-arm64) echo "0 cffaedfe 4 0c000001" ;;
        win-x64) echo "0 4d5a 60 windows" ;;
        *) echo "publish.sh: no runtime '$1'" >&2; return 2 ;;
    esac
}

# Bytes of a file in hexadecimal.
bytes() { od -An -v -tx1 -j "$2" -N "$3" "$1" | tr -d ' \n'; }

check() {
    local file=$1 offset want got
    shift
    while [ $# -gt 0 ]; do
        offset=$1 want=$2
        got=$(bytes "$file" "$offset" $(((${#want} + 1) / 2)))
        # Of Windows: where the header is stands there, in four bytes, and in it the processor.
        if [ "$want" = windows ]; then
            offset=$((16#${got:6:2}${got:4:2}${got:2:2}${got:0:2})) want=504500006486
            got=$(bytes "$file" "$offset" 6)
        fi
        [ "$got" = "$want" ] || { echo "publish.sh: $file has $got at $offset instead of $want" >&2; return 1; }
        shift 2
    done
}

[ $# -gt 0 ] || set -- linux-x64 linux-arm64 osx-arm64 win-x64
for runtime in "$@"; do
    marks=$(expected "$runtime")
    rm -rf "dist/$runtime"
    dotnet publish Gateway -r "$runtime" -o "dist/$runtime" -v quiet -p:RunAnalyzers=false
    files=("dist/$runtime"/*)
    [ ${#files[@]} -eq 1 ] || { echo "publish.sh: more than one file for $runtime: ${files[*]}" >&2; exit 1; }
    # shellcheck disable=SC2086
    check "${files[0]}" $marks
    echo "$runtime: ${files[0]}, $(($(wc -c < "${files[0]}") / 1000000)) MB"
done
