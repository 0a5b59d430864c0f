#!/usr/bin/env bash
# benchmark.sh [--rounds 5] [--seconds 8] [--warmup 25] [--services go,nginx-redis,dev,single,cluster]
# CPU time per heart of HeartGrains' three modes beside the two peers, in one run, as a Markdown table. All are up throughout and measured in turn, round by round, so that a noisy
# moment of the machine hits them alike; each figure is the median of its rounds, after a warm-up in which .NET compiles what is hot and targets
# come into memory. Settings are the defaults.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# shellcheck source-path=SCRIPTDIR source=lib/packages.sh
source "$root/scripts/lib/packages.sh"
# shellcheck source-path=SCRIPTDIR source=lib/processes.sh
source "$root/scripts/lib/processes.sh"
# shellcheck source-path=SCRIPTDIR source=lib/programs.sh
source "$root/scripts/lib/programs.sh"

rounds=5 seconds=8 warmup=25
names=(go nginx-redis dev single cluster)
while (($#)); do
    case $1 in
        --rounds) rounds=$2; shift 2 ;;
        --seconds) seconds=$2; shift 2 ;;
        --warmup) warmup=$2; shift 2 ;;
        --services) IFS=, read -r -a names <<<"$2"; shift 2 ;;
        *) sed -n '2,7s/^# //p' "$0" >&2; exit 2 ;;
    esac
done

dir=$(mktemp -d)
chmod 755 "$dir"
export PEER_DIR=$dir/peers
mkdir -p "$dir/run" "$dir/logs"
declare -A port_of
ready_seconds=60

end_all() {
    local mode
    for mode in dev single; do signal TERM "$mode" 1; done
    for mode in dev single; do wait_until 30 gone "$mode" 1 || signal KILL "$mode" 1; done
    "$root/scripts/cluster.sh" down --wipe --dir "$dir/cluster" 2>/dev/null || true
    "$root/scripts/peers/peers.sh" down 2>/dev/null || true
    rm -rf "$dir"
}
trap end_all EXIT

is_ready() { curl -fs -m 2 -o /dev/null "http://127.0.0.1:${port_of[$1]}/health/ready"; }

start_mode() {
    port_of[$1]=$2
    check_port "$2" "mode $1" "another program's settings"
    (cd "$(dirname "$gateway_program")" && launch "$1" 1 "$gateway_program" --mode="$1" --port="$2" --data="$dir/$1")
    wait_ready "$1" 1
    echo "$1 $(pid_of "$1" 1) http://127.0.0.1:$2" >>"$dir/services"
}

need curl=curl wrk=wrk
build_programs
"$root/scripts/peers/peers.sh" up >>"$dir/services"
free=$(find_free_ports)
measures() { [[ " ${names[*]} " == *" $1 "* ]]; }
if measures dev; then start_mode dev "$free"; fi
if measures single; then start_mode single $((free + 1)); fi
! measures cluster || "$root/scripts/cluster.sh" up --silos 1 --gateways 1 --ports auto --dir "$dir/cluster" |
    awk '{ pids = pids (NR > 1 ? "," : "") $3; if ($1 == "gateway") url = $4 } END { print "cluster", pids, url }' >>"$dir/services"

for ((round = 0; round <= rounds; round++)); do
    for name in "${names[@]}"; do
        read -r _ pids url < <(grep "^$name " "$dir/services") || fail "There is no service $name."
        result=$("$root/scripts/peers/measure.sh" "$pids" "$url" $((round ? seconds : warmup)))
        say "round $round  $name  $result"
        [[ $result == *"non2xx=0 socket_errors=0" ]] || fail "$name refused requests: such a figure says nothing."
        ((round == 0)) || echo "$name $result" >>"$dir/results"
    done
done

median() { sort -g | awk '{ v[NR] = $1 } END { print NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2 }'; }
values() { { grep "^$1 " "$dir/results" || true; } | grep -oE " $2=[0-9.]+(us|ms|s)?" | cut -d= -f2 || true; }
milliseconds() { awk '/us$/ { print $1 / 1000; next } /ms$/ { print $1 + 0; next } { print $1 * 1000 }'; }
ratio() { awk -v a="$1" -v b="$2" 'BEGIN { if (b) printf "%.2f", a / b; else printf "–" }'; }

go_cpu=$(values go cpu_us_per_request | median)
redis_cpu=$(values nginx-redis cpu_us_per_request | median)
echo "$(nproc) cores, $(free -g | awk '/^Mem/ { print $2 }') GiB; .NET $(dotnet --version), $(go version | cut -d' ' -f3)," \
    "$(nginx -v 2>&1 | cut -d' ' -f3), redis $(redis-server --version | grep -oE 'v=[0-9.]+' | cut -c3-)," \
    "postgresql $("$(postgres_programs)/postgres" --version | cut -d' ' -f3);" \
    "$rounds rounds of $seconds s after $warmup s of warm-up, wrk -t1 -c64, 10,000 targets, 5 million users, medians."
echo
echo "| service | CPU µs/request | of each round | × go | × nginx-redis | requests/s | p50 ms | p99 ms |"
echo "|---|---|---|---|---|---|---|---|"
for name in "${names[@]}"; do
    cpu=$(values "$name" cpu_us_per_request | median)
    echo "| $name | $cpu | $(values "$name" cpu_us_per_request | xargs) | $(ratio "$cpu" "$go_cpu") | $(ratio "$cpu" "$redis_cpu")" \
        "| $(values "$name" rps | median) | $(values "$name" p50 | milliseconds | median) | $(values "$name" p99 | milliseconds | median) |"
done
