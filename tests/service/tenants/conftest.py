"""A home that two tenants share."""

from pathlib import Path

import pytest

from service.settings import JobSettings, RecordSettings, ServerSettings, Settings


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    made = Settings(
        home=tmp_path / "home",
        server=ServerSettings(put_wait_s=60.0),
        jobs=JobSettings(poll_s=0.03),
        records=RecordSettings(store_text=True),
    )
    made.paths.make()
    return made
