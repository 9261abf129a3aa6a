"""Behind the walls of the child: pages are read without a file, a thread or the network."""

import json
import subprocess
import sys
from dataclasses import asdict

from knowledge import ParseLimits
from knowledge.parsing import sandbox
from tests.fakes import pictures

# Runs the child's main and notes, for each page, how many threads and open files there are.
WATCHED = """
import json, os, sys, types
sys.path[:] = sys.argv[2:]
room = types.ModuleType("knowledge")
room.__path__ = [sys.argv[1]]
sys.modules["knowledge"] = room
from knowledge.parsing.recognition import child
status = open("/proc/self/status")
HEAVY = {"rapidocr", "torch", "requests", "sqlalchemy", "pydantic"}
seen, real, give_up = [], child.recognise, child.give_up_rights
def recognise(*args):
    found = real(*args)
    status.seek(0)
    (threads,) = (line.split()[1] for line in status if line.startswith("Threads"))
    seen.append([int(threads), *sorted(HEAVY & set(sys.modules))])
    return found
def first_opened(**rights):
    give_up(**rights)
    for deed in (lambda: open("/etc/passwd"), lambda: open("x", "w"), os.pipe):
        try:
            deed()
        except OSError:
            continue
        seen.append("opened")
child.recognise, child.give_up_rights = recognise, first_opened
child.main()
print(json.dumps(seen), file=sys.stderr)
"""


def test_pages_are_read_with_no_right_left_and_no_thread_more() -> None:
    pages = [pictures.page(["The pump of hall 7 stands still."]), pictures.page(["Two"])]
    order = {
        "filename": "a.tiff",
        "format": "tiff",
        "password": None,
        "limits": asdict(ParseLimits()),
        "pages": None,
        "after": 0,
    }
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", WATCHED, str(sandbox.ROOM), *sys.path],
        input=json.dumps(order).encode() + b"\n" + pictures.tiff(*pages),
        capture_output=True,
        check=False,
        env=sandbox.ONE_THREAD,
    )
    said = [json.loads(line) for line in done.stdout.splitlines()]
    assert [line.get("page") for line in said] == [None, 1, 2, None]
    before, *after = json.loads(done.stderr)
    assert after == [before, before]
    assert len(before) == 1, "a library is loaded that nothing needs"
