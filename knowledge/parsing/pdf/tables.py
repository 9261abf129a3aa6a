"""Tables of a page: by the lines drawn around their cells, else by words that stand in columns.

It knows where words and lines stand; it does not know the pages around, nor how pdfium tells them.
Prose in columns, lists, tables of contents, forms and code are no tables.
"""

import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from knowledge.parsing.grid import is_figure
from knowledge.parsing.pdf.breaks import HAN
from knowledge.parsing.pdf.lines import Line, Word, median
from knowledge.parsing.pdf.rules import Cell, RuledGrid

LEAST_ROWS = 3  # that stand in columns; fewer lines are aligned by chance
ROW_GAP = 2.2  # of the height of a line: a wider gap ends a table without lines
ALIGNED = 0.5  # of the height of a line: cells of a column begin, end or are centred so exactly
LONG_CELL = 25  # letters; a table whose cells are as long in the middle is prose in columns
MOST_CELL_SHARE = 0.7  # of the letters in one cell: a frame around text is no table
LEVEL_POINTS = 4.0  # lines of text of one cell are further apart
LEAST_FILLED = 0.5  # of the cells of columns
_LEADERS = re.compile(r"(?:[.．…·_] ?){4,}|…")
_MARK = re.compile(
    r"[•·●○◦▪■□▶➢\-–—*√]|\(?[\divxIVX]{1,4}[.)、]|\(?[A-Za-z][.)]|[\d.]{2,8}|[一二三四五六七八九十]+、"
)
_CODE = re.compile(r"[{};]$|==|//|\(\)|^(?:def|return|if|for|import|#)\b", re.MULTILINE)
_LOWER = re.compile(r"[a-zà-öø-ÿ]")
_TITLE = re.compile(
    r"(?:Table|Tab\.|Tabelle|Tableau|Tabla)\s?[\dIVXA-Z]|[附续]?表\s?[\d一二三四五六七八九十]",
    re.IGNORECASE,
)
_HAN_SPACE = re.compile(f"(?<=[{HAN}]) (?=[{HAN}])")


Placed = tuple[int, Word]  # the line it belongs to, and words
Row = Sequence[Placed]


@dataclass(slots=True)
class PageTable:
    """A table of a page.

    Attributes:
        cells: Row, column and spans → what it says.
        row_count: How many rows it has.
        lefts: Where its columns begin, in points.
        lines: Which lines of the page it is made of.
        title: What the line above calls it.
    """

    cells: dict[Cell, str]
    row_count: int
    lefts: tuple[float, ...]
    lines: set[int]
    title: str = ""

    def row(self, number: int) -> dict[int, str]:
        """Return column → text of a row, of the cells that say something."""
        texts = {cell.column: text for cell, text in self.cells.items() if cell.row == number}
        return {column: text for column, text in texts.items() if text}


def looks_like_tables(lines: Sequence[Line]) -> bool:
    """Whether words of a page stand side by side in several rows, or a line has many cells."""
    levels: Counter[int] = Counter()
    for line in lines:
        if not line.words:
            continue
        cells = line.cells()
        if len(cells) > 1:
            return True
        levels[round((cells[0].bottom + cells[0].top) / 4)] += 1
    return any(count > 1 for count in levels.values())


def find_tables(lines: Sequence[Line], grids: Sequence[RuledGrid]) -> list[PageTable]:
    """Return the tables of a page; no line belongs to two of them."""
    tables: list[PageTable] = []
    used: set[int] = set()
    for grid in grids:
        table = _ruled(lines, grid, used)
        if table is not None:
            tables.append(table)
            used |= table.lines
    for rows in _runs(_levels(lines, used)):
        table = _aligned(rows)
        if table is not None:
            tables.append(table)
            used |= table.lines
    for table in tables:
        _take_title(table, lines, used)
    return tables


def _ruled(lines: Sequence[Line], grid: RuledGrid, used: set[int]) -> PageTable | None:
    """Return what stands inside a grid of lines, or nothing if it is no table."""
    owners = {
        (cell.row + y, cell.column + x): cell
        for cell in grid.cells
        for y in range(cell.rows)
        for x in range(cell.columns)
    }
    down = [-at for at in grid.across]
    inside: dict[Cell, list[Placed]] = {}
    outside: set[int] = set()
    for number, line in enumerate(lines):
        for word in line.words if number not in used else ():
            x, y = word.middle
            place = (bisect_right(down, -y) - 1, bisect_right(grid.down, x) - 1)
            if place in owners:
                inside.setdefault(owners[place], []).append((number, word))
            else:
                outside.add(number)
    inside, row_count = _with_rows_parted(inside, len(grid.across) - 1)
    texts = {cell: _cell_text(words) for cell, words in inside.items()}
    if len({cell.row for cell in texts}) < 2 or len({cell.column for cell in texts}) < 2:
        return None
    numbers = {number for words in inside.values() for number, _ in words}
    longest, letters = max(map(len, texts.values())), sum(map(len, texts.values()))
    if numbers & outside or (longest > 9 * LONG_CELL and longest > MOST_CELL_SHARE * letters):
        return None
    if row_count == len(grid.across) - 1:
        texts |= {cell: "" for cell in grid.cells if cell not in texts}
    return PageTable(texts, row_count, grid.down[:-1], numbers)


def _with_rows_parted(
    inside: dict[Cell, list[Placed]], count: int
) -> tuple[dict[Cell, list[Placed]], int]:
    """Return cells and rows; where lines are drawn under every few rows only, rows are parted.

    A row is several where words stand below each other in most of its cells, many of them figures.
    """
    flat: list[list[list[Placed]]] = [[] for _ in range(count)]  # of each row, its own cells
    for cell, words in inside.items():
        if cell.rows == 1:
            flat[cell.row].append(words)
    heights = [_levels_of(cells) for cells in flat]  # of each row, where its rows of words stand
    starts = [sum(map(len, heights[:row])) for row in range(count + 1)]
    parted: dict[Cell, list[Placed]] = {}
    for cell, words in inside.items():
        rows = starts[cell.row + cell.rows] - starts[cell.row]
        for number, word in words:
            level = _level(word, heights[cell.row]) if cell.rows == 1 else 0
            place = Cell(
                starts[cell.row] + level, cell.column, rows if cell.rows > 1 else 1, cell.columns
            )
            parted.setdefault(place, []).append((number, word))
    return parted, starts[-1]


def _levels_of(cells: Sequence[Sequence[Placed]]) -> list[float]:
    """Return where the rows of words stand of which a row between lines is made."""
    levels: list[float] = []
    for y in sorted([-word.middle[1] for words in cells for _, word in words]):
        if not levels or y - levels[-1] > LEVEL_POINTS:
            levels.append(y)
    if len(levels) < 2:
        return levels or [0.0]
    parts = [[_on_level(words, levels, n) for n in range(len(levels))] for words in cells]
    filled = [text for texts in parts for text in texts if text]
    tall = sum(sum(map(bool, texts)) > 1 for texts in parts)
    is_several = 2 * tall > len(parts) and sum(map(is_figure, filled)) > 0.4 * len(filled)
    return levels if is_several else levels[:1]


def _on_level(words: Sequence[Placed], levels: Sequence[float], number: int) -> str:
    return " ".join(word.text for _, word in words if _level(word, levels) == number)


def _level(word: Word, levels: Sequence[float]) -> int:
    return max(0, bisect_right(levels, LEVEL_POINTS / 2 - word.middle[1]) - 1)


def _cell_text(words: Row) -> str:
    """Return the words of a cell, in the order of the page; lines of Han join without a space."""
    text = ""
    before = -1
    for number, word in words:
        is_han = number != before and _HAN_SPACE.search(f"{text[-1:]} {word.text[0]}")
        is_broken = text[-1:] in ("\ufffe", "\u0002")  # a hyphen that only breaks a word
        text = text[:-1] if is_broken else text
        text += word.text if not text or is_han or is_broken else f" {word.text}"
        before = number
    return text


def _levels(lines: Sequence[Line], used: set[int]) -> list[Row]:
    """Return what stands at one height, from the top of the page: (line, words), left to right."""
    cells = [
        (number, cell)
        for number, line in enumerate(lines)
        if line.words and number not in used
        for cell in line.cells()
    ]
    levels: list[list[Placed]] = []
    height = 0.0  # twice that of the middle of the level
    for placed in sorted(cells, key=lambda found: -found[1].bottom - found[1].top):
        _, _, _, bottom, top = placed[1]
        if levels and height - bottom - top < 0.8 * (top - bottom):
            levels[-1].append(placed)
        else:
            levels.append([placed])
            height = bottom + top
    return [sorted(level, key=lambda found: found[1].left) for level in levels]


def _runs(levels: Sequence[Row]) -> list[list[Row]]:
    """Return runs of rows that follow each other closely; each begins with several cells."""
    runs: list[list[Row]] = []
    run: list[Row] = []
    for level in levels:
        if run and not _follows(run, level):
            runs.append(run)
            run = []
        if run or len(level) > 1:
            run.append(list(level))
    return [run for run in [*runs, run] if sum(len(level) > 1 for level in run) >= LEAST_ROWS - 1]


def _follows(run: Sequence[Row], level: Row) -> bool:
    last, word = run[-1][0][1], level[0][1]
    height = max(last.top - last.bottom, word.top - word.bottom)
    if last.bottom - word.top > (ROW_GAP - 1) * height:
        return False
    if len(level) > 1:
        return True
    rows = [row for row in run if len(row) > 1]
    bounds = [cell.left for _, cell in rows[-1]]
    column = bisect_right(bounds, word.left + height) - 1
    return column + 1 >= len(bounds) or word.right < bounds[column + 1]


def _aligned(rows: list[Row]) -> PageTable | None:
    """Return rows of words as a table, or nothing if they stand in no columns."""
    while rows and len(rows[-1]) == 1:
        rows = rows[:-1]  # what follows a table is text
    while rows and _TITLE.match(" ".join(word.text for _, word in rows[0])):
        rows = rows[1:]
    full = [row for row in rows if len(row) > 1]
    columns = _columns(full)
    if not columns or (len(full) < LEAST_ROWS and not _is_short_table(full, columns)):
        return None
    cells: dict[tuple[int, int], tuple[Cell, list[Placed]]] = {}
    count = 0
    for row in rows:
        is_full = len(row) == len(columns)
        reaches = [[n] if is_full else _reach(found[1], columns) for n, found in enumerate(row)]
        is_wrapped = count > 0 and len(row) * 2 <= len(columns)
        if is_wrapped:
            is_rest = reaches[0][0] > 0 or (len(row) == 1 and _LOWER.match(row[0][1].text))
            above = [cells.get((count - 1, reach[0])) for reach in reaches]
            is_wrapped = bool(is_rest) and not _has_figures_below(row, above)
        count += not is_wrapped
        for found, reach in zip(row, reaches, strict=True):
            if (place := (count - 1, reach[0])) not in cells:
                cells[place] = Cell(*place, 1, len(reach)), []
            cells[place][1].append(found)
    told = dict(cells.values())
    if not _is_table(rows, columns, told):
        return None
    texts = {cell: _cell_text(words) for cell, words in told.items()}
    numbers = {number for row in rows for number, _ in row}
    return PageTable(texts, count, tuple(left for left, _ in columns), numbers)


def _has_figures_below(row: Row, above: Sequence[tuple[Cell, list[Placed]] | None]) -> bool:
    """Whether a figure stands below a figure, or beside words below nothing: a sum, not a rest."""
    has_words = not all(is_figure(word.text) for _, word in row)
    for (_, word), up in zip(row, above, strict=True):
        if is_figure(word.text) and (is_figure(_cell_text(up[1])) if up else has_words):
            return True
    return False


def _columns(rows: Sequence[Row]) -> list[tuple[float, float]]:
    """Return from where to where each column reaches, or nothing where cells are not aligned.

    The rows that have the most cells tell: the first of each is the first column, and so on, even
    where words of one column stand under the name of the next.
    """
    counts = Counter(len(row) for row in rows)
    most = max((n for n, count in counts.items() if count * 4 >= len(rows)), default=0)
    if rows and len(rows[0]) > most and (named := _named_columns(rows)):
        return named
    told = [row for row in rows if len(row) == most]
    columns: list[tuple[float, float]] = []
    for place in range(most if len(told) > 1 else 0):
        cells = _aligned_cells([row[place][1] for row in told])
        if not cells:
            return []
        columns.append((min(c.left for c in cells), max(c.right for c in cells)))
    return columns


def _named_columns(rows: Sequence[Row]) -> list[tuple[float, float]]:
    """Return the columns that a first row names, if every cell stands below one name: a debit."""
    names = [word for _, word in rows[0]]
    below: list[list[Word]] = [[name] for name in names]
    for _, word in (cell for row in rows[1:] for cell in row):
        over = [n for n, at in enumerate(names) if at.left < word.right and word.left < at.right]
        if len(over) != 1:
            return []
        below[over[0]].append(word)
    if any(len(cells) == 1 for cells in below) or any(is_figure(name.text) for name in names):
        return []
    return [(min(c.left for c in cells), max(c.right for c in cells)) for cells in below]


def _aligned_cells(cells: Sequence[Word]) -> list[Word]:
    """Return those of a column's cells that stand left, right or centred in it, if most do."""
    tolerance = ALIGNED * median([cell.top - cell.bottom for cell in cells])
    best: list[Word] = []
    sides = [(cell.left, cell.right, cell.middle[0]) for cell in cells]
    for places in zip(*sides, strict=True):
        at = median(places)
        near = [c for c, place in zip(cells, places, strict=True) if abs(place - at) <= tolerance]
        best = max(best, near, key=len)
    return best if len(best) * 3 >= len(cells) * 2 else []


def _reach(word: Word, columns: Sequence[tuple[float, float]]) -> list[int]:
    """Return the columns whose middle a word covers, or the one it is nearest to."""
    middles = [(left + right) / 2 for left, right in columns]
    over = [n for n, middle in enumerate(middles) if word.left <= middle <= word.right]
    if len(over) > 1:
        return over

    def shared(n: int) -> tuple[float, float]:
        left, right = columns[n]
        return min(right, word.right) - max(left, word.left), -abs(middles[n] - word.middle[0])

    return [max(range(len(columns)), key=shared)]


def _is_short_table(rows: Sequence[Row], columns: Sequence[tuple[float, float]]) -> bool:
    """Whether two rows are names and figures below them."""
    if len(rows) < 2 or len(columns) < 3 or any(len(row) < len(columns) for row in rows):
        return False
    return not any(is_figure(c.text) for _, c in rows[0]) and any(
        is_figure(c.text) for _, c in rows[1]
    )


def _is_table(
    rows: Sequence[Row],
    columns: Sequence[tuple[float, float]],
    cells: dict[Cell, list[Placed]],
) -> bool:
    texts = {cell: " ".join([word.text for _, word in found]) for cell, found in cells.items()}
    count = 1 + max(cell.row for cell in cells)
    if len(texts) < LEAST_FILLED * count * len(columns):
        return False
    said = "\n".join(texts.values())  # one search instead of one for each cell
    for mark, most in ((_LEADERS, 0.15), (_CODE, 0.2)):
        if mark.search(said) and _share(mark.search, texts.values()) > most:
            return False
    first = [text for cell, text in texts.items() if cell.column == 0]
    others = [text for cell, text in texts.items() if cell.column > 0]
    figures = sum(map(is_figure, others)) / max(1, len(others))
    if len(columns) == 2 and figures < 0.25 and _share(_MARK.fullmatch, first) > 0.5:
        return False  # a list
    if len(columns) < 4 and figures < 0.25:
        is_long = median(map(len, texts.values())) >= LONG_CELL
        if is_long or _share(_LOWER.match, texts.values()) > 0.4:
            return False  # prose in columns
    if _is_contents(texts, count, len(columns)):
        return False
    spans = [(min(n for n, _ in row), max(n for n, _ in row)) for row in rows]
    told_as_rows = sum(before[1] <= row[0] for before, row in pairwise(spans))
    return told_as_rows * 2 > len(spans) - 1 or figures >= 0.4


def _is_contents(texts: Mapping[Cell, str], count: int, columns: int) -> bool:
    """Whether each row names a part and its page: whole numbers that only rise, from the first."""
    last = [texts.get(Cell(row, columns - 1, 1, 1), "") for row in range(count)]
    if columns > 3 or count < LEAST_ROWS + 1 or not all(text.isdecimal() for text in last):
        return False
    pages = [int(text) for text in last]
    names = [text for cell, text in texts.items() if cell.column == columns - 2]
    return pages == sorted(pages) and len(set(pages)) > 1 and not any(map(is_figure, names))


def _share(matches: Callable[[str], object], texts: Iterable[str]) -> float:
    found = [bool(matches(text)) for text in texts]
    return sum(found) / max(1, len(found))


def _take_title(table: PageTable, lines: Sequence[Line], used: set[int]) -> None:
    """Take the line before a table as its title where it says so: `Table 1`, `表 7.5`."""
    above = min(table.lines) - 1
    if above >= 0 and above not in used and _TITLE.match(lines[above].text):
        table.title = lines[above].text
        table.lines.add(above)
        used.add(above)
