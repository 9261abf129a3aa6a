#!/usr/bin/env bash
# What CI runs: format, lint, types, then every test, those on the real engine last.
# Makes and uses the same .venv as quickstart.sh. Some 25 minutes on 2 cores.
set -euo pipefail

case "${1:-}" in
  -h | --help)
    echo "usage: bash deploy/test.sh [PYTEST ARGUMENTS]"
    exit 0
    ;;
esac

# shellcheck source=deploy/environment.sh
. "$(dirname "${BASH_SOURCE[0]}")/environment.sh"

echo "== environment"
make_venv
install_pins pins-cpu.txt
install_pins pins-test.txt
install_project
cd "$root"

echo "== format, lint"
"$python" -m ruff format --check service router knowledge adapters tests deploy
"$python" -m ruff check .

echo "== types"
"$python" -m mypy service router knowledge adapters tests

echo "== models"
"$python" -m adapters "${FINGERPOST_HOME:-$root/.fingerpost}/models"

echo "== tests (${SECONDS} s so far)"
# The limit ends a run that hangs; a full run takes a third of it.
log="$(mktemp)"
trap 'rm -f "$log"' EXIT
status=0
timeout --signal=INT --kill-after=60 4500 "$python" -m pytest "$@" | tee "$log" || status=$?
# Libraries may still speak while the interpreter ends; pytest's closing line comes last.
tail -n 1 "$log"
exit "$status"
