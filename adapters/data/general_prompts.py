"""General prompts in English and Chinese, own words, plain and with passages.

The base model's answers to them are replayed while an adapter is trained, against forgetting, and
they show whether an imported adapter has an effect. Knows texts and turns; knows no model. None of
them is an item of the guard set.
"""

from collections.abc import Sequence
from itertools import chain, zip_longest

from adapters.data.passage_marks import PASSAGE_MARKS, PASSAGES_ARE_DATA
from adapters.data.rows import Message

PROMPTS = (
    "Hello! How are you today?",
    "What can you help me with?",
    "Explain in two sentences what a database index is for.",
    "Write a polite e-mail that moves a meeting to Thursday.",
    "Give three tips for sleeping better.",
    "What is the difference between weather and climate?",
    "Summarise the idea of supply and demand for a child.",
    "Translate into German: The train leaves at nine.",
    "Name three animals that live in the desert.",
    "Write a Python function that reverses a string.",
    "How do I boil an egg so that the yolk stays soft?",
    "What does the word 'reluctant' mean? Use it in a sentence.",
    "A shop sells pens at 3 for 2 euros. What do 12 pens cost?",
    "Write a four-line poem about the sea.",
    "Which planet is the largest in our solar system?",
    "List the steps to change the tyre of a bicycle.",
    "What should I check before I sign a rental contract?",
    "Rewrite more politely: Send me the file now.",
    "Tell me a short joke about computers.",
    "Who are you?",
    "What is photosynthesis?",
    "Give me a packing list for two rainy days in the mountains.",
    "Is the following sentence correct? 'He go to school every day.'",
    "Write a headline for an article about city gardens.",
    "Explain the rule of three in arithmetic with an example.",
    "What are the advantages and drawbacks of working from home?",
    "Sort these numbers from small to large: 14, 3, 27, 9.",
    "Describe the taste of a ripe mango to somebody who never ate one.",
    "I feel nervous about a job interview. What can I do?",
    "Write the numbers from one to five in French.",
    "请用两句话介绍一下你自己。",
    "写一封简短的邮件，感谢同事的帮助。",
    "解释一下什么是通货膨胀。",
    "把这句话翻译成英文：明天下午三点开会。",
    "给出三条节约用水的建议。",
    "一个长方形长8米、宽5米，面积是多少？",
    "推荐一个适合周末的短途活动，并说明理由。",
    "用一句话说明人工智能和机器学习的关系。",
)


_CITE = "Answer with the passages and name those you use by number, such as [2]."
_CITE_ZH = "请用资料作答，并写出所用资料的编号，例如[2]。"
_ONLY = "Use nothing but the passages. Where they do not tell, say that you do not know."
_ONLY_ZH = "只能使用资料里的内容；资料里没有说的，就说不知道。"

WITH_PASSAGES = (
    (_CITE, ("The pool is closed on Mondays.", "A swim costs four euros."), "What costs a swim?"),
    (_ONLY, ("The hotel has two lifts.", "Breakfast is at eight."), "Is there a sauna?"),
    (_CITE_ZH, ("药店晚上九点关门。", "药店在二楼。"), "药店在几楼？"),
    (_CITE, ("The report is due in June.", "Ada writes the report."), "When is the report due?"),
    (_ONLY_ZH, ("体育馆有六个羽毛球场。", "场地需要提前预订。"), "体育馆是谁设计的？"),
    (_CITE, ("The kiln reaches 1,200 degrees.", "It cools for a day."), "How hot is the kiln?"),
    (_ONLY, ("The train has a dining car.", "It stops in Graz."), "Who drives the train?"),
    (_CITE_ZH, ("快递柜可以保管三天。", "取件码会用短信发送。"), "快递柜可以保管多久？"),
    (_CITE, ("The garden is free.", "Dogs are kept on a lead."), "Must dogs be on a lead?"),
    (_ONLY, ("The phone weighs 180 grams.", "It comes in blue."), "How long does it charge?"),
    (_CITE_ZH, ("食堂周末不开。", "午餐有三种套餐。"), "食堂周末开吗？"),
    (_CITE, ("Tickets are sold at gate 3.", "Gate 5 is for guests."), "Where are tickets sold?"),
    (_ONLY_ZH, ("这款相机防水。", "相机附带一条肩带。"), "这款相机多少钱？"),
    (_CITE, ("The lecture is in room 12.", "It lasts two hours."), "How long is the lecture?"),
    (_CITE_ZH, ("打印机在走廊尽头。", "打印纸由前台发放。"), "打印纸在哪里领？"),
    (_ONLY, ("The museum shows glass.", "Its café is upstairs."), "When was the museum opened?"),
)
"""Instructions, passages, question. The other prompts alone let the habit of citing go: 6 of 20
guard items by the base, 2 after 300 rows of another task, 1 with replay of those."""


def general_prompts() -> list[list[dict[str, str]]]:
    """Return prompts as chat turns, both kinds alternating: the first few hold some of each."""
    plain = [[Message("user", prompt)] for prompt in PROMPTS]
    shown = [_lay_out(*prompt) for prompt in WITH_PASSAGES]
    by_turns = chain.from_iterable(zip_longest(shown, plain))
    return [[message.as_dict() for message in turns] for turns in by_turns if turns]


def _lay_out(instructions: str, passages: Sequence[str], question: str) -> list[Message]:
    """Return the turns as the service sends them; its tests compare both."""
    opening, closing = PASSAGE_MARKS
    is_data = PASSAGES_ARE_DATA["en" if instructions.isascii() else "zh"]
    lines = [f"[{place}] doc_{place}.md: {text}" for place, text in enumerate(passages, start=1)]
    block = "\n".join([opening, *lines, closing])
    return [
        Message("system", f"{instructions}\n{is_data}"),
        Message("user", f"{block}\n\nQuestion: {question}"),
    ]
