"""The keys that rows and turns may have, and what each means.

One list for all formats: a key that means something is used or refused, whatever format its row
has; every other key is metadata. Knows names of keys; does not know how a row is read.
"""

from collections.abc import Mapping

from adapters.data.rows import Role

# A text under any of these is the question, the material it is about, or the answer: datasets mix
# the names of Alpaca, Dolly, TRL, ms-swift and OpenOrca freely.
QUESTIONS = ("instruction", "prompt", "query", "question")
MATERIALS = ("input", "context")
ANSWERS = ("output", "response", "completion", "answer")
SYSTEMS = ("system", "system_prompt")
TURNS = ("messages", "conversations")
CHOSEN, REJECTED = "chosen", "rejected"
OPENAI_PAIR = ("preferred_output", "non_preferred_output")  # beside `input`: {"messages": […]}

# Marks that an answer is not learned: of OpenAI, of ms-swift, of axolotl.
MARKS = ("weight", "loss", "train")

ROLES: Mapping[str, Role] = {
    "system": "system",
    "developer": "system",
    "user": "user",
    "human": "user",
    "assistant": "assistant",
    "gpt": "assistant",
}
ROLE_KEYS, CONTENT_KEYS = ("role", "from"), ("content", "value")

# What an adapter cannot be taught here: left out, the row would teach something else.
_NOT_TEXT = frozenset(
    {
        *("tools", "functions", "tool_calls", "tool_call_id", "tool_choice", "function_call"),
        *("reasoning_content", "reasoning", "thinking"),
        *("images", "image", "videos", "video", "audios", "audio"),
    }
)
UNUSABLE_IN_TURNS = _NOT_TEXT | {"refusal"}
UNUSABLE_IN_ROWS = _NOT_TEXT | {"rejected_response", "rejected_messages"}
IDLE_IN_TURNS = frozenset({"id", "index", "timestamp", "date", "created_at", "end_turn"})

TEXTS = frozenset({*QUESTIONS, *MATERIALS, *ANSWERS, *SYSTEMS, "history"})
"""Keys whose texts belong to the conversation."""

MEANINGFUL = (
    TEXTS
    | UNUSABLE_IN_ROWS
    | {*TURNS, *MARKS, *OPENAI_PAIR, CHOSEN, REJECTED}
    | {"meta", "label", "kto_tag"}
)
"""Every key of a row that is not plain metadata."""

# Columns of spreadsheets as people name them.
COLUMNS: Mapping[str, str] = {
    "指令": "instruction",
    "问题": "question",
    "提问": "question",
    "问": "question",
    "输入": "input",
    "上下文": "context",
    "答案": "answer",
    "回答": "answer",
    "回复": "answer",
    "答": "answer",
    "输出": "output",
    "系统": "system",
    "系统提示": "system",
    "历史": "history",
    "来源": "source",
    "场景": "scenario",
    "日期": "date",
    "业务线": "business_line",
    "编号": "id",
}


def known_name(column: str) -> str:
    """Return the key that a column's name stands for: `Instruction ` and `指令` are known."""
    name = column.strip()
    folded = name.casefold()
    if folded in COLUMNS:
        return COLUMNS[folded]
    return folded if folded in MEANINGFUL else name
