"""Lists of short facts: a chunk of many entries is near no question, its words and codes are."""

from dataclasses import dataclass

import pytest

from knowledge import Knowledge
from tests.knowledge.conftest import TENANT

ADJECTIVES = "dark weekly offline voice manual shared hidden spoken yearly global".split()
NOUNS = "theme digest mode notes export calendar report filter badge archive".split()
FIRST = "Anna Ben Carla David Elena Farid Greta Hugo Ines Jonas".split()
LAST = "Abel Berger Costa Dvorak Engel Fischer Garcia Hansen Ivanov Jensen".split()
ZH_FRONT = "深色 每周 离线 语音 手动 共享 隐藏 年度 全局 夜间".split()
ZH_BACK = "主题 摘要 模式 备忘 导出 日历 报表 筛选 工牌 存档".split()
SURNAMES, GIVEN = "张王李赵刘陈杨黄周吴", "伟 芳 娜 敏 静 丽 强 磊 建国 秀英".split()
ASKED = 15
ENOUGH = 14  # of 15: what the lists must reach
FOREIGN = [
    "Who won the football world cup in 1998?",
    "What is the boiling point of ethanol?",
    "How do I renew my passport?",
    "When did the Roman Empire fall?",
    "Which galaxy is nearest to the 3 stars of 2013?",
    "Is there a hotel with free parking near the museum?",
    "火星探测器何时着陆？",
    "谁赢得了1998年世界杯？",
    "唐朝的首都在哪里？",
    "水稻需要多少天成熟？",
]


@dataclass(frozen=True)
class Facts:
    """A list: its entries, and a question for each with `{}` for what it names."""

    heading: str
    entries: list[tuple[str, str]]
    line: str
    ask: str

    def text(self) -> str:
        lines = [self.line.format(name, value) for name, value in self.entries]
        return "\n".join([f"# {self.heading}\n", *lines])


def facts(kind: str, count: int) -> Facts:
    """Return a list of `count` entries of one kind."""
    places = [(at % 10, (at // 10 + at) % 10) for at in range(count)]
    named = [f"{ADJECTIVES[i]} {NOUNS[j]}" for i, j in places]
    zh_named = [ZH_FRONT[i] + ZH_BACK[j] for i, j in places]
    people = [f"{FIRST[i]} {LAST[j]}" for i, j in places]
    zh_people = [SURNAMES[i] + GIVEN[j] for i, j in places]
    codes = [f"E{100 + 7 * at}" for at in range(count)]
    versions = [f"{2 + at // 12}.{1 + at % 12}" for at in range(count)]
    lines = [f"{1200 + 13 * at}" for at in range(count)]
    pump, zh_pump = (f"{name} unit" for name in named), (f"{name}部件" for name in zh_named)
    table = {
        "changelog": (named, versions, "- {1}: added {0}", "Which version added the {}?"),
        "errors": (codes, pump, "{}: the {} does not answer.", "What does error {} mean?"),
        "glossary": (named, lines, "{}: see shelf {}.", "What is the meaning of {}?"),
        "phones": (people, lines, "{} {}", "What is the extension of {}?"),
        "zh changelog": (zh_named, versions, "- {1}：增加{0}", "哪个版本增加了{}？"),
        "zh errors": (codes, zh_pump, "{}：{}无响应。", "{}是什么意思？"),
        "zh glossary": (zh_named, lines, "{}：见{}号架。", "{}指的是什么？"),
        "zh phones": (zh_people, lines, "{} {}", "{}的分机号是多少？"),
    }
    names, values, line, ask = table[kind]
    pairs = list(zip(names, values, strict=True))
    return Facts("名单" if kind.startswith("zh") else "List", pairs, line, ask)


KINDS = ["changelog", "errors", "glossary", "phones"]
KINDS += [f"zh {kind}" for kind in KINDS]


def fill(knowledge: Knowledge, kind: str, count: int, suffix: str) -> Facts:
    listed = facts(kind, count)
    name = f"list.{suffix}"
    knowledge.create_base("list", base_id="list", tenant=TENANT)
    knowledge.ingest("list", name, name, listed.text().encode(), tenant=TENANT)
    return listed


@pytest.mark.parametrize("count", [20, 80])
@pytest.mark.parametrize("suffix", ["md", "txt"])
@pytest.mark.parametrize("kind", KINDS)
def test_an_entry_is_found_and_relevant(
    knowledge: Knowledge, kind: str, suffix: str, count: int
) -> None:
    listed = fill(knowledge, kind, count, suffix)
    found = 0
    for name, value in listed.entries[:: count // ASKED][:ASKED]:
        question = listed.ask.format(name)
        answer = knowledge.retrieve(question, base_ids=["list"], top_k=3, tenant=TENANT)
        entry = listed.line.format(name, value)
        found += any(entry in passage.text and passage.is_relevant for passage in answer.passages)
    assert found >= ENOUGH


@pytest.mark.parametrize("kind", KINDS)
def test_questions_about_something_else_are_not_answered_by_a_list(
    knowledge: Knowledge, kind: str
) -> None:
    fill(knowledge, kind, 80, "md")
    answered = [
        question
        for question in FOREIGN
        if knowledge.retrieve(question, base_ids=["list"], tenant=TENANT).relevant_passages
    ]
    assert answered == []


def test_a_code_that_is_not_listed_is_not_answered_by_its_neighbours(knowledge: Knowledge) -> None:
    fill(knowledge, "errors", 20, "md")
    ask = "What does error {} mean?"
    for code, known in (("E107", True), ("E108", False), ("E10", False), ("E1070", False)):
        found = knowledge.retrieve(ask.format(code), base_ids=["list"], tenant=TENANT)
        assert bool(found.relevant_passages) is known, code


@pytest.mark.parametrize("code", ["AB-12/34-D", "XK-9000", "XK9000"])
def test_the_one_passage_that_holds_a_code_is_before_many_about_the_subject(
    knowledge: Knowledge, code: str
) -> None:
    lines = [f"The price of shelf model {1000 + at} is {at} euros." for at in range(400)]
    parts = "Spare parts: AB-12/34-C is the pump, AB-12/34-D the hose, XK-9000 the coil, each 12."
    knowledge.create_base("shop", base_id="shop", tenant=TENANT)
    for name, text in {"prices": "\n".join(lines), "parts": parts}.items():
        knowledge.ingest("shop", name, f"{name}.txt", text.encode(), tenant=TENANT)
    found = knowledge.retrieve(f"price of {code}", base_ids=["shop"], top_k=3, tenant=TENANT)
    assert found.passages[0].external_id == "parts"
    assert found.passages[0].is_relevant
