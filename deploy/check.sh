#!/usr/bin/env bash
# Format, lint, types and every test that needs no engine and no training: some 4 minutes on 2 cores.
# Makes and uses the same .venv as quickstart.sh; deploy/test.sh runs the rest as well.
set -euo pipefail

case "${1:-}" in
  -h | --help)
    echo "usage: bash deploy/check.sh [PYTEST ARGUMENTS]"
    exit 0
    ;;
esac

# shellcheck source=deploy/environment.sh
. "$(dirname "${BASH_SOURCE[0]}")/environment.sh"
# shellcheck source=deploy/testing.sh
. "$(dirname "${BASH_SOURCE[0]}")/testing.sh"

prepare_tests
check_code
run_tests 1800 -m "not engine and not training" "$@"
