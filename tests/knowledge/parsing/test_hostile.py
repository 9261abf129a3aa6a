"""Files made to break their reader: each ends in a typed error, nothing else is harmed."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from knowledge import (
    DamagedFile,
    EmptyDocument,
    KnowledgeError,
    ParseLimitExceeded,
    ParseLimits,
    PasswordRequired,
    UnsupportedFile,
    parse,
)
from knowledge.parsing import FORMATS, sandbox
from tests.fakes import files

ENTITIES = (
    '<!DOCTYPE x [<!ENTITY a "lol"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">'
    '<!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;">]>'
)
OUTSIDE = '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>'
PLAIN_WORDS = files.paragraph("plain words")


def with_part(name: str, data: str | bytes) -> bytes:
    return files.zipped({**files.word_parts(PLAIN_WORDS), name: data})


def locked_office() -> bytes:
    return b"\xd0\xcf\x11\xe0" + bytes(600) + "EncryptedPackage".encode("utf-16-le")


def with_document(markup: str) -> bytes:
    return with_part("word/document.xml", markup)


DEEP = "<w:p>" * 300 + "</w:p>" * 300 + "</w:document>"
HOSTILE: list[tuple[str, bytes, type[KnowledgeError]]] = [
    ("bomb.docx", with_part("word/media/a.bin", bytes(250_000_000)), ParseLimitExceeded),
    ("ratio.docx", with_part("word/media/a.bin", bytes(20_000_000)), ParseLimitExceeded),
    ("laughs.docx", with_document(f"{ENTITIES}<x>&c;</x>"), DamagedFile),
    ("outside.docx", with_document(f"{OUTSIDE}<x>&a;</x>"), DamagedFile),
    ("outside.xlsx", files.zipped({"_rels/.rels": f"{OUTSIDE}<x>&a;</x>"}), DamagedFile),
    ("deep.docx", with_document(f'<w:document xmlns:w="{files.W}">{DEEP}'), DamagedFile),
    ("climbs.docx", with_part("../../climbs.txt", "x"), DamagedFile),
    ("climbs2.docx", with_part("..\\climbs.txt", "x"), DamagedFile),
    ("absolute.docx", with_part("/tmp/climbs.txt", "x"), DamagedFile),
    ("nested.docx", with_part("more.zip", files.word("x")), UnsupportedFile),
    ("many.docx", files.zipped({f"{n}.xml": "" for n in range(5_001)}), ParseLimitExceeded),
    ("cut.docx", files.word("some words " * 99)[:-300], DamagedFile),
    ("cut.pdf", files.pdf("some words")[:60], DamagedFile),
    ("pages.pdf", files.pdf(*["x"] * 10_000), ParseLimitExceeded),
    ("slides.pptx", files.slides("a"), ParseLimitExceeded),
    ("zip.docx", files.zipped({"a.txt": "no office file"}), DamagedFile),
    ("sheet.docx", files.workbook({"A": ""}), UnsupportedFile),
    ("word.pdf", files.word("x"), UnsupportedFile),
    ("note.pdf", b"plain text under another name", UnsupportedFile),
    ("note.docx", b"plain text under another name", UnsupportedFile),
    ("note.epub", b"plain text under another name", UnsupportedFile),
    ("real.html", files.pdf("x"), UnsupportedFile),
    ("real.txt", files.pdf("x"), UnsupportedFile),
    ("old.doc", locked_office(), UnsupportedFile),
    ("old.docx", b"\xd0\xcf\x11\xe0" + bytes(600), UnsupportedFile),
    ("locked.xlsx", locked_office(), PasswordRequired),
    ("formula.xlsx", files.workbook({"A": "<row><c><f>1+1</f></c></row>"}), EmptyDocument),
    ("deep.json", b"[" * 1_000_000, DamagedFile),
    ("bad.jsonl", b'{"a": 1}\n{"a": \n', DamagedFile),
    ("quote.csv", b'a,"' + b"x" * 2_000_000, DamagedFile),
    ("blank.html", b"<script>1</script>", EmptyDocument),
]
LIMITS = {"slides.pptx": ParseLimits(pages=0)}


@pytest.mark.parametrize(("name", "content", "error"), HOSTILE, ids=[row[0] for row in HOSTILE])
def test_a_hostile_file_ends_in_a_typed_error(
    name: str, content: bytes, error: type[KnowledgeError]
) -> None:
    with pytest.raises(error) as caught:
        parse(name, content, limits=LIMITS.get(name))
    assert type(caught.value) is error
    assert "/etc" not in str(caught.value)


@pytest.mark.parametrize("file_format", sorted(set(FORMATS.values())))
def test_more_text_than_allowed_is_refused_in_every_format(file_format: str) -> None:
    suffix = next(suffix for suffix, known in FORMATS.items() if known == file_format)
    content = files.OF_FORMAT[file_format]("many words " * 30)
    with pytest.raises(ParseLimitExceeded, match="parse_chars"):
        parse(f"a{suffix}", content, limits=ParseLimits(chars=50))


def test_an_embedded_office_file_is_neither_opened_nor_refused() -> None:
    made = with_part("word/embeddings/a.xlsx", files.word("inner words"))
    assert parse("a.docx", made).text == "plain words"


def test_sizes_an_archive_declares_are_not_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    from knowledge.parsing.archive import Archive

    content = with_part("word/big.xml", bytes(30_000_000))
    real = zipfile.ZipFile.infolist

    def lying(self: zipfile.ZipFile) -> list[zipfile.ZipInfo]:
        entries = real(self)
        for entry in entries:
            entry.file_size = min(entry.file_size, 10)
        return entries

    monkeypatch.setattr(zipfile.ZipFile, "infolist", lying)
    archive = Archive("a.docx", content, ParseLimits())
    for entry in archive._zip.filelist:
        entry.file_size = 30_000_000  # what is read is bounded by it
    with pytest.raises(ParseLimitExceeded, match="inflates"):
        archive.read("word/big.xml")


def run_in_child(body: str, limits: ParseLimits) -> bytes:
    """Run Python in a process that gave up its rights as the reading child does."""
    program = (
        "import sys, types; room = types.ModuleType('knowledge'); room.__path__ = [sys.argv[1]];"
        "sys.modules['knowledge'] = room\n"
        "import socket, os\n"
        "from knowledge.parsing import child\nfrom knowledge.parsing.rights import give_up_rights\n"
        f"give_up_rights(memory_mb={limits.memory_mb}, seconds={limits.seconds})\n{body}"
    )
    finished = subprocess.run(
        [sys.executable, "-I", "-c", program, str(sandbox.ROOM)],
        capture_output=True,
        check=False,
    )
    return finished.stdout


@pytest.mark.parametrize(
    "deed",
    [
        "socket.socket()",
        "socket.create_connection(('127.0.0.1', 80))",
        "open('climbs.txt', 'w').write('x')",
        "open('/etc/passwd').read()",
        "os.pipe()",
        "bytearray(900 * 1024 * 1024)",
    ],
)
def test_the_child_can_open_nothing_and_take_no_more_memory(deed: str) -> None:
    body = f"try:\n    {deed}\n    print('done')\nexcept (OSError, MemoryError) as e:\n"
    body += "    print('refused')"
    assert run_in_child(body, ParseLimits(memory_mb=512)).strip() == b"refused"


def test_a_reader_that_never_ends_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sandbox, "_START", "while True: pass")
    monkeypatch.setattr(sandbox, "START_S", 0.0)
    with pytest.raises(ParseLimitExceeded, match="parse_seconds"):
        parse("a.pdf", files.pdf("x"), limits=ParseLimits(seconds=0.2))


def test_a_reader_that_says_too_much_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    program = "import sys\nwhile True: sys.stdout.write('x' * 65536)"
    monkeypatch.setattr(sandbox, "_START", program)
    with pytest.raises(ParseLimitExceeded, match="parse_chars"):
        parse("a.pdf", files.pdf("x"), limits=ParseLimits(chars=10))


def test_a_reader_that_dies_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sandbox, "_START", "import os; os.abort()")
    with pytest.raises(ParseLimitExceeded, match="stopped its reader"):
        parse("a.pdf", files.pdf("x" * 10))


def test_too_little_memory_is_a_limit_not_a_crash() -> None:
    sheet = "".join(f'<row><c t="str"><v>{n} {"x" * 900}</v></c></row>' for n in range(9_000))
    with pytest.raises(ParseLimitExceeded):
        parse("a.xlsx", files.workbook({"A": sheet}), limits=ParseLimits(memory_mb=48))


def test_a_child_inherits_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("A_SECRET", "x")
    program = 'import os, json; print(json.dumps({"error": "DamagedFile", "message": str(sorted('
    program += "os.environ))}))"
    monkeypatch.setattr(sandbox, "_START", program)
    with pytest.raises(DamagedFile) as caught:
        parse("a.pdf", b"%PDF-")
    assert "A_SECRET" not in str(caught.value)


def test_hostile_files_leave_no_trace_and_stay_within_memory(tmp_path: Path) -> None:
    bombs = tmp_path / "bombs"
    bombs.mkdir()
    chosen = {"bomb.docx", "laughs.docx", "climbs.docx", "pages.pdf", "deep.json", "many.docx"}
    for name, content, _ in HOSTILE:
        if name in chosen:
            (bombs / name).write_bytes(content)
    program = (
        "import resource, pathlib\nfrom knowledge import parse, KnowledgeError\n"
        f"for file in pathlib.Path({str(bombs)!r}).iterdir():\n"
        "    try:\n        parse(file.name, file.read_bytes())\n"
        "    except KnowledgeError: pass\n"
        "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"
    )
    root = Path(sandbox.ROOM).parent
    finished = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path.insert(0, {str(root)!r})\n{program}"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert int(finished.stdout) / 1024 < ParseLimits().memory_mb
    assert [path.name for path in tmp_path.iterdir()] == ["bombs"]
    assert {path.name for path in bombs.iterdir()} == chosen


def test_the_child_loads_neither_the_room_nor_anything_heavy() -> None:
    body = "print(sorted({'numpy', 'torch', 'sqlalchemy', 'pydantic'} & set(sys.modules)))"
    assert run_in_child(body, ParseLimits()).strip() == b"[]"
