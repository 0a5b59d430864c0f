#!/usr/bin/env bash
# Checks docker-compose.yml against the Compose schema, without a Docker engine; with Debian's docker-compose where the
# docker command has no compose plugin. Then sees that no secret is in the file: without the environment it is refused.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source-path=SCRIPTDIR source=../scripts/lib/packages.sh
source scripts/lib/packages.sh

if docker compose version >/dev/null 2>&1; then
    compose=(docker compose)
else
    need docker-compose=docker-compose
    compose=(docker-compose)
fi
secrets=(GRAFANA_PASSWORD HEARTGRAINS_KEY POSTGRES_PASSWORD READER_SECRET REDIS_PASSWORD)

no_settings=$(mktemp)
trap 'rm -f "$no_settings"' EXIT
check() { "${compose[@]}" --env-file "$no_settings" -f docker-compose.yml config "$@"; }

export "${secrets[@]/%/=for-this-check-only}"
check --quiet
for secret in "${secrets[@]}"; do
    if (unset "$secret" && check --quiet 2>/dev/null); then fail "docker-compose.yml goes without $secret: is there a secret in it?"; fi
done
echo "docker-compose.yml is valid ($("${compose[@]}" version --short 2>/dev/null)); services: $(check --services | sort | xargs)"
