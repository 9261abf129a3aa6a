"""Front-ends' helper prompts are known by their whole frame, never by a word."""

from __future__ import annotations

import pytest

from router.questions.frames import is_helper_prompt

TURNS = "User: Can I return a lamp?\nAI: Yes, within 30 days."
HISTORY = f"### Chat History:\n<chat_history>\n{TURNS}\n</chat_history>"


def sections(task: str, output: str = '{ "title": "..." }') -> str:
    return f"### Task:\n{task}\n### Guidelines:\n- Be brief.\n### Output:\n{output}\n{HISTORY}"


TITLE = sections("Generate a short title for the chat.")
LIBRECHAT = (
    "Provide a concise, 5-word-or-less title for the conversation, using title case. "
    "Only return the title itself.\n\nConversation:\n"
)

FRAMES = {
    "title": TITLE,
    "tags": sections("Generate broad tags for the chat.", '{ "tags": [] }'),
    "follow-ups": sections("Suggest relevant follow-up questions.", '{ "follow_ups": [] }'),
    "queries": sections("Decide whether search queries are needed.", '{ "queries": [] }'),
    "no output section": TITLE.replace('### Output:\n{ "title": "..." }\n', ""),
    "autocompletion": "### Task:\nYou are an autocompletion system.\n### **Instructions**:\n"
    "1. Read.\n### Context:\n<chat_history>\nx\n</chat_history>\n"
    "<type>search</type>\n<text>how lo</text>\n#### Output:",
    "title in one paragraph": "Create a concise title with an emoji for the chat. RESPOND ONLY "
    f"WITH THE TITLE.\n\nExamples:\nTrends\n<chat_history>\n{TURNS}\n</chat_history>",
    "title before turns": LIBRECHAT + TURNS,
    "language and title": "Analyze this conversation and provide:\n1. The language\n2. A concise "
    f"title\n\n{TURNS}",
    "title behind a conversation": "Please generate a four to five word title summarizing our "
    "conversation without any lead-in, punctuation, or additional text.",
    "topic in Chinese": "使用四到五个字直接返回这句话的简要主题，不要解释、不要标点。",
    "memory": "Summarize the discussion briefly in 200 words or less to use as a prompt for "
    "future context.",
    "name": "Based on the chat history, give this conversation a name.\nKeep it short.\n"
    "Here's the conversation:\n```\nhi\n```\nName this conversation in 10 characters.",
    "emoji": "Your task is to reflect the speaker's likely facial expression through a fitting "
    "emoji. Be diverse.\n\nMessage: ```I won!```",
}


@pytest.mark.parametrize("name", FRAMES)
def test_a_helper_prompt_is_known_by_its_frame(name: str) -> None:
    assert is_helper_prompt(FRAMES[name])
    assert is_helper_prompt(f"\n{FRAMES[name]}\n")


@pytest.mark.parametrize(
    "message",
    [
        "generate a title for my essay",
        "### Task:\nGenerate a title for my essay.\n### Output:\nOne line.",
        f"I copied this from a front-end, what is it for?\n\n{TITLE}",
        f"{TITLE}\nHow long is the warranty?",
        LIBRECHAT,
        "### Task:\nGenerate a title.\n<chat_history>\nhi\n</chat_history>",
        "Provide a short title for the conversation.",
        "Analyze this conversation and provide: a title in my language",
        "suggest three follow-up questions for a job interview",
        "给我的文章起个标题",
        "简要总结一下对话内容",
        "",
    ],
)
def test_a_users_message_is_no_helper_prompt(message: str) -> None:
    assert not is_helper_prompt(message)


def test_the_instruction_may_stand_in_a_system_turn() -> None:
    assert is_helper_prompt(TURNS, [LIBRECHAT])
    assert not is_helper_prompt(TURNS, ["You are a help desk."])
    assert not is_helper_prompt(TURNS)


def test_a_message_too_long_for_a_frame_is_not_read() -> None:
    assert not is_helper_prompt("### Task:\n" + "x" * 300_000)
    assert not is_helper_prompt(TURNS, ["### Task:\n" + "x" * 300_000])


def test_a_frame_that_names_its_product_only_in_the_output_is_one() -> None:
    task = "### Task:\nPredict 3-5 messages that this person might naturally send next.\n"
    rules = "### Guidelines:\n- Write them as the person would.\n- Only JSON.\n"
    output = '### Output:\nJSON: {"follow_ups": ["one", "two"]}\n'
    turns = "### Chat History:\n<chat_history>\nUSER: Hi\nASSISTANT: Hello\n</chat_history>"
    assert is_helper_prompt(task + rules + output + turns)
    assert not is_helper_prompt(task + rules + output.replace("follow_ups", "messages") + turns)
    assert not is_helper_prompt(task + output + "Hi")
