#!/usr/bin/env bash
# From a bare machine to four strategies answering: environment, models, processes, demo content,
# a trained adapter and a comparison. Every step is skipped when its result is there, so a second
# run takes seconds. `.venv/bin/fingerpost down` stops everything it started.
set -euo pipefail

usage() {
  cat <<'TEXT'
usage: bash deploy/quickstart.sh [--no-train] [--full] [--compare] [--model NAME] [--port N] [--lang L]

  --no-train   leave the adapter out: prompt_only and rag only
  --full       train on all rows of the demo, not on the third that takes some ten minutes
  --compare    ask the comparison's questions anew, even if a result is there
  --model NAME base model of a new home: qwen (default, Chinese and English, 0.5 billion
               weights) or smollm2 (English, 0.1 billion, four times as fast)
  --port N     port of the gateway (default 8080; 0 picks a free one)
  --lang L     language of what it says once Python is installed: en (default), zh or zh-Hant

Needs Python 3.11 or newer with venv and a package index; 9 GB of disk and 16 GB of memory
(8 GB with --model smollm2).
FINGERPOST_HOME names the folder for models, documents and adapters (default: .fingerpost).
TEXT
}

arguments=()
while [ $# -gt 0 ]; do
  case "$1" in
    -h | --help)
      usage
      exit 0
      ;;
    --no-train | --full | --compare) arguments+=("$1") ;;
    --port)
      [[ "${2:-}" =~ ^[0-9]+$ ]] || {
        echo "--port needs a number" >&2
        exit 2
      }
      arguments+=(--port "$2")
      shift
      ;;
    --model)
      arguments+=(--model "${2:-}")
      shift
      ;;
    --lang)
      arguments+=(--lang "${2:-}")
      shift
      ;;
    --model=* | --lang=*) arguments+=("$1") ;;
    --port=*) arguments+=("$1") ;;
    *)
      echo "unknown option: $1" >&2
      usage >&2
      exit 2
      ;;
  esac
  shift
done

# shellcheck source=deploy/environment.sh
. "$(dirname "${BASH_SOURCE[0]}")/environment.sh"

echo "== environment"
make_venv
install_pins pins-cpu.txt
install_project
echo "   environment: ${SECONDS} s"

cd "$root"
exec "$python" -m service.cli quickstart "${arguments[@]+"${arguments[@]}"}"
