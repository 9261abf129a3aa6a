"""Random web pages, books and mails: raised figures, numbered lists, merged cells."""

import base64
import re

from tests.fakes import files
from tests.knowledge.parsing.documents.marks import Marks, RandomTable, Written


def page(seed: int) -> Written:
    """Return a web page: raised and lowered figures, numbered lists, tables with merged cells."""
    written = Written("random.html")
    written.content = _body(Marks(seed, written)).encode()
    return written


def _body(marks: Marks) -> str:
    (number, figure), (index, after) = marks.raised(), marks.lowered()
    start = marks.chance.randrange(1, 9)
    parts = [
        f"<h2>Part {marks.mark()}</h2>",
        f"<p>Holds {number}<sup>{figure}</sup> litres.</p>",
        f"<p>Speed x<sub>{index}</sub>{after} m.</p>",
        f"<div>Ends with {marks.mark()}</div><div>{marks.mark()} begins.</div>",
        f"<p>{marks.mark()}<br>{marks.mark()}</p>",
        f'<ol start="{start}">'
        + "".join(f"<li>item {item}</li>" for item in marks.listed(start))
        + "</ol>",
        _page_table(marks.table()),
        _page_table(marks.table()),
    ]
    marks.chance.shuffle(parts)
    return "".join(parts)


def _page_table(table: RandomTable) -> str:
    rows = ["".join(f"<th>{cell}</th>" for cell in table.header)]
    for number, row in enumerate(table.rows):
        span = table.starts_down(number)
        cells = [f"<td rowspan={span}>{row[0]}</td>"] if span else []
        wide = number in table.across
        cells += [f"<td>{cell}</td>" for cell in row[1 : -2 if wide else None]]
        cells += [f"<td colspan=2>{row[-1]}</td>"] if wide else []
        rows.append("".join(cells))
    return "<table>" + "".join(f"<tr>{row}</tr>" for row in rows) + "</table>"


def book(seed: int) -> Written:
    """Return a book of several chapters."""
    written = Written("random.epub")
    marks = Marks(seed, written)
    chapters = [_body(marks) for _ in range(marks.chance.randrange(1, 4))]
    written.content = files.book(*(_closed(chapter) for chapter in chapters))
    return written


def _closed(body: str) -> str:
    """Return markup as XML: attributes quoted, every tag closed."""
    return re.sub(r"(\w+)=(\d+)", r'\1="\2"', body).replace("<br>", "<br/>")


def mail(seed: int) -> Written:
    """Return a message: plain text, or a page, in one of the encodings of mail."""
    written = Written("random.eml")
    marks = Marks(seed, written)
    subject, is_page = marks.mark(), marks.chance.random() < 0.5
    text = _body(marks) if is_page else "\n\n".join(f"Order {marks.mark()}" for _ in range(3))
    body = text.encode()
    kind = "html" if is_page else "plain"
    head = f"Subject: Order {subject}\nContent-Type: text/{kind}; charset=utf-8\n"
    if marks.chance.random() < 0.5:
        head += "Content-Transfer-Encoding: base64\n"
        body = base64.encodebytes(body)
    written.content = head.encode() + b"\n" + body
    return written
