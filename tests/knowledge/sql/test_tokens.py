import pytest

from knowledge.sql.tokens import MAX_QUERY_TOKENS, Kind, Role, Term, query_terms, segment


def tokens(question: str, conversation: str = "") -> list[str]:
    """Return the strictest reading of what is asked, phrases left out."""
    terms = query_terms(question, conversation)
    return [term.readings[0] for term in terms if term.kind is not Kind.PHRASE]


def term(question: str, written: str) -> Term:
    """Return the term of a question that is written so."""
    return next(
        each for each in query_terms(question) if written in (each.written, each.readings[0])
    )


def test_pairs_across_a_word_that_says_nothing_are_not_searched() -> None:
    asked = tokens("年假的天数和目的是什么")
    assert {"年假", "天数", "目的"} <= set(asked)
    assert not {"假的", "的天", "数和", "和目", "的是", "是什"} & set(asked)
    assert not {"假的", "的天"} & set(tokens("年假", "年假的天数"))
    assert {"假的", "的天"} <= set(segment("年假的天数"))  # what is stored is found either way


def test_of_a_long_conversation_the_question_and_the_latest_words_are_searched() -> None:
    said = " ".join(f"word{n}" for n in range(200))
    asked = tokens("Why was it late?", said)
    assert asked[:3] == ["late", "word199", "word198"]
    assert len(asked) == MAX_QUERY_TOKENS
    assert "保修" in tokens("保修多久", "".join(map(chr, range(0x5000, 0x5200))))


def test_stop_words_count_only_when_nothing_else_is_left() -> None:
    assert tokens("What is the deadline?") == ["deadline"]
    assert tokens("Who is it?") == ["who", "is", "it"]


def test_han_runs_give_words_and_pairs() -> None:
    assert {"年假", "员工", "工年"} <= set(segment("员工年假"))


@pytest.mark.parametrize(
    ("traditional", "simplified"),
    [
        ("退貨運費由誰承擔？", "退货运费由谁承担？"),
        ("員工請假須提前三個工作天向主管申請。", "员工请假须提前三个工作天向主管申请。"),
        ("沿著海邊走著，意味著什麼", "沿着海边走着，意味着什么"),
        ("著名作家的著作", "著名作家的著作"),
        ("乾隆年間的乾燥食品", "乾隆年间的干燥食品"),
        ("頭髮與發展，麵條與表面，皇后與以後", "头发与发展，面条与表面，皇后与以后"),
        ("臺灣與台灣，裏面與裡面，爲何與為何", "台湾与台湾，里面与里面，为何与为何"),
        ("衞生署、枱面、化粧、敍述", "卫生署、台面、化妆、叙述"),
        ("「這個」甚麼意思？訂單ＡＢ－１２", "「这个」甚么意思？订单AB-12"),
    ],
)
def test_traditional_and_simplified_chinese_are_the_same_tokens(
    traditional: str, simplified: str
) -> None:
    assert segment(traditional) == segment(simplified)
    assert query_terms(traditional) == query_terms(simplified)


@pytest.mark.parametrize(
    ("code", "other"),
    [
        ("2.10", "2.1"),
        ("C++", "C#"),
        ("C#", "C"),
        (".NET", "NET"),
        ("AB-12/34-C", "AB-12/43-C"),
        ("ERR_TIMEOUT_42", "ERR_TIMEOUT_24"),
        ("E-404", "E-404B"),
        ("10.0.0.7", "10.0.0.70"),
        ("V1.2", "V12"),
        ("00042", "42"),
        ("max_tokens", "max"),
    ],
)
def test_a_code_is_one_token_that_no_other_code_has(code: str, other: str) -> None:
    (asked,) = (each for each in query_terms(f"what is {code}?") if each.role is Role.ASKED)
    for text in (code, f"({code})", f"用{code}，好", f"See {code.lower()}: it is new."):
        assert asked.readings[0] in segment(text), text
    assert not set(asked.readings) & set(segment(f"See {other}: it is new."))


def test_a_code_is_stored_beside_its_parts_and_found_without_its_hyphens() -> None:
    assert {"bx", "059", "bx059"} <= set(segment("BX-059"))
    assert segment("BX-059", with_codes=False) == ["bx", "059"]
    assert "bx059" in term("BX\u2011059", "bx-059").readings
    assert set(term("9:00?", "9:00").readings) <= set(segment("Mon 9:00-18:00"))


@pytest.mark.parametrize(
    ("written", "kind"),
    [
        ("e149", Kind.CODE),
        ("bx-059", Kind.CODE),
        ("00042", Kind.CODE),
        ("10.0.0.7", Kind.CODE),
        ("c#", Kind.CODE),
        ("retry_limit", Kind.CODE),
        ("2013", Kind.NUMBER),
        ("3.2", Kind.NUMBER),
        ("19th", Kind.NUMBER),
        ("4-star", Kind.NUMBER),
        ("f1", Kind.NUMBER),
        ("lamp", Kind.WORD),
    ],
)
def test_a_code_names_one_thing_and_a_number_does_not(written: str, kind: Kind) -> None:
    assert term(f"about {written}", written).kind is kind


@pytest.mark.parametrize(
    ("question", "acronyms"),
    [
        ("What does the WHO limit?", ["who"]),
        ("Parcels to the US", ["us"]),
        ("Parcels to the U.S.?", ["us"]),
        ("IT部门的电话", ["it"]),
        ("who is the IT lead?", ["it"]),
        ("IT", ["it"]),
        ("can it help us", []),
        ("WHO IS THE LEAD?", []),
        ("The FDA limits noise", []),
    ],
)
def test_stop_words_in_capitals_are_acronyms(question: str, acronyms: list[str]) -> None:
    found = [each.readings[0] for each in query_terms(question) if each.kind is Kind.ACRONYM]
    assert [token[:-1] for token in found] == acronyms
    assert set(found) <= set(segment("| WHO | IT | US |"))
    assert not set(found) & set(segment("Who is it? Tell us! WHO ARE WE?"))


def test_a_question_in_traditional_chinese_has_words_of_the_form_too() -> None:
    frames = {
        each.readings[0]
        for each in query_terms("這個設定的解釋是什麼？請說明張偉的分機號是多少")
        if each.role is Role.FRAME
    }
    assert {"解释", "说明", "分机"} <= frames
    assert "张伟" not in frames
    assert not {"这", "什么", "的"} & set(tokens("這個設定的解釋是什麼？"))


def test_words_of_the_form_of_a_question_are_no_words_of_its_answer() -> None:
    def frames(question: str) -> set[str]:
        return {each.readings[0] for each in query_terms(question) if each.role is Role.FRAME}

    assert frames("Which version added the theme?") == {"version"}
    assert frames("What kind of lamp is it?") == {"kind", "lamp"}
    assert frames("Where do I pick up order 40021?") == {"order"}
    assert frames("E184是什么意思？") == {"意思"}
    assert "版本" in frames("哪个版本增加了主题？")
    assert frames("张伟的分机号是多少？") == {"分机", "分机号", "机号"}


def test_names_are_phrases_of_the_question_alone() -> None:
    def phrases(question: str, conversation: str = "") -> list[str]:
        found = query_terms(question, conversation)
        return [each.readings[0] for each in found if each.kind is Kind.PHRASE]

    assert phrases("What is the extension of Elena Moser?") == ["elena moser"]
    assert phrases("Call her", "Elena Moser") == ["call her"]


def test_the_story_is_searched_after_the_question_and_before_the_conversation() -> None:
    found = query_terms("Can I return it?", "We sell chairs.", "I bought a lamp.")
    roles = [(each.readings[0], each.role) for each in found if each.kind is Kind.WORD]
    assert roles[0] == ("return", Role.ASKED)
    assert [name for name, role in roles if role is Role.STORY] == ["lamp", "bought"]
    assert [name for name, role in roles if role is Role.SAID] == ["chairs", "sell"]


def test_a_name_that_is_also_a_word_of_the_form_is_asked_for() -> None:
    found = {each.readings[0]: each.role for each in query_terms("The number of Omar Said?")}
    assert (found["said"], found["omar said"]) == (Role.ASKED, Role.ASKED)
    assert term("Who said so of Omar?", "said").role is Role.FRAME
    assert term("Said Omar so?", "said").role is Role.FRAME, "a question begins with a capital"


def test_letters_that_nobody_sees_part_no_token() -> None:
    hidden = "Kündi\u00adgungs\u00adfrist QX\u200b7712 \u2ecb辆"
    assert segment(hidden) == segment("Kündigungsfrist QX7712 车辆")
    assert query_terms(hidden) == query_terms("Kündigungsfrist QX7712 车辆")
