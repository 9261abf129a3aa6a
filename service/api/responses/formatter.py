"""An answer in the shape of OpenAI's responses, whole and event by event.

It knows shapes and the order of events; `CompletionFormatter` knows names, sources and counts.
"""

import time
from collections.abc import Iterator, Sequence

from service.api.http.streams import sse
from service.api.openai import CompletionFormatter
from service.api.responses.conversation import response_format_of
from service.api.schemas.openai import CompletionReply
from service.api.schemas.responses import (
    AnnotationEvent,
    IncompleteDetails,
    InputTokensDetails,
    ItemEvent,
    ItemStatus,
    OutputMessage,
    OutputPart,
    OutputRefusal,
    OutputText,
    OutputTokensDetails,
    PartEvent,
    ResponseCitation,
    ResponseEvent,
    ResponseReply,
    ResponseRequest,
    ResponseUsage,
    StreamErrorEvent,
    TextDoneEvent,
    TextFormat,
)
from service.api.schemas.shapes import JsonObject, Reply
from service.api.sources import LinkOf
from service.chat.events import Answer, DecisionEvent, DeltaEvent


class ResponseFormatter:
    """Writes answers to one request."""

    def __init__(self, body: ResponseRequest, base_model: str, link: LinkOf) -> None:
        self._body = body
        self._completions = CompletionFormatter(body.model, base_model, link=link, asks_json=False)
        self._created = int(time.time())
        self.wants_json = response_format_of(body) is not None

    def begun(self, decided: DecisionEvent) -> ResponseReply:
        """Return the response before it says anything."""
        return self._reply(
            decided,
            status="in_progress",
            model=self._completions.opening(decided).model,
            output=[],
        )

    def whole(self, done: Answer) -> ResponseReply:
        """Return the whole response."""
        said = self._completions.completion(done)
        return self._reply(
            done.decided,
            status=_status(done),
            incomplete_details=IncompleteDetails() if is_cut_off(done) else None,
            model=said.model,
            output=[self.message(done.decided, _status(done), [self.part(done)])],
            usage=_usage(said),
            sources=said.sources,
            route=said.route,
        )

    def message(
        self, decided: DecisionEvent, status: ItemStatus, parts: Sequence[OutputPart]
    ) -> OutputMessage:
        """Return the message of the response."""
        return OutputMessage(id=message_id(decided), status=status, content=list(parts))

    def part(self, done: Answer) -> OutputPart:
        """Return what the answer says: text, or a refusal in place of the JSON asked for."""
        if self.refuses(done):
            return OutputRefusal(refusal=done.text)
        annotations = self._completions.completion(done).choices[0].message.annotations
        cited = [ResponseCitation(**dict(one.url_citation)) for one in annotations]
        return OutputText(text=done.text, annotations=cited)

    def refuses(self, done: Answer) -> bool:
        """Return whether the answer abstains from the JSON that was asked for."""
        return self.wants_json and done.outcome == "abstained"

    def _reply(self, decided: DecisionEvent, **fields: object) -> ResponseReply:
        body = self._body
        form = body.text.format if body.text is not None else None
        return ResponseReply.model_validate(
            {
                "id": f"resp_{decided.request_id}",
                "created_at": self._created,
                "instructions": body.instructions,
                "metadata": body.metadata or {},
                "temperature": body.temperature,
                "top_p": body.top_p,
                "max_output_tokens": body.max_output_tokens,
                "text": TextFormat(format=form or {"type": "text"}),
                **fields,
            }
        )


class EventWriter:
    """Writes the events of one response, numbered from 0."""

    def __init__(self, first: DecisionEvent, formatter: ResponseFormatter) -> None:
        self._first = first
        self._formatter = formatter
        self._number = -1
        self._kind = ""  # of the content part; empty until it is begun
        self._place: JsonObject = {
            "output_index": 0,
            "content_index": 0,
            "item_id": message_id(first),
        }

    def opening(self) -> Iterator[bytes]:
        """Yield the events before the first piece of text."""
        begun = self._formatter.begun(self._first)
        for name in ("response.created", "response.in_progress"):
            yield self._event(ResponseEvent, name, response=begun)
        item = self._formatter.message(self._first, "in_progress", [])
        yield self._event(ItemEvent, "response.output_item.added", output_index=0, item=item)

    def piece(self, event: DeltaEvent) -> Iterator[bytes]:
        """Yield the events of a piece of text, or of the refusal in place of JSON."""
        if not self._kind:
            refuses = self._formatter.wants_json and event.is_refusal
            yield from self._begin("refusal" if refuses else "output_text")
        yield self._delta(event.text)

    def ending(self, done: Answer) -> Iterator[bytes]:
        """Yield the events after the last piece."""
        if not self._kind:
            yield from self._begin("refusal" if self._formatter.refuses(done) else "output_text")
        whole = self._formatter.whole(done)
        part = whole.output[0].content[0]
        yield self._done(part)
        if isinstance(part, OutputText):
            name = "response.output_text.annotation.added"
            for number, cited in enumerate(part.annotations):
                added: JsonObject = {**self._place, "annotation_index": number}
                yield self._event(AnnotationEvent, name, annotation=cited, **added)
        yield self._event(PartEvent, "response.content_part.done", part=part, **self._place)
        item = whole.output[0]
        yield self._event(ItemEvent, "response.output_item.done", output_index=0, item=item)
        end = "response.incomplete" if is_cut_off(done) else "response.completed"
        yield self._event(ResponseEvent, end, response=whole)

    def failure(self, problem: JsonObject) -> bytes:
        """Return the last event of a stream that broke off."""
        error = problem["error"]
        assert isinstance(error, dict)
        told = {key: error[key] for key in ("code", "message", "param")}
        return self._event(StreamErrorEvent, "error", error=error, **told)

    def _begin(self, kind: str) -> Iterator[bytes]:
        self._kind = kind
        part = OutputText(text="") if kind == "output_text" else OutputRefusal(refusal="")
        yield self._event(PartEvent, "response.content_part.added", part=part, **self._place)

    def _delta(self, text: str) -> bytes:
        name = f"response.{self._kind}.delta"
        extra: JsonObject = {"logprobs": []} if self._kind == "output_text" else {}
        # `TextDeltaEvent`, without building one a piece
        return sse({**self._numbered(name), **self._place, "delta": text, **extra}, name)

    def _done(self, part: OutputPart) -> bytes:
        if isinstance(part, OutputText):
            text: JsonObject = {"text": part.text, "logprobs": []}
        else:
            text = {"refusal": part.refusal}
        return self._event(TextDoneEvent, f"response.{part.type}.done", **self._place, **text)

    def _event(self, kind: type[Reply], name: str, **fields: object) -> bytes:
        made = kind.model_validate({**self._numbered(name), **fields})
        given = made.model_fields_set
        return sse(made.model_dump(mode="json", include=set(given)), name)

    def _numbered(self, name: str) -> JsonObject:
        self._number += 1
        return {"type": name, "sequence_number": self._number}


def message_id(decided: DecisionEvent) -> str:
    """Return the id of a response's only message."""
    return f"msg_{decided.request_id}"


def is_cut_off(done: Answer) -> bool:
    """Return whether `max_output_tokens` ended the answer."""
    return done.finish_reason == "length"


def _status(done: Answer) -> ItemStatus:
    return "incomplete" if is_cut_off(done) else "completed"


def _usage(said: CompletionReply) -> ResponseUsage:
    counted = said.usage
    return ResponseUsage(
        input_tokens=counted.prompt_tokens,
        input_tokens_details=InputTokensDetails(
            cached_tokens=counted.prompt_tokens_details.cached_tokens
        ),
        output_tokens=counted.completion_tokens,
        output_tokens_details=OutputTokensDetails(),
        total_tokens=counted.total_tokens,
    )
