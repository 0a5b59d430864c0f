#!/usr/bin/env bash
# measure.sh PID[,PID…] URL [SECONDS 8] [CONNECTIONS 64] [TARGETS 10000] [USERS 5000000]
# Loads URL with hearts through wrk, two seconds to warm up, then as long as asked, and prints throughput, latency and the
# CPU time per request of the named processes with all their descendants: user and system time from /proc.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
(($# >= 2)) || { sed -n '2,4s/^# //p' "$0" >&2; exit 2; }
IFS=, read -r -a named <<<"$1"
url=$2 seconds=${3:-8} connections=${4:-64} targets=${5:-10000} users=${6:-5000000}

load() { wrk -t1 -c"$connections" -d"$1s" --latency -s "$here/give-hearts.lua" "$url" -- "$targets" "$users"; }

descendants() {
    local pid
    for pid in "$@"; do
        echo "$pid"
        # shellcheck disable=SC2046 # A word a child.
        descendants $(cat /proc/"$pid"/task/*/children 2>/dev/null)
    done
}

# In clock ticks; the command's name, in brackets, may hold spaces, so fields are counted after it.
cpu_ticks() {
    local pid stat sum=0
    local -a fields
    for pid in $(descendants "${named[@]}" | sort -u); do
        stat=$(cat "/proc/$pid/stat" 2>/dev/null) || continue
        read -r -a fields <<<"${stat##*) }"
        sum=$((sum + fields[11] + fields[12]))
    done
    echo "$sum"
}

for pid in "${named[@]}"; do [[ -d /proc/$pid ]] || { echo "No process $pid" >&2; exit 1; }; done
load 2 >/dev/null
before=$(cpu_ticks)
report=$(load "$seconds")
after=$(cpu_ticks)

awk -v cpu_us=$(((after - before) * 1000000 / $(getconf CLK_TCK))) '
    $1 == "50%" { p50 = $2 }
    $1 == "99%" { p99 = $2 }
    / requests in / { requests = $1 }
    /^Requests\/sec/ { rate = $2 }
    /Non-2xx or 3xx/ { refused = $NF }
    /Socket errors/ { gsub(",", ""); errors = $4 + $6 + $8 + $10 }
    END {
        printf "requests=%d rps=%.0f p50=%s p99=%s cpu_us_per_request=%.1f non2xx=%d socket_errors=%d\n",
            requests, rate, p50, p99, requests ? cpu_us / requests : 0, refused, errors
    }' <<<"$report"
