# shellcheck shell=bash
# What the scripts need from Debian: `need COMMAND=PACKAGE …` installs the packages whose commands are missing.

say() { echo "$*" >&2; }
fail() { say "$@"; exit 1; }

# PostgreSQL keeps its server programs off the PATH.
postgres_programs() {
    local folder
    for folder in $(printf '%s\n' /usr/lib/postgresql/*/bin | sort -Vr); do
        if [[ -x $folder/initdb ]]; then echo "$folder"; return; fi
    done
    folder=$(command -v initdb) && dirname "$folder"
}

has() {
    case $1 in
        initdb) postgres_programs >/dev/null ;;
        */*) [[ -e $1 ]] ;;
        *) command -v "$1" >/dev/null ;;
    esac
}

as_root=()

install_packages() {
    if ((EUID != 0)); then
        sudo -n true 2>/dev/null || fail "Missing here: $*. Install them first: sudo apt-get install $*"
        as_root=(sudo)
    fi
    command -v apt-get >/dev/null || fail "Missing here: $*. Install them with this system's package manager."
    say "Installing $* …"
    local -a apt=("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq -o Dpkg::Use-Pty=0)
    "${apt[@]}" install -y --no-install-recommends "$@" >/dev/null 2>&1 ||
        { "${apt[@]}" update >&2 && "${apt[@]}" install -y --no-install-recommends "$@" >/dev/null; } ||
        { say "apt-get could not install $*"; return 1; }
}

need() {
    local pair
    local -a missing=()
    for pair in "$@"; do
        has "${pair%%=*}" || missing+=("${pair#*=}")
    done
    ((${#missing[@]} == 0)) || install_packages "${missing[@]}"
}

# Debian starts a service when it installs it: `need_stopped SERVICE COMMAND=PACKAGE …` stops it for good if it came just now.
need_stopped() {
    local service=$1 pair
    shift
    for pair in "$@"; do
        has "${pair%%=*}" && continue
        need "$pair" || return
        if [[ -d /run/systemd/system ]]; then
            "${as_root[@]}" systemctl disable --quiet --now "$service"
        else
            "${as_root[@]}" service "$service" stop >/dev/null 2>&1 || true
        fi
    done
}
