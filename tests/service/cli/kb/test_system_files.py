"""Files that programs leave are known by their names, and no others are."""

import pytest

from service.cli.kb.system_files import why_skipped

LEFT_BY_PROGRAMS = """
Thumbs.db thumbs.DB ehthumbs.db desktop.ini Desktop.ini $RECYCLE.BIN
.DS_Store ._report.docx __MACOSX .Spotlight-V100 .Trashes @eaDir #recycle lost+found
~$report.docx ~$预算.xlsx .~lock.report.odt# .~合同.docx ~WRL0001.tmp ~WRD3245.docx
draft.md.swp .notes.swp notes.md~ #notes.md# .#notes.md
upload.tmp 下载.crdownload big.pdf.part .git .svn .gitignore .gitkeep .env .fingerpost-access
""".split()
MEANT = """
report.docx 预算.xlsx thumbs.md desktop.md git.md template.md swap.txt temporary.pdf part.csv
tmp.md C#.md ~.md a~b.md $price.md notes.db.md Thumbs.db.md partial.md icon lock.md
""".split()


@pytest.mark.parametrize("name", [*LEFT_BY_PROGRAMS, "Icon\r"])
def test_files_of_programs_are_skipped_with_a_reason(name: str) -> None:
    assert why_skipped(name)


@pytest.mark.parametrize("name", MEANT)
def test_files_of_people_are_not(name: str) -> None:
    assert why_skipped(name) is None


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("Thumbs.db", "a system file of Windows"),
        ("._report.docx", "a system file of macOS"),
        ("@eaDir", "a system folder of a storage device"),
        ("~$report.docx", "a lock file of an office program"),
        ("~WRL0001.tmp", "a lock file of an office program"),
        ("notes.md~", "a temporary file of an editor"),
        ("big.pdf.part", "a temporary file"),
        (".git", "version control"),
        (".env", "hidden"),
    ],
)
def test_the_reason_names_whose_file_it_is(name: str, why: str) -> None:
    assert why_skipped(name) == why
