#!/usr/bin/env bash
# Builds Release, unless TESTS_ARE_BUILT says that it is done, and runs the tests; arguments go to the runner: ./scripts/test.sh -class '*Ledger*' (-? lists them all).
# The last line says how many passed and failed. The tests start private PostgreSQL, Redis and Prometheus processes of their own.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# shellcheck source-path=SCRIPTDIR source=lib/packages.sh
source "$root/scripts/lib/packages.sh"

roomy_folder() {
    local free
    free=$(df --output=avail -B1G /dev/shm 2>/dev/null | tail -n 1)
    if ((${free:-0} >= 12)) && [[ ! $(findmnt -no OPTIONS -T /dev/shm) =~ noexec ]]; then echo /dev/shm; else echo "${TMPDIR:-/tmp}"; fi
}

command -v dotnet >/dev/null || fail "The .NET 10 SDK is missing: https://dotnet.microsoft.com/download"
need redis-server=redis-server redis-cli=redis-tools initdb=postgresql psql=postgresql-client curl=curl python3=python3
need_stopped prometheus prometheus=prometheus promtool=prometheus
# Chromium without windows, where Debian has it, draws the same for half the processor time.
(need chromium-headless-shell=chromium-headless-shell) || (need chromium=chromium) || true
(need npm=npm) || say "Going on without Chromium or npm: only tests of pages need them."

# PostgreSQL runs as another user when the tests run as root, and must be able to write here too.
# In memory where there is plenty of it: the tests end processes, not the machine, and four hundred databases are made.
TMPDIR=$(mktemp -d -p "$(roomy_folder)")
export TMPDIR
trap 'rm -rf "$TMPDIR"' EXIT
chmod 1777 "$TMPDIR"

# Code that is compiled once more for what was counted of its first calls pays off in days, not in a test: a quarter of the run's processor time.
export DOTNET_TieredPGO=0
# A hundred gateways and silos live and die in the tests' process: with little room for new objects it would spend its time collecting.
export DOTNET_GCgen0size=0x10000000

[[ -n ${TESTS_ARE_BUILT:-} ]] || dotnet build "$root/HeartGrains.sln" -c Release -nologo -v minimal --nodereuse:false -p:UseSharedCompilation=false

status=0
dotnet run --project "$root/Tests" -c Release --no-build -- -noColor -result-xml "$TMPDIR/results.xml" "$@" || status=$?

# A class or the whole run can fail outside of any test: the report counts that as an error.
totals=$(grep -o '<assembly [^>]*>' "$TMPDIR/results.xml" 2>/dev/null) || { say "The runner left no report."; exit "$status"; }
count() { grep -oE " $1=\"[0-9]+\"" <<<"$totals" | grep -oE '[0-9]+'; }
skipped=$(($(count skipped) + $(count not-run)))
((skipped == 0)) || echo "$skipped skipped or explicit, not run"
echo "$(count passed) passed, $(($(count failed) + $(count errors))) failed"
exit "$status"
