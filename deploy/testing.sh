# The steps that check.sh and test.sh share. Sourced; needs environment.sh. Sets nothing.

# prepare_tests: the environment of quickstart.sh with what the tests need on top.
prepare_tests() {
  echo "== environment"
  make_venv
  install_pins pins-cpu.txt
  install_pins pins-test.txt
  install_project
  cd "$root"
  "$python" -m adapters "${FINGERPOST_HOME:-$root/.fingerpost}/models"
}

# prepare_two_languages: the models of a new home; without a source the small ones serve.
prepare_two_languages() {
  "$python" -m adapters "${FINGERPOST_HOME:-$root/.fingerpost}/models" \
    --base-model qwen2.5-coder-0.5b-instruct --embedder multilingual-e5-small
}

# install_servers: nginx and HAProxy, which a long run puts in front of the gateway, and Redis, which
# it counts limits in; none is started as a service. Without them, without root or outside Debian,
# their tests are skipped.
install_servers() {
  local name missing=()
  for name in nginx haproxy redis-server; do
    PATH="$PATH:/usr/sbin" command -v "$name" >/dev/null 2>&1 || missing+=("$name")
  done
  [ "${#missing[@]}" -gt 0 ] || return 0
  echo "== servers: ${missing[*]}"
  if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null 2>&1; then
    echo "not installed: that takes root and apt-get; their tests are skipped"
    return 0
  fi
  apt-get update -q
  RUNLEVEL=1 DEBIAN_FRONTEND=noninteractive \
    apt-get install -y -q --no-install-recommends "${missing[@]}"
}

# check_code: format, lint, types.
check_code() {
  echo "== format, lint"
  "$python" -m ruff format --check service router knowledge adapters tests deploy
  "$python" -m ruff check .
  echo "== types"
  "$python" -m mypy service router knowledge adapters tests
}

# run_tests LIMIT_S ARGUMENTS: pytest in three processes, as some tests wait while others compute;
# its closing line is the last that is printed. The limit ends a run that hangs.
run_tests() {
  local limit_s="$1" log status=0
  shift
  echo "== tests (${SECONDS} s so far)"
  log="$(mktemp)"
  timeout --signal=INT --kill-after=60 "$limit_s" \
    "$python" -m pytest -n 3 --dist loadfile --no-loadscope-reorder "$@" | tee "$log" || status=$?
  # Libraries may still speak while the interpreter ends.
  grep -E '(passed|failed|errors?|skipped|deselected|no tests ran).* in [0-9.]+s' "$log" |
    tail -n 1 || true
  rm -f "$log"
  return "$status"
}
