"""A pipeline from files to rows: counts, lineage, what is kept, what a killed run leaves."""

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapters.data import Expectations, Row, check_rows, load_rows, repeat_by_weight
from adapters.data.pipeline import table
from adapters.data.pipeline.file import StepEntry
from adapters.data.pipeline.outside import Outside
from adapters.data.pipeline.run import PipelineJob, PipelineResult, forget_stages, run_pipeline
from adapters.data.pipeline.sources import UnreadableDocument
from adapters.data.pipeline.table import NoSettings, StepKind
from adapters.data.steps import Result, drop, keep
from adapters.errors import InvalidPipeline, PipelineFailed

OUTSIDE = Outside(today=date(2026, 6, 30), secret=lambda: bytes(16))
CHAT = "客户(2026-03-01)：我的电话13812345678\n客服：收到\n---\n客户：发票\n客服：可以\n"
ROWS = (
    '{"prompt": "a?", "completion": "b", "date": "2024-01-01"}\n'
    "{bad\n"
    "\n"
    '{"prompt": "A", "completion": "c", "date": "2026-05-01"}\n'
    '{"prompt": "x\\ud83d", "completion": "c"}\n'
)
STEPS = ("speakers", "mask_personal_data", "outdated", "weight_recent")
MASKED = "10089625242"  # of the number in CHAT, by the key above
REPLY = '{"intent": "退货", "result": "同意"}'
Told = dict[str, Any]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    inside = tmp_path / "in"
    inside.mkdir()
    (inside / "chat.txt").write_text(CHAT, encoding="utf-8")
    (inside / "prose.txt").write_text("没有人说话。", encoding="utf-8")
    (inside / "rows.jsonl").write_text(ROWS, encoding="utf-8")
    (inside / ".hidden.txt").write_text("x", encoding="utf-8")
    (inside / "broken.doc").write_bytes(b"?")
    return tmp_path


def read_text(file: Path) -> str:
    if file.suffix == ".doc":
        raise UnreadableDocument("cut off")
    return file.read_text(encoding="utf-8")


def job_of(folder: Path, *steps: str | StepEntry, read: Sequence[Path] = ()) -> PipelineJob:
    entries = [StepEntry(name=one) if isinstance(one, str) else one for one in steps]
    named = read or (folder / "in",)
    return PipelineJob(named, entries, folder / "out.jsonl", read_document=read_text)


def run(job: PipelineJob) -> PipelineResult:
    done = run_pipeline(job, OUTSIDE, lambda step, part, note: None)
    assert done.read + done.made == done.written + done.dropped + done.refused
    for stage in done.stages:
        assert stage.rows_in + stage.made == stage.rows_out + sum(stage.dropped.values())
    return done


def told(file: Path) -> list[Told]:
    with file.open(encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def test_every_row_that_is_read_is_written_dropped_or_refused(folder: Path) -> None:
    job = job_of(folder, *STEPS)
    done = run(job)
    assert (done.files, done.read, done.made) == (4, 7, 1)
    assert (done.written, done.dropped, done.refused) == (3, 2, 3)
    rows = told(job.out)
    assert [one["messages"][0]["content"] for one in rows] == [f"我的电话{MASKED}", "发票", "A"]
    assert (rows[0]["date"], rows[0]["weight"]) == ("2026-03-01", 3.0)
    left_out = {(Path(one["file"]).name, one["line"]): one for one in told(job.dropped)}
    assert {place: one["reason"] for place, one in left_out.items()} == {
        ("broken.doc", 0): "unreadable",
        ("rows.jsonl", 2): "unreadable",
        ("rows.jsonl", 5): "unreadable",
        ("rows.jsonl", 1): "outdated_answer",
        ("prose.txt", 1): "no_conversation",
    }
    assert left_out["broken.doc", 0]["detail"] == "cut off"
    assert left_out["rows.jsonl", 2]["detail"].startswith("not JSON")
    assert left_out["rows.jsonl", 5]["detail"] == "half a character (\\ud83d)"
    assert left_out["rows.jsonl", 1]["step"] == "outdated"


def test_the_lineage_leads_from_each_row_to_its_source(folder: Path) -> None:
    job = job_of(folder, *STEPS)
    run(job)
    ways = told(job.lineage)
    assert [(one["row"], Path(one["file"]).name, one["line"]) for one in ways] == [
        (1, "chat.txt", 1),
        (2, "chat.txt", 1),
        (3, "rows.jsonl", 4),
    ]
    assert [one["steps"] for one in ways] == [
        ["speakers", "mask_personal_data", "weight_recent"],
        ["speakers"],
        ["weight_recent"],
    ]


def test_what_was_done_is_not_done_again_and_gives_the_same(folder: Path) -> None:
    job = job_of(folder, *STEPS)
    first = run(job)
    content = job.out.read_bytes(), job.lineage.read_bytes(), job.dropped.read_bytes()
    again = run(job)
    assert (first.cached, again.cached) == (0, 5)
    assert (job.out.read_bytes(), job.lineage.read_bytes(), job.dropped.read_bytes()) == content
    assert again.stages == first.stages
    forget_stages(job.out)
    assert run(job).cached == 0


def test_a_changed_step_is_done_again_with_those_that_see_another_input(folder: Path) -> None:
    run(job_of(folder, *STEPS))
    heavier = StepEntry(name="weight_recent", settings={"times": 5})
    assert run(job_of(folder, *STEPS[:3], heavier)).cached == 4
    (folder / "in" / "rows.jsonl").write_text(ROWS.replace('"c"', '"d"'), encoding="utf-8")
    assert run(job_of(folder, *STEPS)).cached == 0
    # A step that changes nothing gives the same rows, so those after it are as before.
    run(job_of(folder, "speakers", "outdated"))
    assert run(job_of(folder, "speakers", "disputed", "outdated")).cached == 3


def test_stages_of_earlier_settings_are_removed(folder: Path) -> None:
    job = job_of(folder, *STEPS)
    run(job)
    run(job_of(folder, "speakers"))
    assert len(list(job.folder.glob("*.rows.jsonl"))) == 2
    assert job.folder.stat().st_mode & 0o077 == 0  # they hold rows that are not masked yet


def test_a_stage_that_was_cut_off_is_made_anew(folder: Path) -> None:
    job = job_of(folder, *STEPS)
    run(job)
    content = job.out.read_bytes()
    for rows in job.folder.glob("*.rows.jsonl"):
        rows.write_bytes(rows.read_bytes()[:-20])
    assert run(job).cached == 0
    assert job.out.read_bytes() == content


def test_the_output_is_never_read(folder: Path) -> None:
    inside = folder / "in"
    job = PipelineJob((inside,), [StepEntry(name="speakers")], inside / "out.jsonl",
                      read_document=read_text)  # fmt: skip
    first = run(job)
    assert run(job).read == first.read


def test_preference_pairs_stay_pairs(tmp_path: Path) -> None:
    rows = tmp_path / "in.jsonl"
    rows.write_text('{"prompt": "q 13812345678", "chosen": "a", "rejected": "b", "id": 7}')
    job = job_of(tmp_path, "mask_personal_data", read=[rows])
    run(job)
    (pair,) = told(job.out)
    assert pair == {"prompt": f"q {MASKED}", "chosen": "a", "rejected": "b", "id": 7}


def test_the_finished_rows_are_checked(folder: Path) -> None:
    job = job_of(folder, *STEPS)
    seen: list[Row] = []

    def check(rows: Sequence[Row]) -> Any:
        seen.extend(rows)
        return check_rows(rows, Expectations(OUTSIDE.today))

    checked = PipelineJob(job.read, job.steps, job.out, job.read_document, check)
    done = run(checked)
    assert len(seen) == done.written
    assert done.check is not None
    assert done.as_dict()["check"]["rows"] == 3
    assert run(job).as_dict()["check"] is None


class Odd:
    """A step that breaks its contract as it is told."""

    name = "odd"
    settings: Mapping[str, object] = {}

    def __init__(self, fault: str) -> None:
        self._fault = fault

    def run(self, rows: Iterable[Row]) -> Iterator[Result]:
        every = [keep(row) for row in rows]
        if self._fault == "swapped":
            every.reverse()
        yield from every[1:] if self._fault == "too few" else every
        if self._fault == "too many":
            yield drop(every[0].row, "again", "")


@pytest.mark.parametrize("fault", ["swapped", "too few", "too many"])
def test_a_step_that_loses_rows_is_found(
    folder: Path, fault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    kind: StepKind[Any] = StepKind(NoSettings, lambda _s, _o: Odd(fault))
    monkeypatch.setattr(table, "STEPS", {**table.STEPS, "odd": kind})
    job = job_of(folder, "speakers", "odd")
    with pytest.raises(PipelineFailed, match="step odd"):
        run(job)
    assert not job.out.exists()
    assert list(job.folder.glob(".*.new")) == []


def test_wrong_names_are_refused_before_anything_is_read(folder: Path) -> None:
    with pytest.raises(InvalidPipeline, match="no step 'wash'"):
        run(job_of(folder, "wash"))
    with pytest.raises(InvalidPipeline, match="nowhere does not exist"):
        run(job_of(folder, "mask_personal_data", read=[folder / "nowhere"]))
    (folder / "empty").mkdir()
    with pytest.raises(InvalidPipeline, match="no files to read"):
        run(job_of(folder, "mask_personal_data", read=[folder / "empty"]))
    assert not (folder / "out.jsonl.stages").exists()


KILLED = """
import sys, time
from pathlib import Path
from tests.adapters.data.pipeline import test_run as t
from adapters.data.pipeline import table

class Slow(t.Odd):
    name = "slow"
    def run(self, rows):
        for place, row in enumerate(rows):
            yield t.keep(row)
            if place == 1:
                print("waiting", flush=True)
                time.sleep(60)

kind = table.StepKind(table.NoSettings, lambda _s, _o: Slow(""))
table.STEPS = {**table.STEPS, "slow": kind}
t.run(t.job_of(Path(sys.argv[1]), "speakers", "mask_personal_data", "slow", "outdated"))
"""


@pytest.mark.timeout(120)
def test_a_killed_run_goes_on_from_its_last_finished_step(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Quick(Odd):
        name = "slow"

    job = job_of(folder, "speakers", "mask_personal_data", "slow", "outdated")
    child = subprocess.Popen(
        [sys.executable, "-c", KILLED, str(folder)], stdout=subprocess.PIPE, env=dict(os.environ)
    )
    assert child.stdout is not None
    assert child.stdout.readline() == b"waiting\n"
    with pytest.raises(PipelineFailed, match="another run writes"):
        run(job_of(folder, "speakers"))
    child.send_signal(signal.SIGKILL)
    child.wait()
    child.stdout.close()
    assert not job.out.exists()
    assert list(job.folder.glob(".*.new")) != []

    (folder / ".out.jsonl.1.new").touch()  # as if it had been killed while it wrote
    kind: StepKind[Any] = StepKind(NoSettings, lambda _s, _o: Quick(""))
    monkeypatch.setattr(table, "STEPS", {**table.STEPS, "slow": kind})
    done = run(job)
    assert (done.cached, done.written) == (3, 3)
    assert [*job.folder.glob(".*.new"), *folder.glob(".*.new")] == []
    content = job.out.read_bytes(), job.lineage.read_bytes(), job.dropped.read_bytes()
    forget_stages(job.out)
    run(job)
    assert (job.out.read_bytes(), job.lineage.read_bytes(), job.dropped.read_bytes()) == content


LINES = st.lists(
    st.one_of(
        st.binary(max_size=40),
        st.sampled_from([line.encode() for line in ROWS.splitlines()]),
        st.builds(
            lambda asked, said, day: json.dumps(
                {"prompt": asked, "completion": said, "date": day}
            ).encode(),
            st.text(max_size=5),
            st.text(max_size=5),
            st.sampled_from(["2024-01-01", "2026-06-01", "2099-01-01", "", None]),
        ),
    ),
    max_size=12,
)


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(lines=LINES, name=st.sampled_from(["a.jsonl", "a.json", "a.txt"]), chat=st.text(max_size=60))
def test_counts_in_are_counts_out_on_any_files(lines: list[bytes], name: str, chat: str) -> None:
    with tempfile.TemporaryDirectory() as made:
        inside = Path(made) / "in"
        inside.mkdir()
        (inside / name).write_bytes(b"\n".join(lines))
        (inside / "chat.md").write_bytes(chat.replace("a", "\n客户：").encode("utf-8", "replace"))

        def as_text(file: Path) -> str:
            return file.read_text(encoding="utf-8", errors="replace")

        steps = [StepEntry(name=one) for one in (*STEPS, "disputed", "tag")]
        job = PipelineJob((inside,), steps, Path(made) / "out.jsonl", read_document=as_text)
        done = run(job)
        if job.out.read_bytes():
            assert len(told(job.out)) == len(told(job.lineage)) == done.written
        assert len(told(job.dropped)) == done.dropped + done.refused


def test_weights_and_marks_of_every_kind_of_file_mean_the_same_afterwards(tmp_path: Path) -> None:
    csv = "问题,答案,weight\n多久到账,三天,3.0\n怎么退货,不用学,0\n"
    (tmp_path / "rows.csv").write_text(csv, encoding="gb18030")
    job = job_of(tmp_path, "weight_recent", read=[tmp_path / "rows.csv"])
    assert run(job).written == 2
    heavy, unlearned = load_rows([job.out])
    assert (heavy.meta["weight"], heavy.messages[1].learned) == (3.0, True)
    assert ("weight" in unlearned.meta, unlearned.messages[1].learned) == (False, False)
    assert repeat_by_weight([heavy, unlearned]) == [heavy, heavy, heavy, unlearned]


def test_a_step_that_asks_the_model_is_done_again_with_another_model(tmp_path: Path) -> None:
    (tmp_path / "rows.jsonl").write_text('{"prompt": "我要退货", "completion": "好"}\n', "utf-8")
    job = job_of(tmp_path, "dialogues", read=[tmp_path / "rows.jsonl"])
    outside = replace(OUTSIDE, model_id="a", generate=lambda _heat: lambda _prompt, _schema: REPLY)
    done = [
        run_pipeline(job, replace(outside, model_id=name), lambda *_told: None)
        for name in ("a", "a", "b")
    ]
    assert [one.cached for one in done] == [0, 2, 1]
    (row,) = told(job.out)
    assert json.loads(row["messages"][-1]["content"]) == json.loads(REPLY)
    assert (row["scenario"], row["reviewed"], row["synthetic"]) == ("退货", False, True)
