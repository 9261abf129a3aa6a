"""One environment a client, made from its pins under a cache folder and kept there.

It knows pip and npm; it does not know what is asked of a client.
"""

import hashlib
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
PINS = HERE / "pins"
PROGRAMS = HERE / "programs"


@dataclass(frozen=True, slots=True)
class Client:
    """A client that others wrote.

    Attributes:
        name: As the table says it.
        pins: Its file of exact versions: requirements of pip, or a `package.json` of npm.
        program: What is run in its environment.
    """

    name: str
    pins: str
    program: str

    @property
    def is_node(self) -> bool:
        """Whether it runs on Node."""
        return self.pins.endswith(".json")


CLIENTS = (
    Client("openai", "openai.txt", "openai_py.py"),
    Client("openai (npm)", "node.json", "openai_npm.mjs"),
    Client("langchain-openai", "langchain_openai.txt", "langchain_openai_py.py"),
    Client("llama-index", "llama_index.txt", "llama_index_py.py"),
    Client("litellm", "litellm.txt", "litellm_py.py"),
    Client("instructor", "instructor.txt", "instructor_py.py"),
    Client("pydantic-ai", "pydantic_ai.txt", "pydantic_ai_py.py"),
    Client("openai-agents", "openai_agents.txt", "openai_agents_py.py"),
    Client("Vercel ai", "node.json", "vercel_ai.mjs"),
    Client("Open WebUI", "open_webui.txt", "open_webui.py"),
)


def command_of(client: Client, cache: Path) -> list[str]:
    """Return how its program is started, its environment made where it is not there yet.

    Args:
        client: One of `CLIENTS`.
        cache: Where environments are kept; a change of the pins makes a new one.

    Raises:
        CalledProcessError: It could not be installed.
    """
    pins = PINS / client.pins
    digest = hashlib.sha256(pins.read_bytes()).hexdigest()[:12]
    place = cache / f"{pins.stem}-{digest}"
    done = place / "installed"
    if not done.is_file():
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir(parents=True)
        (_install_node if client.is_node else _install_python)(pins, place)
        done.touch()
    if not client.is_node:
        return [str(place / "bin" / "python"), str(PROGRAMS / client.program)]
    for program in PROGRAMS.glob("*.mjs"):  # Node looks for packages beside the program
        shutil.copy(program, place)
    return ["node", str(place / client.program)]


def _install_python(pins: Path, place: Path) -> None:
    subprocess.run([sys.executable, "-m", "venv", place], check=True)
    python = str(place / "bin" / "python")
    install = [python, "-m", "pip", "install", "-qq", "--no-deps", "--requirement", str(pins)]
    subprocess.run(install, check=True)


def _install_node(pins: Path, place: Path) -> None:
    shutil.copy(pins, place / "package.json")
    install = ["npm", "install", "--no-audit", "--no-fund", "--no-package-lock", "--ignore-scripts"]
    subprocess.run(install, cwd=place, check=True, stdout=subprocess.DEVNULL)
