#!/usr/bin/env bash
# flood.sh [--rounds 3] [--seconds 10] [--connections 8] [--rate 200] [--limit 500]
# What others feel of a flood: the latencies of 200 calm requests a second to a gateway (mode dev) alone; beside as many connections as asked for of ordinary users, 200,000 of
# them over 10,000 targets; beside a flood of invented users; of invented users and targets; and of those from an address with a local limit. As a Markdown table, medians of rounds.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# shellcheck source-path=SCRIPTDIR source=lib/packages.sh
source "$root/scripts/lib/packages.sh"
# shellcheck source-path=SCRIPTDIR source=lib/processes.sh
source "$root/scripts/lib/processes.sh"
# shellcheck source-path=SCRIPTDIR source=lib/programs.sh
source "$root/scripts/lib/programs.sh"

rounds=3 seconds=10 connections=8 rate=200 limit=500
while (($#)); do
    case $1 in
        --rounds) rounds=$2; shift 2 ;;
        --seconds) seconds=$2; shift 2 ;;
        --connections) connections=$2; shift 2 ;;
        --rate) rate=$2; shift 2 ;;
        --limit) limit=$2; shift 2 ;;
        *) sed -n '2,4s/^# //p' "$0" >&2; exit 2 ;;
    esac
done

dir=$(mktemp -d)
mkdir -p "$dir/run" "$dir/logs"
load_program=$root/LoadTest/bin/Release/net10.0/HeartGrains.LoadTest
ready_seconds=60
kinds=(calm ordinary users targets limited)

end_all() {
    signal TERM open 1
    signal TERM limited 1
    wait_until 30 gone open 1 || signal KILL open 1
    wait_until 30 gone limited 1 || signal KILL limited 1
    rm -rf "$dir"
}
trap end_all EXIT

is_ready() { curl -fs -m 2 -o /dev/null "$(url_of "$1")/health/ready"; }
url_of() { if [[ $1 == limited ]]; then echo "http://127.0.0.1:$((free + 1))"; else echo "http://127.0.0.1:$free"; fi; }
hearts() { local url=$1; shift; "$load_program" hearts --url "$url" "$@"; }
resident() { awk '/^VmRSS/ { printf "%.0f", $2 / 1024 }' "/proc/$(pid_of "$1" 1)/status"; }
invented=(--users 9999999999 --targets 10000000 --skew uniform --from 127.0.0.2)
strangers=(--users 9999999999 --targets 10000 --from 127.0.0.2)
ordinary=(--users 200000 --targets 10000 --from 127.0.0.2)

disturb() {
    local longer=$((seconds + 2))s
    case $1 in
        calm) sleep 1 ;;
        ordinary) hearts "$(url_of open)" --connections "$connections" --duration "$longer" "${ordinary[@]}" ;;
        users) hearts "$(url_of open)" --connections "$connections" --duration "$longer" "${strangers[@]}" ;;
        targets) hearts "$(url_of open)" --connections "$connections" --duration "$longer" "${invented[@]}" ;;
        limited) hearts "$(url_of limited)" --connections "$connections" --duration "$longer" "${invented[@]}" ;;
    esac
}

field() { awk -F'│' -v name="$1" '{ gsub(/^ +| +$/, "", $2) } $2 == name { gsub(/[ ,a-z]/, "", $3); print $3 }' "$2"; }

need curl=curl
build_programs
[[ -x $load_program ]] || fail "$load_program is missing: dotnet build LoadTest -c Release"
free=$(find_free_ports)
switches=(--LocalLimits:Address:TokenLimit="$limit" --LocalLimits:Address:TokensPerPeriod="$limit")
(cd "$(dirname "$gateway_program")" && launch open 1 "$gateway_program" --mode=dev --port="$free")
(cd "$(dirname "$gateway_program")" && launch limited 1 "$gateway_program" --mode=dev --port=$((free + 1)) "${switches[@]/#--/--HeartGrains:}")
wait_ready open 1
wait_ready limited 1
for gateway in open limited; do hearts "$(url_of "$gateway")" --duration 5s --users 200000 --from 127.0.0.3 >/dev/null; done

for ((round = 1; round <= rounds; round++)); do
    for kind in "${kinds[@]}"; do
        gateway=open
        [[ $kind == limited ]] && gateway=limited
        disturb "$kind" >"$dir/disturbance" &
        other=$!
        sleep 1
        hearts "$(url_of "$gateway")" --connections 4 --rate "$rate" --users 200000 --duration "${seconds}s" >"$dir/victim"
        wait "$other"
        echo "$kind $(field 'latency p50' "$dir/victim") $(field 'latency p99' "$dir/victim") $(field requests/s "$dir/disturbance" || true)" \
            | tee -a "$dir/results" >&2
    done
done

median() { sort -g | awk '{ v[NR] = $1 } END { print NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2 }'; }
values() { awk -v kind="$1" -v column="$2" '$1 == kind { print $column + 0 }' "$dir/results"; }
echo "$(nproc) cores; $rounds rounds of $seconds s; $rate calm requests/s beside $connections connections; resident $(resident open) and $(resident limited) MB at the end."
echo
echo "| beside the calm ones | their p50, ms | p99, ms | of each round | × calm | other requests/s |"
echo "|---|---|---|---|---|---|"
calm=$(values calm 3 | median)
for kind in "${kinds[@]}"; do
    p99=$(values "$kind" 3 | median)
    echo "| $kind | $(values "$kind" 2 | median) | $p99 | $(values "$kind" 3 | xargs) | $(awk -v a="$p99" -v b="$calm" 'BEGIN { printf "%.1f", a / b }') | $(values "$kind" 4 | median) |"
done
