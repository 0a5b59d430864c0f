# shellcheck shell=bash disable=SC2154 # Ports, folders and secrets are set by the script that sources this.
# Processes of one cluster. `$dir/run/ROLE-N` holds "pid start-time": the start time tells our process from a later
# stranger with the same pid, so nothing but our own is ever signalled.

# A process that ended but was not yet reaped has gone, for us.
start_time() {
    local stat
    local -a fields
    stat=$(cat "/proc/$1/stat" 2>/dev/null) || return 1
    read -r -a fields <<<"${stat##*) }"
    [[ ${fields[0]} != [ZX] ]] && echo "${fields[19]}"
}

record() { echo "$3 $(start_time "$3")" >"$dir/run/$1-$2"; }
known() { [[ -f $dir/run/$1-$2 ]]; }

# The pid of a running member; fails when it does not run.
pid_of() {
    local pid started
    [[ -f $dir/run/$1-$2 ]] && read -r pid started <"$dir/run/$1-$2" || return 1
    [[ $(start_time "$pid") == "$started" ]] && echo "$pid"
}

# The numbers of a role's members, running or not, in order.
numbers_of() {
    local file
    for file in "$dir/run/$1"-*; do
        if [[ -f $file ]]; then echo "${file##*-}"; fi
    done | sort -n
}

log_of() {
    if [[ $1 == postgres ]]; then echo "$postgres_home/server.log"; else echo "$dir/logs/$1-$2.log"; fi
}

fail_with_log() {
    local log
    log=$(log_of "$1" "$2")
    say "$1 $2 $3. The end of $log:"
    tail -n 25 "$log" >&2 || true
    exit 1
}

# launch ROLE N COMMAND… : in the background, in a session of its own, without our lock (descriptor 9).
launch() {
    local role=$1 number=$2
    shift 2
    setsid "$@" >>"$(log_of "$role" "$number")" 2>&1 </dev/null 9>&- &
    record "$role" "$number" $!
}

# wait_until SECONDS COMMAND… : asks ten times a second.
wait_until() {
    local deadline=$((SECONDS + $1))
    shift
    until "$@"; do
        ((SECONDS < deadline)) || return 1
        sleep 0.1
    done
}

gone() { ! pid_of "$1" "$2" >/dev/null; }
gone_or_ready() { gone "$1" "$2" || is_ready "$1" "$2"; }

wait_ready() {
    wait_until "$ready_seconds" gone_or_ready "$1" "$2" || fail_with_log "$1" "$2" "was not ready within $ready_seconds s"
    gone "$1" "$2" && fail_with_log "$1" "$2" "ended instead of starting"
    say "$1 $2 is ready"
}

signal() {
    local pid
    pid=$(pid_of "$2" "$3") || return 0
    kill "-$1" "$pid" 2>/dev/null || gone "$2" "$3"
}

port_taken() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

check_port() {
    # The threads of a process that was just killed may hold its sockets a moment longer.
    wait_until 3 port_free "$1" && return
    fail "Port $1, for $2, is taken. Give another with $3, or let this script find free ones: up --ports auto"
}

port_free() { ! port_taken "$1"; }

# A hundred free ports in a row, below the range the kernel hands out for outgoing connections.
find_free_ports() {
    local base offset
    while true; do
        base=$((12000 + RANDOM % 180 * 100))
        for offset in {0..9} {10..19} {30..39} {50..59} 70 71; do
            port_taken $((base + offset)) && continue 2
        done
        echo "$base"
        return
    done
}
