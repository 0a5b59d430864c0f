# shellcheck shell=bash disable=SC2154 # Ports, folders and secrets are set by the script that sources this.
# The two stores of a cluster: Redis for membership, PostgreSQL for everything that must last.

# PostgreSQL refuses to run as root.
as_postgres() {
    if ((EUID == 0)); then (cd / && runuser -u postgres -- "$@"); else "$@"; fi
}

# Where PostgreSQL's owner cannot enter the cluster's folder (a checkout under /root), its data live beside the system's own.
choose_postgres_home() {
    postgres_home=$dir/postgres
    if ((EUID == 0)) && ! as_postgres test -x "$dir"; then
        postgres_home=/var/lib/postgresql/heartgrains-$(cksum <<<"$dir" | cut -d' ' -f1)
    fi
}

# appendfsync always: membership is written a few times a minute, so it costs nothing, and a silo whose acknowledged row
# vanished would stop itself. noeviction: no row may be dropped to make room.
start_redis() {
    check_port "$redis_port" Redis --redis-port
    mkdir -p "$dir/redis"
    launch redis 1 redis-server --bind 127.0.0.1 --port "$redis_port" --dir "$dir/redis" --save "" \
        --appendonly yes --appendfsync always --maxmemory-policy noeviction
    wait_ready redis 1
}

redis_answers() { [[ $(redis-cli -h 127.0.0.1 -p "$redis_port" ping 2>/dev/null) == PONG ]]; }

create_database_folder() {
    mkdir -p "$postgres_home"
    ((EUID != 0)) || chown postgres: "$postgres_home"
    as_postgres chmod 700 "$postgres_home"
    # shellcheck disable=SC2016
    as_postgres sh -c 'umask 077; cat >"$1"' sh "$postgres_home/password" <<<"$postgres_admin_password"
    as_postgres "$postgres_bin/initdb" -D "$postgres_home/data" -U postgres -A scram-sha-256 --pwfile="$postgres_home/password" \
        -E UTF8 --locale=C.UTF-8 >"$dir/logs/initdb.log" || fail "initdb failed: see $dir/logs/initdb.log"
    as_postgres rm "$postgres_home/password"
    as_postgres tee -a "$postgres_home/data/postgresql.conf" >/dev/null <<<"
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
max_connections = 200"
}

create_database() {
    PGPASSWORD=$postgres_admin_password psql -qX -v ON_ERROR_STOP=1 -h 127.0.0.1 -p "$postgres_port" -U postgres postgres <<SQL
CREATE ROLE heartgrains LOGIN PASSWORD '$postgres_password';
CREATE DATABASE heartgrains OWNER heartgrains;
SQL
}

# After a kill -9 the children of the old postmaster need a moment to notice; until then a new one refuses to start.
try_postgres() {
    as_postgres "$postgres_bin/pg_ctl" start -w -t 30 -D "$postgres_home/data" -l "$postgres_home/server.log" \
        -o "-p $postgres_port" >/dev/null 2>&1 9>&-
}

start_postgres() {
    check_port "$postgres_port" PostgreSQL --postgres-port
    local new=false
    if ! as_postgres test -f "$postgres_home/data/PG_VERSION"; then
        create_database_folder
        new=true
    fi
    wait_until 15 try_postgres || fail_with_log postgres 1 "did not start"
    record postgres 1 "$(as_postgres head -n 1 "$postgres_home/data/postmaster.pid")"
    [[ $new == false ]] || create_database
    say "postgres 1 is ready"
}

stop_postgres() {
    as_postgres "$postgres_bin/pg_ctl" stop -w -t "$stop_seconds" -m fast -D "$postgres_home/data" >/dev/null
}

open_psql() { PGPASSWORD=$postgres_password exec psql -h 127.0.0.1 -p "$postgres_port" -U heartgrains -d heartgrains "$@"; }
