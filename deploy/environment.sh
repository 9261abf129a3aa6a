# The Python environment, made once and then recognised by its stamp. Sourced by quickstart.sh,
# check.sh and test.sh, so that what is tested is what runs. Sets: root, python (of .venv).

root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
venv="$root/.venv"
python="$venv/bin/python"

fail() {
  printf 'fingerpost: %s\n' "$*" >&2
  exit 1
}

# Prints the first Python that is new enough.
find_python() {
  local candidate
  for candidate in "${PYTHON:-}" python3.11 python3 python3.12 python3.13; do
    [ -n "$candidate" ] || continue
    command -v "$candidate" >/dev/null 2>&1 || continue
    if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
      printf '%s\n' "$candidate"
      return
    fi
  done
  fail "Python 3.11 or newer is needed. Install it (Debian: apt-get install python3.11" \
    "python3.11-venv), or name one: PYTHON=/path/to/python3.11 bash deploy/quickstart.sh"
}

# make_venv: an empty .venv of this checkout; one that was moved here is made anew.
make_venv() {
  local found
  if [ -x "$python" ] && [ "$(cat "$venv/made-for" 2>/dev/null)" != "$root" ]; then
    # Made by hand (no mark) is fine; made for another folder points there.
    if [ -e "$venv/made-for" ]; then
      echo "the environment was made for another folder: making it anew"
      rm -rf "$venv"
    fi
  fi
  if [ ! -x "$python" ]; then
    found="$(find_python)"
    echo "making .venv with $("$found" --version)"
    "$found" -m venv "$venv" || {
      rm -rf "$venv"
      fail "python -m venv failed. On Debian: apt-get install python3-venv"
    }
  fi
  "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
    fail ".venv holds a Python older than 3.11: delete .venv and start again"
  printf '%s' "$root" >"$venv/made-for"
}

# install_pins FILE: exactly these packages, no others; skipped when the stamp fits.
install_pins() {
  local pins="$root/deploy/$1" stamp="$venv/installed-$1.sha256" log="$venv/install-$1.log" sum
  sum="$(sha256sum <"$pins")"
  if [ "$(cat "$stamp" 2>/dev/null)" = "$sum" ]; then
    echo "$1: already installed"
    return
  fi
  echo "installing $1 ($(grep -c '==' "$pins") packages; about 90 s and 4 GB for the whole)"
  if ! pip_install "$log" -r "$pins"; then
    if grep -q 'No matching distribution found for torch' "$log"; then
      echo "the package index has no CPU build of torch: asking PyTorch's own as well"
      pip_install "$log" --extra-index-url https://download.pytorch.org/whl/cpu -r "$pins" ||
        fail_install "$log"
    else
      fail_install "$log"
    fi
  fi
  printf '%s\n' "$sum" >"$stamp"
}

# install_project: the checkout itself, editable, for the console script.
install_project() {
  local stamp="$venv/installed-project.sha256" sum
  sum="$(cat "$root/pyproject.toml" "$venv/made-for" | sha256sum)"
  if [ "$(cat "$stamp" 2>/dev/null)" = "$sum" ] && [ -x "$venv/bin/fingerpost" ]; then
    return
  fi
  pip_install "$venv/install-project.log" --no-build-isolation -e "$root" ||
    fail_install "$venv/install-project.log"
  printf '%s\n' "$sum" >"$stamp"
}

# pip_install LOG ARGUMENTS: pip without dependencies; every 20th package is announced.
pip_install() {
  local log="$1"
  shift
  # Without --no-deps the CPU engine pulls in torchvision, which breaks transformers beside a CPU torch.
  "$python" -m pip install --no-deps --no-input --disable-pip-version-check --progress-bar off \
    "$@" 2>&1 | tee "$log" |
    awk '/^(Collecting|Processing)/ { if (++n % 20 == 0) { print "  " n " packages fetched"; fflush() } }
         /^Installing collected/ { print "  unpacking"; fflush() }'
}

fail_install() {
  tail -n 15 "$1" >&2
  fail "pip could not install the packages; the whole log is $1"
}
