"""Small files of every format, written byte by byte, whole or in parts to break them with."""

import hashlib
import io
import json
import zipfile
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from types import MappingProxyType
from xml.sax.saxutils import escape, quoteattr

from tests.fakes.pictures import with_text

W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
A = "http://schemas.openxmlformats.org/drawingml/2006/main"
P = "http://schemas.openxmlformats.org/presentationml/2006/main"
S = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
R = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PADDING = bytes.fromhex("28bf4e5e4e758a4164004e56fffa01082e2e00b6d0683e802f0ca9fe6453697a")
SHAPE = "<p:sp><p:txBody><a:p><a:r><a:t>{}</a:t></a:r></a:p></p:txBody></p:sp>"
Row = Sequence[str | float | tuple[str | float, int] | None]
STRICT_R = "http://purl.oclc.org/ooxml/officeDocument/relationships"


EXTERNAL = ' TargetMode="External"'


def zipped(parts: Mapping[str, str | bytes]) -> bytes:
    """Return a zip file of these parts."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in parts.items():
            archive.writestr(name, data)
    return out.getvalue()


def relations(targets: Mapping[str, tuple[str, str]], kinds: str = R) -> str:
    """Return a .rels part: id → (kind, target); a `hyperlink` leads out of the file."""
    rows = "".join(
        f'<Relationship Id="{key}" Type="{kinds}/{kind}" Target="{target}"'
        f"{EXTERNAL if kind == 'hyperlink' else ''}/>"
        for key, (kind, target) in targets.items()
    )
    space = "http://schemas.openxmlformats.org/package/2006/relationships"
    return f'<Relationships xmlns="{space}">{rows}</Relationships>'


def word_parts(body: str, *, space: str = W, kinds: str = R) -> dict[str, str | bytes]:
    """Return the parts of a Word file whose body is this markup, `w:` being Word's names."""
    styles = (
        f'<w:styles xmlns:w="{space}"><w:style w:styleId="1"><w:name w:val="heading 1"/></w:style>'
        f"</w:styles>"
    )
    document = f'<w:document xmlns:w="{space}"><w:body>{body}</w:body></w:document>'
    return {
        "_rels/.rels": relations({"r1": ("officeDocument", "word/document.xml")}, kinds),
        "word/document.xml": document,
        "word/_rels/document.xml.rels": relations({"r1": ("styles", "styles.xml")}, kinds),
        "word/styles.xml": styles,
    }


def paragraph(text: str, style: str = "") -> str:
    """Return a Word paragraph."""
    properties = f'<w:pPr><w:pStyle w:val="{style}"/></w:pPr>' if style else ""
    return f"<w:p>{properties}<w:r><w:t>{text}</w:t></w:r></w:p>"


def word(*texts: str) -> bytes:
    """Return a Word file of these paragraphs."""
    return zipped(word_parts("".join(paragraph(text) for text in texts)))


def cells(*rows: Row) -> str:
    """Return the markup of rows: words, numbers, `(value, style)`; None: no cell."""
    made = []
    for number, row in enumerate(rows, 1):
        inside = ""
        for column, cell in enumerate(row):
            value, style = cell if isinstance(cell, tuple) else (cell, 0)
            place = f'r="{chr(ord("A") + column)}{number}" s="{style}"'
            if isinstance(value, str):
                inside += f'<c {place} t="inlineStr"><is><t>{escape(value)}</t></is></c>'
            elif value is not None:
                inside += f"<c {place}><v>{value}</v></c>"
        made.append(f'<row r="{number}">{inside}</row>' if row else "")
    return "".join(made)


def workbook(
    sheets: Mapping[str, str],
    *,
    strings: Sequence[str] = (),
    hidden: Sequence[str] = (),
    codes: Sequence[str] = (),
    merged: Mapping[str, Sequence[str]] = MappingProxyType({}),
    after: tuple[str, str] = ("", ""),
    parts: Mapping[str, str] | None = None,
) -> bytes:
    """Return an Excel file.

    Args:
        sheets: Name → markup of its rows, or of all of it where that names `sheetData`.
        strings: Markup of the shared strings, or their words.
        hidden: Names of hidden sheets.
        codes: Number formats; the first has style 4. Style 1 is a day, 2 a share, 3 bold.
        merged: Name → cells that are one, as `A2:A4`.
        after: Markup behind the cells of every sheet, and behind the sheets of the workbook.
        parts: Further parts, or others of the same name.
    """
    states = ("visible", "hidden")
    rows = "".join(
        f'<sheet name="{name}" sheetId="{n}" r:id="r{n}" state="{states[name in hidden]}"/>'
        for n, name in enumerate(sheets)
    )
    targets = {f"r{n}": ("worksheet", f"sheet{n}.xml") for n in range(len(sheets))}
    targets |= {"rs": ("sharedStrings", "strings.xml"), "rf": ("styles", "styles.xml")}
    shared = "".join(
        f"<si>{text if text.startswith('<') else f'<t>{text}</t>'}</si>" for text in strings
    )
    formats = '<xf numFmtId="0"/><xf numFmtId="14"/><xf numFmtId="9"/><xf fontId="1"/>'
    formats += "".join(f'<xf numFmtId="{200 + n}"/>' for n in range(len(codes)))
    named = "".join(
        f'<numFmt numFmtId="{200 + n}" formatCode={quoteattr(code)}/>'
        for n, code in enumerate(codes)
    )
    styles = f"<numFmts>{named}</numFmts><fonts><font/><font><b/></font></fonts>"
    styles += f"<cellXfs>{formats}</cellXfs>"
    whole = [
        (data if "<sheetData>" in data else f"<sheetData>{data}</sheetData>")
        + _merged_cells(merged.get(name, ()))
        + after[0]
        for name, data in sheets.items()
    ]
    return zipped(
        {
            "_rels/.rels": relations({"r1": ("officeDocument", "xl/workbook.xml")}),
            "xl/workbook.xml": f'<workbook xmlns="{S}" xmlns:r="{R}"><sheets>{rows}</sheets>'
            f"{after[1]}</workbook>",
            "xl/_rels/workbook.xml.rels": relations(targets),
            "xl/strings.xml": f'<sst xmlns="{S}">{shared}</sst>',
            "xl/styles.xml": f'<styleSheet xmlns="{S}">{styles}</styleSheet>',
            **{
                f"xl/sheet{n}.xml": f'<worksheet xmlns="{S}" xmlns:r="{R}">{data}</worksheet>'
                for n, data in enumerate(whole)
            },
            **(parts or {}),
        }
    )


def _merged_cells(places: Sequence[str]) -> str:
    cells = "".join(f'<mergeCell ref="{place}"/>' for place in places)
    return f"<mergeCells>{cells}</mergeCells>" if cells else ""


def slides(*texts: str) -> bytes:
    """Return a PowerPoint file with one slide for each text, its notes being `notes of TEXT`."""
    notes = [f"notes of {text}" for text in texts]
    return slides_of([SHAPE.format(text) for text in texts], [SHAPE.format(note) for note in notes])


def slides_of(bodies: Sequence[str], notes: Sequence[str] = ()) -> bytes:
    """Return a PowerPoint file: the markup of each slide, `p:` and `a:` being its names."""
    ids = "".join(f'<p:sldId id="{256 + n}" r:id="s{n}"/>' for n in range(len(bodies)))
    parts: dict[str, str | bytes] = {
        "_rels/.rels": relations({"r1": ("officeDocument", "ppt/presentation.xml")}),
        "ppt/presentation.xml": f'<p:presentation xmlns:p="{P}" xmlns:r="{R}"><p:sldIdLst>{ids}'
        "</p:sldIdLst></p:presentation>",
        "ppt/_rels/presentation.xml.rels": relations(
            {f"s{n}": ("slide", f"slides/{n}.xml") for n in range(len(bodies))}
        ),
    }
    names = f'xmlns:p="{P}" xmlns:a="{A}"'
    for n, body in enumerate(bodies):
        parts[f"ppt/slides/{n}.xml"] = f"<p:sld {names}>{body}</p:sld>"
    for n, note in enumerate(notes):
        parts[f"ppt/slides/_rels/{n}.xml.rels"] = relations(
            {"n": ("notesSlide", f"../notes/{n}.xml")}
        )
        parts[f"ppt/notes/{n}.xml"] = f"<p:notes {names}>{note}</p:notes>"
    return zipped(parts)


def book(*chapters: str) -> bytes:
    """Return an EPUB whose chapters are these bodies."""
    items = "".join(
        f'<item id="c{n}" href="c{n}.xhtml" media-type="application/xhtml+xml"/>'
        for n in range(len(chapters))
    )
    order = "".join(f'<itemref idref="c{n}"/>' for n in range(len(chapters)))
    page = "<!DOCTYPE html><html><body>{}</body></html>"
    return zipped(
        {
            "mimetype": "application/epub+zip",
            "META-INF/container.xml": '<container><rootfiles><rootfile full-path="in/b.opf"/>'
            "</rootfiles></container>",
            "in/b.opf": f"<package><manifest>{items}</manifest><spine>{order}</spine></package>",
            **{f"in/c{n}.xhtml": page.format(body) for n, body in enumerate(chapters)},
        }
    )


def pdf(*pages: str) -> bytes:
    """Return a PDF with one page for each text; an empty text makes a page without a text layer."""
    kids = " ".join(f"{4 + 2 * n} 0 R" for n in range(len(pages)))
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Kids [{kids}] /Count {len(pages)} >>".encode(),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    for n, text in enumerate(pages):
        objects += _pdf_page(n, _pdf_stream(text))
    return pdf_file(objects)


def pdf_of_letters(letters: Mapping[str, str], text: str) -> bytes:
    """Return a PDF whose font says which letter each of ASCII stands for (PDF 1.4, 5.9.2)."""
    pairs = "".join(f"<{ord(a):02X}> <{b.encode('utf-16-be').hex()}>\n" for a, b in letters.items())
    names = "/CIDInit /ProcSet findresource begin begincmap 1 begincodespacerange <00> <FF>"
    cmap = (
        f"{names} endcodespacerange {len(letters)} beginbfchar\n{pairs}endbfchar endcmap".encode()
    )
    font = b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /ToUnicode 6 0 R >>"
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [4 0 R] /Count 1 >>",
        font,
        *_pdf_page(0, _pdf_stream(text)),
        b"<< /Length %d >>\nstream\n%b\nendstream" % (len(cmap), cmap),
    ]
    return pdf_file(objects)


def locked_pdf(text: str, password: str) -> bytes:
    """Return a PDF of one page that opens with a password (40 bit RC4, PDF 1.4, 3.5.2)."""
    padded = (password.encode() + PADDING)[:32]
    owner = rc4(hashlib.md5(padded).digest()[:5], padded)
    rights = -4
    seed = padded + owner + rights.to_bytes(4, "little", signed=True) + b"identity"
    key = hashlib.md5(seed).digest()[:5]
    number = (5).to_bytes(3, "little") + bytes(2)  # the stream is object 5, generation 0
    stream = rc4(hashlib.md5(key + number).digest()[:10], _pdf_stream(text))
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [4 0 R] /Count 1 >>",
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
        *_pdf_page(0, stream),
    ]
    user = rc4(key, PADDING)
    lock = f"<< /Filter /Standard /V 1 /R 2 /O <{owner.hex()}> /U <{user.hex()}> /P {rights} >>"
    name = b"identity".hex()
    return pdf_file([*objects, lock.encode()], f"/Encrypt 6 0 R /ID [<{name}> <{name}>]")


def rc4(key: bytes, data: bytes) -> bytes:
    """Return the data, locked or unlocked."""
    state = list(range(256))
    j = 0
    for i in range(256):
        j = (j + state[i] + key[i % len(key)]) % 256
        state[i], state[j] = state[j], state[i]
    out = bytearray()
    i = j = 0
    for byte in data:
        i = (i + 1) % 256
        j = (j + state[i]) % 256
        state[i], state[j] = state[j], state[i]
        out.append(byte ^ state[(state[i] + state[j]) % 256])
    return bytes(out)


def _pdf_stream(text: str) -> bytes:
    return (f"BT /F1 12 Tf 72 720 Td ({text}) Tj ET" if text else "0 0 50 50 re f").encode()


def _pdf_page(n: int, stream: bytes) -> list[bytes]:
    page = (
        f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents {5 + 2 * n} 0 R "
        "/Resources << /Font << /F1 3 0 R >> >> >>"
    )
    body = f"<< /Length {len(stream)} >>\nstream\n".encode() + stream + b"\nendstream"
    return [page.encode(), body]


def pdf_file(objects: Sequence[bytes], trailer: str = "") -> bytes:
    """Return a PDF of these objects, the first being its catalog."""
    out = bytearray(b"%PDF-1.4\n")
    places = []
    for number, body in enumerate(objects, 1):
        places.append(len(out))
        out += f"{number} 0 obj\n".encode() + body + b"\nendobj\n"
    table = len(out)
    size = len(objects) + 1
    out += f"xref\n0 {size}\n0000000000 65535 f \n".encode()
    out += b"".join(f"{place:010d} 00000 n \n".encode() for place in places)
    out += f"trailer << /Size {size} /Root 1 0 R {trailer} >>\n".encode()
    out += f"startxref\n{table}\n%%EOF".encode()
    return bytes(out)


def _mail(text: str) -> bytes:
    return b"Subject: x\nContent-Type: text/html\n\n" + text.encode()


OF_FORMAT: Mapping[str, Callable[[str], bytes]] = {
    "text": str.encode,
    "markdown": str.encode,
    "pdf": pdf,
    **{kind.lower(): partial(with_text, kind) for kind in ("PNG", "JPEG", "TIFF", "WEBP")},
    "docx": word,
    "xlsx": lambda text: workbook({"A": f'<row><c t="str"><v>{text}</v></c></row>'}),
    "pptx": slides,
    "html": str.encode,
    "epub": book,
    "eml": _mail,
    "csv": str.encode,
    "json": lambda text: json.dumps([text]).encode(),
    "jsonl": lambda text: json.dumps({"note": text}).encode(),
}
"""Format → makes a file of this text; every format of `knowledge.parsing` has its line."""
