#!/usr/bin/env bash
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# shellcheck source-path=SCRIPTDIR source=lib/packages.sh
source "$root/scripts/lib/packages.sh"
# shellcheck source-path=SCRIPTDIR source=lib/processes.sh
source "$root/scripts/lib/processes.sh"
# shellcheck source-path=SCRIPTDIR source=lib/stores.sh
source "$root/scripts/lib/stores.sh"
# shellcheck source-path=SCRIPTDIR source=lib/programs.sh
source "$root/scripts/lib/programs.sh"

usage() {
    cat <<'TEXT'
A private HeartGrains cluster on this machine's loopback: Redis, PostgreSQL, silos and gateways.

  cluster.sh up [--silos 3] [--gateways 1]   start what is missing, return when all are ready
                [--set Key=Value]…           a setting for silos and gateways, such as RateLimits:Policies:0:TokenLimit=100
                [--ports auto]               find free ports; or name the first of each kind: --gateway-port 8080,
                                             --silo-port 8090, --orleans-port 11111, --client-port 30000,
                                             --redis-port 6390, --postgres-port 5440
  cluster.sh status                          a line each of those that run: role number pid url
  cluster.sh add silo|gateway                one more
  cluster.sh stop|kill|start|restart ROLE N  stop gracefully, SIGKILL, start again; ROLE: redis, postgres, silo, gateway
  cluster.sh psql [ARGUMENT…]                open the database
  cluster.sh down [--wipe]                   stop all; --wipe forgets the data too

Every command takes --dir DIR (.cluster in the checkout unless given): data, logs, secrets and pids of one cluster.
TEXT
}

roles=(redis postgres silo gateway)
ready_seconds=60
stop_seconds=45
gateway_port=8080 silo_port=8090 orleans_port=11111 client_port=30000 redis_port=6390 postgres_port=5440

url_of() {
    case $1 in
        redis) echo "redis://127.0.0.1:$redis_port" ;;
        postgres) echo "postgresql://heartgrains@127.0.0.1:$postgres_port/heartgrains" ;;
        silo) echo "http://127.0.0.1:$((silo_port + $2 - 1))" ;;
        gateway) echo "http://127.0.0.1:$((gateway_port + $2 - 1))" ;;
    esac
}

is_ready() {
    if [[ $1 == redis ]]; then redis_answers; else curl -fs -m 2 -o /dev/null "$(url_of "$1" "$2")/health/ready"; fi
}

running() {
    local role number
    for role in "${roles[@]}"; do
        for number in $(numbers_of "$role"); do
            pid_of "$role" "$number" >/dev/null && return
        done
    done
    return 1
}

save_settings() {
    local name
    for name in gateway_port silo_port orleans_port client_port redis_port postgres_port postgres_home; do
        printf '%s=%q\n' "$name" "${!name}"
    done >"$dir/settings"
}

secret() { od -An -N24 -tx1 /dev/urandom | tr -d ' \n'; }

create_secrets() {
    [[ ! -f $dir/secrets ]] || return 0
    (umask 077 && printf '%s=%s\n' key "$(secret)" reader_secret "$(secret)" postgres_admin_password "$(secret)" postgres_password "$(secret)" >"$dir/secrets")
}

open_cluster() {
    [[ -f $dir/settings ]] || fail "No cluster in $dir: start one with 'cluster.sh up', or name its folder with --dir."
    # shellcheck source=/dev/null
    source "$dir/settings"
    # shellcheck source=/dev/null
    source "$dir/secrets"
    postgres_bin=$(postgres_programs)
}

# Commands that change the cluster take turns.
lock_cluster() {
    exec 9>"$dir/lock"
    flock -w 120 9 || fail "Another command has held $dir/lock for two minutes."
}

option_value() { [[ -n ${2:-} ]] || fail "$1 wants a value."; echo "$2"; }

read_up_options() {
    local base
    while (($#)); do
        local option=$1 value
        if [[ $option == --*=* ]]; then value=${option#*=} option=${option%%=*}; shift; else value=$(option_value "$@"); shift 2; fi
        case $option in
            --set) settings+=("$value"); continue ;;
            --ports)
                [[ $value == auto ]] || fail "--ports takes only 'auto'."
                base=$(find_free_ports)
                gateway_port=$base silo_port=$((base + 10)) orleans_port=$((base + 30)) client_port=$((base + 50))
                redis_port=$((base + 70)) postgres_port=$((base + 71)) ports_given=true
                continue ;;
        esac
        [[ $value =~ ^[0-9]{1,5}$ ]] || fail "$option wants a number, not '$value'."
        case $option in
            --silos) silos=$value ;;
            --gateways) gateways=$value ;;
            --gateway-port | --silo-port | --orleans-port | --client-port | --redis-port | --postgres-port)
                option=${option#--}
                printf -v "${option//-/_}" %s "$value"
                ports_given=true ;;
            *) usage >&2; fail "up knows no option $option" ;;
        esac
    done
}

up() {
    local silos=3 gateways=1 ports_given=false setting
    local -a settings=()
    need redis-server=redis-server redis-cli=redis-tools initdb=postgresql psql=postgresql-client curl=curl setsid=util-linux
    mkdir -p "$dir/run" "$dir/logs"
    lock_cluster
    # shellcheck source=/dev/null
    [[ ! -f $dir/settings ]] || source "$dir/settings"
    read_up_options "$@"
    if [[ $ports_given == true ]] && running; then fail "Ports cannot change while the cluster runs: 'cluster.sh down' first."; fi
    choose_postgres_home
    create_secrets
    save_settings
    open_cluster
    for setting in "${settings[@]}"; do remember_setting "$setting"; done
    build_programs
    running || trap 'say "Stopping what was started; logs stay in $dir/logs."; down' EXIT
    pid_of redis 1 >/dev/null || start_redis
    pid_of postgres 1 >/dev/null || start_postgres
    launch_up_to silo "$silos"
    launch_up_to gateway "$gateways"
    trap - EXIT
    status
}

# All of a role start at once, then each is waited for.
launch_up_to() {
    local number
    for ((number = 1; number <= $2; number++)); do
        pid_of "$1" "$number" >/dev/null || "launch_$1" "$number"
    done
    for ((number = 1; number <= $2; number++)); do wait_ready "$1" "$number"; done
}

status() {
    local role number pid
    for role in "${roles[@]}"; do
        for number in $(numbers_of "$role"); do
            if pid=$(pid_of "$role" "$number"); then
                echo "$role $number $pid $(url_of "$role" "$number")"
            else
                say "$role $number does not run"
            fi
        done
    done
}

start() {
    if pid_of "$1" "$2" >/dev/null; then say "$1 $2 runs already"; return; fi
    case $1 in
        redis | postgres) "start_$1" ;;
        *) "launch_$1" "$2" && wait_ready "$1" "$2" ;;
    esac
}

stop() {
    gone "$1" "$2" && return
    if [[ $1 == postgres ]]; then stop_postgres; else signal TERM "$1" "$2"; fi
    wait_until "$stop_seconds" gone "$1" "$2" ||
        fail "$1 $2 did not stop within $stop_seconds s; 'cluster.sh kill $1 $2' ends it. Its log: $(log_of "$1" "$2")"
}

kill_member() {
    signal KILL "$1" "$2"
    wait_until 10 gone "$1" "$2" || fail "$1 $2 outlived SIGKILL."
}

restart() { stop "$1" "$2" && start "$1" "$2"; }

add() {
    local number
    [[ ${1:-} == silo || ${1:-} == gateway ]] || fail "add takes 'silo' or 'gateway'."
    number=$(($(numbers_of "$1" | tail -n 1) + 1))
    start "$1" "$number"
    status 2>/dev/null | grep "^$1 $number "
}

# change COMMAND ROLE [N]
change() {
    local command=$1 role=${2:-} number=${3:-}
    [[ " ${roles[*]} " == *" $role "* ]] || fail "$command wants a role: ${roles[*]}, then its number."
    [[ $role == silo || $role == gateway ]] || number=${number:-1}
    [[ $number =~ ^[1-9][0-9]*$ ]] || fail "$command $role wants a number, as 'cluster.sh status' shows it."
    known "$role" "$number" || fail "No $role $number was ever started here; 'cluster.sh add $role' makes one more."
    [[ $command == kill ]] && command=kill_member
    "$command" "$role" "$number"
}

# Gateways first, so that no request meets a missing silo; one that is held by SIGSTOP must go on to hear the SIGTERM.
down() {
    local role number
    for role in gateway silo redis; do
        for number in $(numbers_of "$role"); do signal CONT "$role" "$number"; signal TERM "$role" "$number"; done
        for number in $(numbers_of "$role"); do
            wait_until "$stop_seconds" gone "$role" "$number" && continue
            say "$role $number did not stop within $stop_seconds s and is killed"
            kill_member "$role" "$number"
        done
    done
    if ! gone postgres 1; then signal CONT postgres 1; stop_postgres || kill_member postgres 1; fi
    rm -f "$dir/run"/*
    [[ ${1:-} == --wipe ]] || return 0
    rm -rf "$postgres_home" "$dir"/{redis,run,logs,secrets,settings,program-settings,lock}
    rmdir "$dir" 2>/dev/null || say "$dir holds other files and stays"
}

dir=$root/.cluster
arguments=()
while (($#)); do
    case $1 in
        --dir) dir=$(option_value "$@"); shift 2 ;;
        --dir=*) dir=${1#*=}; shift ;;
        *) arguments+=("$1"); shift ;;
    esac
done
dir=$(realpath -m "$dir")
set -- "${arguments[@]}"
command=${1:-help}
(($# == 0)) || shift

case $command in
    up) up "$@" ;;
    status) open_cluster; status ;;
    psql) open_cluster; open_psql "$@" ;;
    add) open_cluster; lock_cluster; add "$@" ;;
    start | stop | kill | restart) open_cluster; lock_cluster; change "$command" "$@" ;;
    down) open_cluster; lock_cluster; down "$@" ;;
    help | -h | --help) usage ;;
    *) usage >&2; fail "Unknown command: $command" ;;
esac
