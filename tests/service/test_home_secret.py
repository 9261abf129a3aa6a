"""The secret of a home is made once, is its owner's alone, and what is derived tells nothing."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from service.home import Home
from service.home_secret import FILE, SECRET_BYTES, derive, home_secret


def test_the_secret_is_made_once_and_read_by_its_owner_alone(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    first = home_secret(home)
    assert len(first) == SECRET_BYTES
    assert home_secret(home) == first
    assert (home.root / FILE).stat().st_mode & 0o777 == 0o600
    assert [path.name for path in home.root.iterdir()] == [FILE]


def test_processes_that_start_at_once_have_the_same_secret(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(home_secret, [home] * 32))) == 1


def test_two_homes_purposes_and_subjects_differ() -> None:
    derived = {
        derive(secret, purpose, subject)
        for secret in (b"a" * 32, b"b" * 32)
        for purpose in ("x", "y")
        for subject in ("acme", "bolt")
    }
    assert len(derived) == 8
    assert not any("acme" in value for value in derived)
