#!/usr/bin/env bash
# What CI runs: format, lint, types, then every test, those on the real engine last.
# Makes and uses the same .venv as quickstart.sh. Some 20 minutes on 2 cores, 25 the first time.
set -euo pipefail

limit_s=4500 long=0
for argument in "$@"; do
  case "$argument" in
    -h | --help)
      echo "usage: bash deploy/test.sh [--long] [PYTEST ARGUMENTS]"
      echo
      echo "  --long   kills, fuzzing, random operations and simulations in their whole length,"
      echo "           and nginx, HAProxy and Redis from Debian where root runs it"
      exit 0
      ;;
    --long) limit_s=14400 long=1 ;;
  esac
done

# shellcheck source=deploy/environment.sh
. "$(dirname "${BASH_SOURCE[0]}")/environment.sh"
# shellcheck source=deploy/testing.sh
. "$(dirname "${BASH_SOURCE[0]}")/testing.sh"

[ "$long" = 0 ] || install_servers
prepare_tests
prepare_two_languages
check_code
run_tests "$limit_s" "$@"
