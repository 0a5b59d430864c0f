#!/usr/bin/env bash
# memory.sh [--hearts 1000000] [--targets 10000] [--mode cluster|single]
# Memory that hearts take: resident megabytes of gateway and silo when ready, after a warm-up of a few seconds, and after as many
# hearts as asked for, each of another user (drawn out of ten thousand million, so a few in a million repeat). Targets are chosen as in benchmark.sh.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# shellcheck source-path=SCRIPTDIR source=lib/packages.sh
source "$root/scripts/lib/packages.sh"
# shellcheck source-path=SCRIPTDIR source=lib/processes.sh
source "$root/scripts/lib/processes.sh"
# shellcheck source-path=SCRIPTDIR source=lib/programs.sh
source "$root/scripts/lib/programs.sh"

hearts=1000000 targets=10000 mode=cluster
while (($#)); do
    case $1 in
        --hearts) hearts=$2; shift 2 ;;
        --targets) targets=$2; shift 2 ;;
        --mode) mode=$2; shift 2 ;;
        *) sed -n '2,4s/^# //p' "$0" >&2; exit 2 ;;
    esac
done

dir=$(mktemp -d)
chmod 755 "$dir"
mkdir -p "$dir/run" "$dir/logs"
ready_seconds=60

end_all() {
    signal TERM single 1
    wait_until 30 gone single 1 || signal KILL single 1
    "$root/scripts/cluster.sh" down --wipe --dir "$dir/cluster" 2>/dev/null || true
    rm -rf "$dir"
}
trap end_all EXIT

is_ready() { curl -fs -m 2 -o /dev/null "$url/health/ready"; }
load() { wrk -t1 -c64 -d"$1" -s "$root/scripts/peers/give-hearts.lua" "$url" -- "$2" 9999999999 >/dev/null; }
given() { curl -fs "$url/metrics" | awk '/^heartgrains_hearts_total\{operation="give",outcome="changed"\}/ { print $2 }'; }
resident() {
    local name pid
    while read -r name pid; do echo "$name $(awk '/^VmRSS/ { printf "%.0f", $2 / 1024 }' "/proc/$pid/status")"; done <"$dir/processes" | xargs
}

need curl=curl wrk=wrk
build_programs
if [[ $mode == single ]]; then
    url=http://127.0.0.1:$(find_free_ports)
    (cd "$(dirname "$gateway_program")" && launch single 1 "$gateway_program" --mode=single --port="${url##*:}" --data="$dir/data")
    wait_ready single 1
    echo "gateway $(pid_of single 1)" >"$dir/processes"
else
    "$root/scripts/cluster.sh" up --silos 1 --gateways 1 --ports auto --dir "$dir/cluster" >"$dir/status"
    awk '$1 == "gateway" || $1 == "silo" { print $1, $3 }' "$dir/status" >"$dir/processes"
    url=$(awk '$1 == "gateway" { print $4 }' "$dir/status")
fi

echo "ready, MB:              $(resident)"
load 10s 100
echo "warmed up, MB:          $(resident)"
first=$(given)
while (($(given) - first < hearts)); do load 5s "$targets"; done
echo "after $(($(given) - first)) hearts, MB: $(resident)"
