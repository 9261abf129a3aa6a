import pytest

from adapters import InvalidTrainingConfig
from service.fine_tuning.task_names import task_from


@pytest.mark.parametrize(
    ("filename", "task"),
    [
        ("support.jsonl", "support"),
        ("My Rows (2).jsonl", "my-rows-2"),
        ("Réclamations Zürich.csv", "reclamations-zurich"),
        ("data/２０２４.jsonl", "2024"),
    ],
)
def test_a_file_name_gives_a_task(filename: str, task: str) -> None:
    assert task_from(filename) == task


@pytest.mark.parametrize("filename", ["客服.jsonl", "2024法务.jsonl", "отчёт1.jsonl", "。.jsonl"])
def test_a_name_in_another_script_asks_for_a_task(filename: str) -> None:
    with pytest.raises(InvalidTrainingConfig, match=r"`suffix` of the request, `task`"):
        task_from(filename)
