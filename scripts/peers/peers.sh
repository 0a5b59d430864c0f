#!/usr/bin/env bash
# peers.sh up|down: two services to measure HeartGrains beside, on loopback.
#   go           http://127.0.0.1:18083  net/http and maps, memory only
#   nginx-redis  http://127.0.0.1:18084  nginx with Lua and one Redis script; append-only file, fsync PEER_FSYNC (always)
# `up` prints a line each, `name pid[,pid] url`, as measure.sh wants them.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source-path=SCRIPTDIR source=../lib/packages.sh
source "$here/../lib/packages.sh"
# shellcheck source-path=SCRIPTDIR source=../lib/processes.sh
source "$here/../lib/processes.sh"

dir=${PEER_DIR:-${TMPDIR:-/tmp}/heartgrains-peers}
go_port=${PEER_GO_PORT:-18083} nginx_port=${PEER_NGINX_PORT:-18084} redis_port=${PEER_REDIS_PORT:-16391}
ready_seconds=10

is_ready() {
    case $1 in
        redis) [[ $(redis-cli -p "$redis_port" ping 2>/dev/null) == PONG ]] ;;
        go) port_taken "$go_port" ;;
        nginx) port_taken "$nginx_port" ;;
    esac
}

up() {
    need go=golang-go nginx=nginx /usr/lib/nginx/modules/ngx_http_lua_module.so=libnginx-mod-http-lua \
        /usr/share/lua/5.1/nginx/redis.lua=lua-nginx-redis /usr/lib/x86_64-linux-gnu/lua/5.1/cjson.so=lua-cjson \
        redis-server=redis-server redis-cli=redis-tools wrk=wrk
    mkdir -p "$dir/run" "$dir/logs" "$dir/redis" "$dir/nginx"
    check_port "$go_port" "the Go service" PEER_GO_PORT
    check_port "$nginx_port" nginx PEER_NGINX_PORT
    check_port "$redis_port" "the peers' Redis" PEER_REDIS_PORT

    (cd "$here/go" && GOFLAGS=-buildvcs=false go build -o "$dir/go-hearts" .)
    launch go 1 "$dir/go-hearts" -listen "127.0.0.1:$go_port"

    launch redis 1 redis-server --bind 127.0.0.1 --port "$redis_port" --dir "$dir/redis" --save "" \
        --appendonly yes --appendfsync "${PEER_FSYNC:-always}"

    cp "$here/nginx/hearts.lua" "$dir/nginx/"
    sed "s/@HEART_PORT@/$nginx_port/; s/@REDIS_PORT@/$redis_port/" "$here/nginx/nginx.conf" >"$dir/nginx/nginx.conf"
    launch nginx 1 nginx -p "$dir/nginx" -c nginx.conf -g "daemon off;"

    wait_ready go 1
    wait_ready redis 1
    wait_ready nginx 1
    echo "go $(pid_of go 1) http://127.0.0.1:$go_port"
    echo "nginx-redis $(pid_of nginx 1),$(pid_of redis 1) http://127.0.0.1:$nginx_port"
}

down() {
    local role
    for role in go nginx redis; do signal TERM "$role" 1; done
    for role in go nginx redis; do wait_until 15 gone "$role" 1 || signal KILL "$role" 1; done
    rm -rf "$dir"
}

case ${1:-} in
    up | down) "$1" ;;
    *) sed -n '2,5s/^# //p' "$0" >&2; exit 2 ;;
esac
