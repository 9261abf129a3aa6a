import subprocess
import sys
from pathlib import Path

CHECKOUT = Path(__file__).parents[2]


def test_importing_the_room_loads_no_heavy_library() -> None:
    code = (
        "import sys, adapters; heavy = {'torch', 'transformers', 'peft', 'trl', 'datasets', "
        "'matplotlib', 'huggingface_hub'} & set(sys.modules); print(sorted(heavy))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=CHECKOUT, capture_output=True, text=True, env={}
    )
    assert (done.stdout.strip(), done.stderr) == ("[]", "")
