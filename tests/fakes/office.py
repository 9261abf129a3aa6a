"""Small Word and PowerPoint files with styles, numberings, notes and tables, and what they say."""

from collections.abc import Mapping, Sequence

from knowledge import ParsedText, parse
from tests.fakes import files
from tests.fakes.files import A, P, R, W

M = "http://schemas.openxmlformats.org/officeDocument/2006/math"
C = "http://schemas.openxmlformats.org/drawingml/2006/chart"
NAMES = f'xmlns:w="{W}" xmlns:r="{R}" xmlns:a="{A}" xmlns:m="{M}" xmlns:c="{C}"'
HEADINGS = "".join(
    f'<w:style w:type="paragraph" w:styleId="H{level}"><w:name w:val="heading {level}"/></w:style>'
    for level in (1, 2)
)


def read_word(
    body: str,
    *,
    styles: str = "",
    numbering: str = "",
    parts: Mapping[str, tuple[str, str | bytes]] | None = None,
) -> ParsedText:
    """Return what a Word file says.

    Args:
        body: Its markup.
        styles: Markup beside the headings `H1` and `H2`.
        numbering: Markup of `numbering.xml`.
        parts: Other parts: name in `word/` → (kind, data); the kind's id is the name. The data
            of a `hyperlink` is its address.
    """
    made: dict[str, str | bytes] = {
        "_rels/.rels": files.relations({"r1": ("officeDocument", "word/document.xml")}),
        "word/document.xml": f"<w:document {NAMES}><w:body>{body}</w:body></w:document>",
        "word/styles.xml": f"<w:styles {NAMES}>{HEADINGS}{styles}</w:styles>",
        "word/numbering.xml": f"<w:numbering {NAMES}>{numbering}</w:numbering>",
    }
    targets = {"s": ("styles", "styles.xml"), "n": ("numbering", "numbering.xml")}
    for name, (kind, data) in (parts or {}).items():
        if kind == "hyperlink":
            targets[name] = (kind, str(data))
            continue
        targets[name] = (kind, name)
        made[f"word/{name}"] = data
    made["word/_rels/document.xml.rels"] = files.relations(targets)
    return parse("a.docx", files.zipped(made))


def word_text(body: str, *, styles: str = "", numbering: str = "") -> str:
    """Return the text of a Word file; arguments: `read_word`."""
    return read_word(body, styles=styles, numbering=numbering).text


def run(text: str, properties: str = "") -> str:
    """Return a run of text in Word."""
    return f'<w:r><w:rPr>{properties}</w:rPr><w:t xml:space="preserve">{text}</w:t></w:r>'


def par(*runs: str, style: str = "", properties: str = "") -> str:
    """Return a paragraph of runs, or of plain text, in Word."""
    named = f'<w:pStyle w:val="{style}"/>' if style else ""
    inner = "".join(one if one.startswith("<") else run(one) for one in runs)
    return f"<w:p><w:pPr>{named}{properties}</w:pPr>{inner}</w:p>"


def item(text: str, level: int = 0, number: int = 1, style: str = "") -> str:
    """Return a numbered paragraph."""
    numbered = f'<w:numPr><w:ilvl w:val="{level}"/><w:numId w:val="{number}"/></w:numPr>'
    return (
        par(text, style=style, properties=numbered)
        if text
        else (f"<w:p><w:pPr>{numbered}</w:pPr></w:p>")
    )


def levels(*formats: tuple[str, str], more: str = "") -> str:
    """Return the levels of a numbering: (format, text) of each, `more` in every one."""
    return "".join(
        f'<w:lvl w:ilvl="{n}"><w:start w:val="1"/><w:numFmt w:val="{style}"/>{more}'
        f'<w:lvlText w:val="{text}"/></w:lvl>'
        for n, (style, text) in enumerate(formats)
    )


def numbering(*abstracts: str, nums: Sequence[tuple[int, int, str]] = ()) -> str:
    """Return `numbering.xml`: a list 1, 2 … for each of these levels, or `nums`: (id, of, more)."""
    defined = "".join(
        f'<w:abstractNum w:abstractNumId="{n}">{markup}</w:abstractNum>'
        for n, markup in enumerate(abstracts)
    )
    wanted = nums or [(n + 1, n, "") for n in range(len(abstracts))]
    return defined + "".join(
        f'<w:num w:numId="{num}"><w:abstractNumId w:val="{of}"/>{more}</w:num>'
        for num, of, more in wanted
    )


def table(*rows: Sequence[str], properties: str = "") -> str:
    """Return a table of Word; a cell is its text, or its markup."""
    made = "".join(f"<w:tr>{''.join(map(cell, row))}</w:tr>" for row in rows)
    return f"<w:tbl><w:tblPr>{properties}</w:tblPr>{made}</w:tbl>"


def cell(inner: str, properties: str = "") -> str:
    """Return a cell of Word."""
    if inner.startswith("<w:tc>"):
        return inner
    content = inner if inner.startswith("<w:p") or inner.startswith("<w:tbl") else par(inner)
    return f"<w:tc><w:tcPr>{properties}</w:tcPr>{content}</w:tc>"


def read_slides(
    *slides: str,
    parts: Mapping[str, tuple[str, str]] | None = None,
    sections: str = "",
    attributes: Mapping[int, str] | None = None,
) -> ParsedText:
    """Return what a PowerPoint file says.

    Args:
        slides: Markup of the shapes of each.
        parts: Parts of the first slide: name in `ppt/slides/` → (kind, data); `unused`: of another.
            The data of a `hyperlink` is its address.
        sections: Markup behind the list of slides.
        attributes: Slide, from 1 → attributes of its root.
    """
    count = range(1, len(slides) + 1)
    ids = "".join(f'<p:sldId id="{255 + n}" r:id="s{n}"/>' for n in count)
    names = f'xmlns:p="{P}" {NAMES}'
    made: dict[str, str | bytes] = {
        "_rels/.rels": files.relations({"r1": ("officeDocument", "ppt/presentation.xml")}),
        "ppt/presentation.xml": f"<p:presentation {names}><p:sldIdLst>{ids}</p:sldIdLst>{sections}"
        "</p:presentation>",
        "ppt/_rels/presentation.xml.rels": files.relations(
            {f"s{n}": ("slide", f"slides/{n}.xml") for n in count}
        ),
    }
    for n, shapes in enumerate(slides, 1):
        root = (attributes or {}).get(n, "")
        made[f"ppt/slides/{n}.xml"] = f"<p:sld {names} {root}>{shapes}</p:sld>"
    targets = {}
    for name, (kind, data) in (parts or {}).items():
        if kind == "hyperlink":
            targets[name] = (kind, data)
            continue
        if kind != "unused":
            targets[name] = (kind, name)
        made[f"ppt/slides/{name}"] = data.replace("NAMES", names)
    made["ppt/slides/_rels/1.xml.rels"] = files.relations(targets)
    return parse("a.pptx", files.zipped(made))


def shape(*paragraphs: str, placeholder: str = "") -> str:
    """Return a shape of a slide; `placeholder`: attributes of its `ph`."""
    ph = f"<p:nvSpPr><p:nvPr><p:ph {placeholder}/></p:nvPr></p:nvSpPr>" if placeholder else ""
    inner = "".join(one if one.startswith("<a:p>") else line(one) for one in paragraphs)
    return f"<p:sp>{ph}<p:txBody>{inner}</p:txBody></p:sp>"


def line(text: str, properties: str = "", *, level: int = 0) -> str:
    """Return a paragraph of a slide."""
    inner = text if text.startswith("<") else f"<a:r><a:t>{text}</a:t></a:r>"
    return f'<a:p><a:pPr lvl="{level}">{properties}</a:pPr>{inner}</a:p>'
