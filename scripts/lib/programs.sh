# shellcheck shell=bash disable=SC2154 # Ports, folders and secrets are set by the script that sources this.
# Silos and gateways: built when sources are newer, started from the Release build, with secrets in the environment only.
# SILO_PROGRAM and GATEWAY_PROGRAM name other builds, say for a rolling upgrade from a published folder.

silo_program=${SILO_PROGRAM:-$root/Silo/bin/Release/net10.0/HeartGrains.Silo}
gateway_program=${GATEWAY_PROGRAM:-$root/Gateway/bin/Release/net10.0/HeartGrains.Gateway}

is_current() {
    local folder newest
    folder=$root/$1/bin/Release/net10.0
    newest=$(find "$folder" -maxdepth 1 -name 'HeartGrains*.dll' -printf '%T@ %p\n' 2>/dev/null | sort -rn | head -n 1 | cut -d' ' -f2-)
    [[ -n $newest && -x $folder/HeartGrains.$1 ]] || return 1
    [[ -z $(find "$root/$1" "$root/Grains" "$root/Grains.Interfaces" "$root"/Directory.*.props \
        \( -name bin -o -name obj \) -prune -o -type f -newer "$newest" -print -quit) ]]
}

# One build at a time, also when two clusters start from one checkout; no build server may outlive it and keep our descriptors.
build_project() {
    command -v dotnet >/dev/null || fail "The .NET 10 SDK is missing: https://dotnet.microsoft.com/download"
    (
        flock 8
        is_current "$1" && exit
        say "Building $1 …"
        dotnet build "$root/$1" -c Release -nologo -clp:NoSummary --nodereuse:false -p:UseSharedCompilation=false 8<&- 9>&-
    ) 8<"$root/HeartGrains.sln" >"$dir/logs/build-$1.log" || { tail -n 25 "$dir/logs/build-$1.log" >&2; fail "The build of $1 failed."; }
}

build_programs() {
    [[ -n ${SILO_PROGRAM:-} ]] || is_current Silo || build_project Silo
    [[ -n ${GATEWAY_PROGRAM:-} ]] || is_current Gateway || build_project Gateway
}

# launch_program ROLE N PROGRAM SWITCH…
launch_program() {
    local role=$1 number=$2 program dotnet
    program=$(realpath -m "$3")
    shift 3
    [[ -x $program ]] || fail "$program is missing: 'cluster.sh up' builds it."
    dotnet=$(readlink -f "$(command -v dotnet)" || true)
    local -a environment=("DOTNET_ROOT=${DOTNET_ROOT:-${dotnet%/*}}" "CONNECTIONSTRINGS__REDIS=127.0.0.1:$redis_port")
    if [[ $role == silo ]]; then
        environment+=("HEARTGRAINS__KEY=$key"
            "CONNECTIONSTRINGS__POSTGRES=Host=127.0.0.1;Port=$postgres_port;Database=heartgrains;Username=heartgrains;Password=$postgres_password")
    else
        # Spelled as --set spells it, which wins. Nobody but this machine reaches this cluster, and it has no accounts: who names a user is believed.
        environment+=("HEARTGRAINS__READERS__SECRET=$reader_secret" "HeartGrains__Auth__AllowClaimedUser=true")
    fi
    local -a extra=()
    [[ ! -f $dir/program-settings ]] || mapfile -t extra <"$dir/program-settings"
    (
        # Exported, not handed to `env`, so that no secret shows in a list of processes.
        export "${environment[@]}" "${extra[@]}"
        cd "${program%/*}" || exit
        launch "$role" "$number" "$program" "$@"
    )
}

launch_silo() {
    local index=$(($1 - 1))
    check_port $((silo_port + index)) "silo $1's HTTP" --silo-port
    check_port $((orleans_port + index)) "silo $1's neighbours" --orleans-port
    check_port $((client_port + index)) "silo $1's clients" --client-port
    launch_program silo "$1" "$silo_program" "--port=$((silo_port + index))" \
        "--silo-port=$((orleans_port + index))" "--client-port=$((client_port + index))"
}

launch_gateway() {
    local port=$((gateway_port + $1 - 1))
    check_port "$port" "gateway $1" --gateway-port
    launch_program gateway "$1" "$gateway_program" --mode=cluster "--port=$port"
}

# A setting is named as in appsettings.json, with or without `HeartGrains:` in front.
remember_setting() {
    [[ $1 == *=* ]] || fail "--set wants Key=Value, such as --set RateLimits:Policies:0:TokenLimit=100, not '$1'"
    local name=${1%%=*}
    case $name in
        HeartGrains:* | Logging:* | ConnectionStrings:* | Kestrel:*) ;;
        *) name=HeartGrains:$name ;;
    esac
    (umask 077 && echo "${name//:/__}=${1#*=}" >>"$dir/program-settings")
}
