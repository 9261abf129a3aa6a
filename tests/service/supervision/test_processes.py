"""The supervised processes: the real supervisord, small programs in place of the real ones."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from service.errors import HostForbidden, InvalidSettings, ProcessFailed
from service.home import Home, Ports
from service.settings import Settings, load_settings
from service.supervision import processes
from service.supervision.instance import HomeInUse, read_instance
from service.supervision.leftovers import identify, is_alive, record, recorded, sweep
from service.supervision.ports import PortTaken, choose_ports
from service.supervision.processes import NotPrepared
from service.supervision.programs import compose
from service.supervision.readiness import Waiting
from service.supervision.supervisord import Program, Supervisor, socket_path
from tests.fakes.certificates import make_key_pair

# Answers /ready, and as `engine` has a child that does not notice the death of its parent.
GATEWAY = """
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer
class Ready(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200); self.end_headers(); self.wfile.write(b'{"ready": true}')
    def log_message(self, *_): pass
HTTPServer(("127.0.0.1", int(sys.argv[1])), Ready).serve_forever()
"""
ENGINE = """
import subprocess, sys, time
subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)  # orphan " + sys.argv[1]])
time.sleep(600)
"""
FAILING = "import sys; sys.stderr.write('no such model\\n'); sys.exit(3)"


def _small_programs(settings: Settings, ports: Ports) -> list[Program]:
    def run(name: str, source: str, argument: object) -> Program:
        argv = (sys.executable, "-c", source, str(argument))
        return Program(name, argv, start_s=1, stop_s=3)

    return [
        run("engine", ENGINE, settings.home),
        run("chroma", "import time; time.sleep(600)", ""),
        replace(run("gateway", GATEWAY, ports.gateway), port=ports.gateway),
        run("worker", "import time; time.sleep(600)", ""),
    ]


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Settings]:
    """Yield the settings of a fresh home whose programs are small; stops what a test leaves."""
    for name in [name for name in os.environ if name.startswith("FINGERPOST_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("FINGERPOST_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(processes, "compose", _small_programs)
    monkeypatch.setattr(processes, "_migrate", lambda _environment: None)
    made = load_settings()
    made.base_model_path.mkdir(parents=True)
    yield made
    processes.down(made.paths)


def _pids(settings: Settings) -> dict[str, int]:
    states = processes.status(settings).processes
    return {state.name: state.pid for state in states if state.pid is not None}


def _orphans(settings: Settings) -> list[int]:
    mark = f"orphan {settings.home}".encode()
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and identify(int(entry.name)) is not None:
            try:
                if mark in (entry / "cmdline").read_bytes():
                    found.append(int(entry.name))
            except OSError:
                continue
    return found


def _until(condition: Callable[[], bool], *, seconds: float = 10.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "did not come true in time"
        time.sleep(0.1)


def test_up_starts_every_process_and_says_what_it_waits_for(settings: Settings) -> None:
    seen: list[Waiting] = []
    started = processes.up(settings, port=0, on_wait=seen.append)
    assert not started.was_running
    assert processes.status(settings).is_ready
    assert set(_pids(settings)) == {"engine", "chroma", "gateway", "worker"}
    assert seen[0].waiting_for == ("gateway",)


def test_a_second_up_changes_nothing(settings: Settings) -> None:
    first = processes.up(settings, port=0)
    pids = _pids(settings)
    second = processes.up(settings)
    assert second.was_running
    assert second.url == first.url
    assert _pids(settings) == pids


def test_down_ends_all_of_it_and_nothing_else(settings: Settings) -> None:
    processes.up(settings, port=0)
    pids = _pids(settings)
    stranger = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    try:
        _until(lambda: len(_orphans(settings)) == 1)
        assert processes.down(settings.paths) == ["chroma", "engine", "gateway", "worker"]
        assert all(identify(pid) is None for pid in pids.values())
        assert _orphans(settings) == []
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


def test_down_twice_is_harmless(settings: Settings) -> None:
    processes.up(settings, port=0)
    processes.down(settings.paths)
    assert processes.down(settings.paths) == []
    assert not processes.status(settings).is_running


def test_another_port_is_refused_with_pid_and_port(settings: Settings) -> None:
    started = processes.up(settings, port=0)
    pid = processes.status(settings).supervisor_pid
    with pytest.raises(HomeInUse, match=f"pid {pid}.*{started.url}.*not 1234"):
        processes.up(settings, port=1234)


def test_another_checkout_is_refused(settings: Settings) -> None:
    processes.up(settings, port=0)
    file = settings.paths.run / "up.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), "checkout": "/elsewhere"}))
    with pytest.raises(HomeInUse, match=r"checkout /elsewhere \(pid \d+"):
        processes.up(settings)


def test_a_busy_port_is_refused_before_anything_starts(settings: Settings) -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        port = listener.getsockname()[1]
        with pytest.raises(PortTaken, match=f"Port {port} .* is in use"):
            processes.up(settings, port=port)
    assert read_instance(settings.paths) is None


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "example.org"])
def test_an_address_that_others_reach_is_refused(settings: Settings, host: str) -> None:
    server = settings.server.model_copy(update={"host": host})
    with pytest.raises(HostForbidden, match="no API keys yet"):
        processes.up(settings.model_copy(update={"server": server}))


def test_a_missing_base_model_is_named_before_anything_starts(settings: Settings) -> None:
    settings.base_model_path.rmdir()
    with pytest.raises(NotPrepared, match="smollm2-135m-instruct"):
        processes.up(settings)


def test_a_process_that_keeps_dying_ends_the_start_with_its_log(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = Program("gateway", (sys.executable, "-c", FAILING), start_s=1)
    monkeypatch.setattr(processes, "compose", lambda _settings, _ports: [program])
    with pytest.raises(ProcessFailed, match=r"gateway does not start[\s\S]*no such model"):
        processes.up(settings, port=0)
    assert read_instance(settings.paths) is None


def test_a_killed_process_comes_back_without_its_orphan(settings: Settings) -> None:
    processes.up(settings, port=0)
    _until(lambda: len(_orphans(settings)) == 1)
    killed, orphan = _pids(settings)["engine"], _orphans(settings)[0]
    os.kill(killed, signal.SIGKILL)
    _until(lambda: _pids(settings).get("engine", killed) != killed)
    _until(lambda: len(_orphans(settings)) == 1 and _orphans(settings) != [orphan])
    assert identify(orphan) is None


def test_down_ends_what_outlived_a_killed_supervisor(settings: Settings) -> None:
    processes.up(settings, port=0)
    pids = _pids(settings)
    _until(lambda: len(_orphans(settings)) == 1)
    supervisor = processes.status(settings).supervisor_pid
    assert supervisor is not None
    os.kill(supervisor, signal.SIGKILL)
    _until(lambda: read_instance(settings.paths) is None)
    assert processes.down(settings.paths) == ["chroma", "engine", "gateway", "worker"]
    assert all(identify(pid) is None for pid in pids.values())
    assert _orphans(settings) == []


def test_up_revives_what_was_stopped(settings: Settings) -> None:
    processes.up(settings, port=0)
    supervisor = Supervisor(settings.paths.run, settings.paths.logs)
    supervisor._call("stopProcess", "worker")
    assert "worker" not in _pids(settings)
    processes.up(settings)
    _until(lambda: "worker" in _pids(settings))


def test_inner_ports_are_kept_while_they_are_free(settings: Settings) -> None:
    settings.paths.make()
    first = choose_ports(settings.paths, 8080)
    settings.paths.write_ports(first)
    assert choose_ports(settings.paths, 8080) == first
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", first.engine))
        listener.listen()
        again = choose_ports(settings.paths, 8080)
    assert again.engine != first.engine
    assert again.chroma == first.chroma


def test_a_recycled_process_id_is_left_alone(tmp_path: Path) -> None:
    program = "import sys, time; from pathlib import Path; "
    program += "from service.supervision.leftovers import record; "
    program += "record(Path(sys.argv[1]), 'engine'); time.sleep(600)"
    argv = [sys.executable, "-c", program, str(tmp_path)]
    stranger = subprocess.Popen(argv, process_group=0)
    try:
        _until(lambda: recorded(tmp_path, "engine") is not None)
        file = tmp_path / "engine.group.json"
        entry = json.loads(file.read_text())
        file.write_text(json.dumps({**entry, "started": entry["started"] - 1}))
        assert sweep(tmp_path, "engine") == []
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


def test_a_child_that_left_the_group_is_found_by_its_mark(tmp_path: Path) -> None:
    marked = {
        **os.environ,
        "SUPERVISOR_PROCESS_NAME": "worker",
        "SUPERVISOR_SERVER_URL": "unix://x",
    }
    argv = [sys.executable, "-c", "import time; time.sleep(600)"]
    child = subprocess.Popen(argv, env=marked, start_new_session=True)
    try:
        marks = ("SUPERVISOR_SERVER_URL=unix://x", "SUPERVISOR_PROCESS_NAME=worker")
        _until(lambda: sweep(tmp_path, "worker", marks=marks) == [child.pid])
        assert child.wait(timeout=5) == -signal.SIGKILL
    finally:
        child.kill()
        child.wait()


def test_a_process_is_alive_only_under_its_own_start_time() -> None:
    own = identify(os.getpid())
    assert own is not None
    assert is_alive(own)
    assert not is_alive(replace(own, started=own.started + 1))


def test_a_long_home_gets_a_short_socket(tmp_path: Path) -> None:
    assert socket_path(Path("/home/u/run")) == Path("/home/u/run/supervisor.sock")
    long = socket_path(tmp_path / ("x" * 120) / "run")
    assert len(str(long)) < 100
    assert long != socket_path(tmp_path / ("y" * 120) / "run")


def test_a_home_with_odd_characters_starts(tmp_path: Path, settings: Settings) -> None:
    odd = settings.model_copy(update={"home": tmp_path / "a home with 100% 'quotes'"})
    odd.base_model_path.mkdir(parents=True)
    try:
        processes.up(odd, port=0)
        assert processes.status(odd).is_ready
    finally:
        processes.down(odd.paths)


def test_the_engine_serves_loopback_only_and_adapters_at_run_time(settings: Settings) -> None:
    ports = Ports(gateway=1, engine=2, chroma=3)
    engine = compose(settings, ports, python="/venv/bin/python")[0]
    flags = " ".join(engine.argv)
    assert f"--model {settings.base_model_path}" in flags
    assert "--host 127.0.0.1 --port 2 --enable-lora" in flags
    assert engine.environment["VLLM_ALLOW_RUNTIME_LORA_UPDATING"] == "1"
    assert engine.environment["HF_HUB_OFFLINE"] == "1"


def test_chroma_overwrites_what_it_frees(settings: Settings) -> None:
    chroma = compose(settings, Ports(gateway=1, engine=2, chroma=3))[1]
    assert chroma.environment["MALLOC_PERTURB_"] not in ("", "0")


def test_the_engine_parses_function_calls_where_a_parser_is_named(settings: Settings) -> None:
    ports = Ports(gateway=1, engine=2, chroma=3)
    assert "--enable-auto-tool-choice" not in compose(settings, ports)[0].argv
    engine = settings.engine.model_copy(update={"tool_call_parser": "hermes"})
    argv = compose(settings.model_copy(update={"engine": engine}), ports)[0].argv
    place = argv.index("--enable-auto-tool-choice")
    assert argv[place : place + 3] == ("--enable-auto-tool-choice", "--tool-call-parser", "hermes")


def test_the_engine_puts_adapters_on_the_models_inner_layers_alone(
    settings: Settings,
) -> None:
    inner = "model.layers.0.self_attn.q_proj.weight", "model.layers.0.mlp.up_proj.weight"

    def flags(*names: str) -> tuple[str, ...]:
        file = settings.base_model_path / "model.safetensors"
        save_file({name: np.zeros((2, 2), np.float16) for name in names}, file)
        return compose(settings, Ports(1, 2, 3))[0].argv

    argv = flags("lm_head.weight", *inner)
    place = argv.index("--lora-target-modules")
    assert argv[place : place + 4] == (
        "--lora-target-modules",
        *("q_proj", "up_proj"),
        "--enable-prompt-tokens-details",
    )
    odd = flags("model.layers.0.attn.Wqkv.weight", *inner)
    assert "--lora-target-modules" not in odd  # which of those can be wrapped only vLLM knows


def test_no_program_tells_anybody_that_it_runs(settings: Settings) -> None:
    programs = compose(settings, Ports(gateway=1, engine=2, chroma=3))
    assert [program.name for program in programs] == ["engine", "chroma", "gateway", "worker"]
    for program in programs:
        environment = program.environment
        assert environment["DO_NOT_TRACK"] == "1"
        assert environment["HF_HUB_DISABLE_TELEMETRY"] == "1"
        assert environment["VLLM_NO_USAGE_STATS"] == "1"
        assert environment["ANONYMIZED_TELEMETRY"] == "False"
        assert environment["WANDB_MODE"] == "disabled"
        assert environment["TRACKIO_DISABLED"] == "true"


def test_what_holds_the_embedder_keeps_little_of_what_it_freed(settings: Settings) -> None:
    programs = compose(settings, Ports(gateway=1, engine=2, chroma=3))
    arenas = {each.name: each.environment.get("MALLOC_ARENA_MAX") for each in programs}
    assert arenas == {"engine": None, "chroma": None, "gateway": "2", "worker": "2"}


def test_what_runs_elsewhere_is_not_started_here(settings: Settings) -> None:
    engine = settings.engine.model_copy(update={"url": "http://127.0.0.1:9"})
    index = settings.index.model_copy(update={"host": "127.0.0.1", "port": 9})
    away = settings.model_copy(update={"engine": engine, "index": index})
    names = [program.name for program in compose(away, Ports(1, 2, 3))]
    assert names == ["gateway", "worker"]


def test_record_and_sweep_leave_no_file(tmp_path: Path) -> None:
    home = Home(tmp_path)
    home.make()
    record(home.run, "worker")
    leader = recorded(home.run, "worker")
    assert leader is not None
    assert leader.pid == os.getpid()
    (home.run / "worker.group.json").write_text("{}")
    assert sweep(home.run, "worker") == []
    assert list(home.run.iterdir()) == []


def test_up_refuses_a_certificate_with_the_key_of_another_and_starts_nothing(
    settings: Settings, tmp_path: Path
) -> None:
    pair, other = make_key_pair(tmp_path / "one"), make_key_pair(tmp_path / "other")
    server = settings.server.model_copy(update={"tls_cert": pair.cert, "tls_key": other.key})
    with pytest.raises(InvalidSettings, match="does not belong to the certificate"):
        processes.up(settings.model_copy(update={"server": server}), port=0)
    assert not processes.status(settings).is_running
