"""A chart is a table of its categories by its series."""

from collections.abc import Sequence

from knowledge.parsing.blocks import render
from knowledge.parsing.charts import add_chart
from knowledge.parsing.writer import BlockWriter
from knowledge.parsing.xml import events


def points(name: str, values: Sequence[object], more: str = "") -> str:
    inner = "".join(f'<pt idx="{n}"><v>{v}</v></pt>' for n, v in enumerate(values))
    return f"<{name}><strRef><f>Sheet1!A1</f><strCache>{more}{inner}</strCache></strRef></{name}>"


def text_of(markup: str) -> tuple[str, bool]:
    writer = BlockWriter(10_000)
    found = add_chart(writer, events("a", [f"<chart>{markup}</chart>".encode()]))
    return render(writer.blocks).text, found


TITLE = "<title><p><t>Sales</t></p></title>"


def test_a_chart_is_a_table() -> None:
    ser = "<ser>{}</ser>"
    quarters = points("cat", ["Q1", "Q2"])
    markup = TITLE + ser.format(points("tx", ["East"]) + quarters + points("val", [10, 20.5]))
    markup += ser.format(points("tx", ["West"]) + quarters + points("val", [0.1 + 0.2, 4]))
    text, found = text_of(markup)
    assert text == "Sales\n | East | West\nQ1 | 10 | 0.3\nQ2 | 20.5 | 4"
    assert found


def test_series_of_other_categories_and_shares_stand_in_their_own_table() -> None:
    share = "<formatCode>0.0%</formatCode>"
    markup = f"<ser>{points('tx', ['A'])}{points('xVal', [1, 2])}{points('yVal', [3, 4])}</ser>"
    markup += (
        f"<ser>{points('tx', ['B'])}{points('xVal', [5])}{points('yVal', [0.25], share)}</ser>"
    )
    assert text_of(markup)[0] == "A\n1 | 3\n2 | 4\n\n | B\n5 | 25%"


def test_a_chart_without_values_says_so() -> None:
    assert text_of(f"{TITLE}<ser><tx><strRef><f>A1</f></strRef></tx></ser>") == ("Sales", False)
