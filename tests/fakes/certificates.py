"""Certificates that sign themselves, made by the openssl command."""

import subprocess
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class KeyPair:
    """A certificate and its key, in PEM."""

    cert: Path
    key: Path


def make_key_pair(folder: Path, name: str = "answers.example.com") -> KeyPair:
    """Make a certificate for `name`, valid for a day."""
    folder.mkdir(parents=True, exist_ok=True)
    pair = KeyPair(folder / f"{name}.pem", folder / f"{name}.key")
    curve = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1")
    named = ("-subj", f"/CN={name}", "-addext", f"subjectAltName=DNS:{name}")
    files = ("-keyout", str(pair.key), "-out", str(pair.cert))
    command = ["openssl", "req", "-x509", "-noenc", "-days", "1", *curve, *named, *files]
    subprocess.run(command, check=True, capture_output=True)
    return pair
