"""Shapes of slides that nobody sees, and the addresses behind linked words and shapes."""

import pytest

from tests.fakes.office import read_slides

ADDRESS = "https://forms.example/returns"
LINK = {"a": ("hyperlink", ADDRESS)}
SIZE = '<p:sldSz cx="9144000" cy="6858000"/>'
NAME = '<p:nvSpPr><p:cNvPr id="2" name="x" {}/><p:nvPr/></p:nvSpPr>'
PLACE = '<p:spPr><a:xfrm><a:off x="{}" y="{}"/><a:ext cx="900000" cy="500000"/></a:xfrm></p:spPr>'


def _run(text: str, properties: str = "") -> str:
    return f"<a:r><a:rPr>{properties}</a:rPr><a:t>{text}</a:t></a:r>"


def _shape(*runs: str, name: str = "", place: str = "") -> str:
    inner = "".join(run if run.startswith("<") else _run(run) for run in runs)
    body = f"<p:txBody><a:p>{inner}</a:p></p:txBody>"
    return f"<p:sp>{NAME.format(name)}{place}{body}</p:sp>"


@pytest.mark.parametrize(
    ("place", "is_seen"),
    [
        ((9144000, 0), False),
        ((-900000, 0), False),
        ((0, 6858000), False),
        ((0, -500000), False),
        ((9143999, 0), True),
        ((-899999, -499999), True),
    ],
)
def test_text_outside_of_the_slide_is_told(place: tuple[int, int], is_seen: bool) -> None:
    shapes = _shape("99 euros") + _shape("61 ", "euros", place=PLACE.format(*place))
    parsed = read_slides(shapes + _shape("End"), sections=SIZE)
    assert parsed.text == "99 euros\n\n" + ("61 euros\n\n" if is_seen else "") + "End"
    told = [] if is_seen else [("text outside of the slide", "slide 1")]
    assert [(item.what, item.where) for item in parsed.left_out] == told


def test_without_the_size_of_the_slide_all_is_read() -> None:
    assert read_slides(_shape("61", place=PLACE.format(99999999, 0))).text == "61"


def test_hidden_shapes_groups_and_pictures_are_told() -> None:
    group = '<p:grpSp><p:nvGrpSpPr><p:cNvPr id="3" hidden="1"/></p:nvGrpSpPr>{}</p:grpSp>'
    picture = '<p:pic><p:nvPicPr><p:cNvPr id="4" descr="A plan" {}/></p:nvPicPr><a:blip/>{}</p:pic>'
    outside = PLACE.format(-5000000, 0)
    cell = "<a:tc><a:txBody><a:p>" + _run("60") + "</a:p></a:txBody></a:tc>"
    name = "<p:nvGraphicFramePr><p:cNvPr hidden='1'/></p:nvGraphicFramePr>"
    table = f"<p:graphicFrame>{name}<a:tbl><a:tr>{cell * 2}</a:tr></a:tbl></p:graphicFrame>"
    shapes = [
        _shape("61", name='hidden="1"'),
        group.format(_shape("62")),
        picture.format('hidden="1"', ""),
        table,
        picture.format("", outside),
        _shape("99"),
        picture.format("", ""),
    ]
    parsed = read_slides("".join(shapes), sections=SIZE)
    assert parsed.text == "99\n\nA plan"
    assert [item.what for item in parsed.left_out] == [
        "text of a hidden shape (4)",
        "text outside of the slide",
    ]


def test_a_shape_in_a_group_is_measured_with_its_group() -> None:
    inner = _shape("61", place=PLACE.format(99999999, 0))
    place = '<p:grpSpPr><a:xfrm><a:off x="0" y="0"/><a:ext cx="9" cy="9"/></a:xfrm></p:grpSpPr>'
    group = f'<p:grpSp><p:nvGrpSpPr><p:cNvPr id="3"/></p:nvGrpSpPr>{place}{inner}</p:grpSp>'
    assert read_slides(group, sections=SIZE).text == "61"
    assert read_slides(group.replace('x="0"', 'x="-9"') + _shape("99"), sections=SIZE).text == "99"


CLICK = '<a:hlinkClick r:id="a"/>'


@pytest.mark.parametrize(
    ("shapes", "text"),
    [
        (_shape("Fill in ", _run("this form", CLICK), "."), f"Fill in this form ({ADDRESS})."),
        (_shape(_run("this ", CLICK), _run("form", CLICK)), f"this form ({ADDRESS})"),
        (_shape(_run(ADDRESS, CLICK)), ADDRESS),
        (_shape(_run("next", '<a:hlinkClick r:id="s" action="ppaction://x"/>')), "next"),
        (
            f'<p:sp><p:nvSpPr><p:cNvPr id="2">{CLICK}</p:cNvPr></p:nvSpPr>'
            f"<p:txBody><a:p>{_run('Start')}</a:p></p:txBody></p:sp>{_shape('b')}",
            f"Start\n\n({ADDRESS})\n\nb",
        ),
        (
            f'<p:pic><p:nvPicPr><p:cNvPr descr="Shop">{CLICK}</p:cNvPr></p:nvPicPr></p:pic>',
            f"Shop\n\n({ADDRESS})",
        ),
        (
            f'<p:sp><p:nvSpPr><p:nvPr><p:ph type="title"/></p:nvPr></p:nvSpPr>'
            f"<p:txBody><a:p>{_run('Returns', CLICK)}</a:p></p:txBody></p:sp>",
            f"# Returns\n\n({ADDRESS})",
        ),
    ],
)
def test_an_address_stands_behind_words_that_do_not_show_it(shapes: str, text: str) -> None:
    assert read_slides(shapes, parts=LINK).text == text


def test_boxes_of_symbol_fonts_are_what_a_reader_sees() -> None:
    sign = '<a:sym typeface="Wingdings"/>'
    shapes = _shape(_run("\uf0fe yes ", sign), _run("þ no", '<a:latin typeface="Wingdings"/>'))
    assert read_slides(shapes).text.startswith("☑ yes ☑")
