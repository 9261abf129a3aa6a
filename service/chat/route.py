"""First half of the line: what is known about a question, and which strategy that leads to."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from anyio import to_thread

from router import (
    Classifier,
    Decision,
    NoSource,
    Policy,
    Signals,
    Strategy,
    decide,
    read_signals,
    with_kind,
)
from service.chat.question import Question
from service.context import AppContext
from service.engine.client import Message
from service.errors import AdapterNotLoaded, StrategyForbidden
from service.routing.facts import Measured, gather_facts
from service.stores.use_cases import UseCase

ADAPTED = frozenset({Strategy.FINE_TUNED, Strategy.HYBRID})
READ_WHOLE_CHARS = 1_000  # about what an embedder reads whole: a long text's end would not count


@dataclass(frozen=True, slots=True)
class Route:
    """What was gathered for a question, and the decision that rests on it."""

    use_case: UseCase
    signals: Signals
    measured: Measured
    policy: Policy
    decision: Decision

    @property
    def wants_rewrite(self) -> bool:
        """Whether the question is to stand alone before it is searched."""
        is_wished = self.use_case.rewrite_follow_ups and self.signals.follow_up
        return is_wished and self.decision.strategy.retrieves


async def choose_route(question: Question, context: AppContext) -> Route:
    """Gather the facts and decide; nothing is retrieved or generated.

    Raises:
        UseCaseNotFound: The named use case does not exist.
        CollectionNotFound: A named knowledge base does not exist.
        StrategyForbidden: A hard rule stands against the asked strategy, or against all.
        AdapterNotLoaded: The asked strategy needs a live adapter that is not loaded yet.
    """
    use_case = await _use_case_of(question, context)
    measured = await context.measured(use_case, tenant=question.tenant)
    measured.require_bases(question.knowledge_bases or ())
    signals = read_question(question.turns, context.classifier, has_result=question.has_result)
    if use_case.knowledge_bases:
        signals = await _read_kind(signals, question.turns, context)
    facts = gather_facts(
        use_case,
        signals,
        measured,
        question.requirements,
        engine_is_local=context.settings.engine.runs_locally,
    )
    policy = await context.policy_for(use_case)
    asked = None if signals.helper_prompt else question.strategy  # the base answers it, whatever
    decision = decide(facts, policy, asked=asked)
    if decision.conflict is not None:
        raise _conflict(question, decision, measured)
    return Route(use_case, signals, measured, policy, decision)


def read_question(
    turns: Sequence[Message], classifier: Classifier, *, has_result: bool = False
) -> Signals:
    """Return what a conversation says of its last turn; system turns are read as instructions.

    Args:
        turns: The conversation.
        classifier: Asked for the class of the question.
        has_result: The caller ran a tool for it: the result is a text brought to answer from.
    """
    signals = _read_turns(turns, classifier)
    if not has_result:
        return signals
    return replace(
        signals,
        chitchat=False,
        asks_fact=False,
        needs_no_sources=NoSource.GIVEN_TEXT,
        context_given=True,
    )


def _read_turns(turns: Sequence[Message], classifier: Classifier) -> Signals:
    spoken = [turn for turn in turns[:-1] if turn.role != "system"]
    return read_signals(
        turns[-1].content,
        [turn.content for turn in spoken if turn.role == "user"],
        answered=_is_answered(turns),
        instructions=[turn.content for turn in turns[:-1] if turn.role == "system"],
        classifier=classifier,
    )


async def _read_kind(signals: Signals, turns: Sequence[Message], context: AppContext) -> Signals:
    """Return the signals with the message's kind, read from its vector where the rules are silent.

    The vector costs nothing twice: a search for the same question finds it again.
    """
    text = turns[-1].content
    if context.kinds is None or not signals.is_undecided or len(text) > READ_WHOLE_CHARS:
        return signals
    vector = await to_thread.run_sync(context.knowledge.embedder.embed_query, text)
    return with_kind(signals, context.kinds.guess(vector.tolist(), answered=_is_answered(turns)))


def _is_answered(turns: Sequence[Message]) -> bool:
    """Return whether an answer stands before the last turn."""
    spoken = [turn for turn in turns[:-1] if turn.role != "system"]
    return any(turn.role == "assistant" and turn.content.strip() for turn in spoken[-1:])


def model_for(strategy: Strategy, route: Route, context: AppContext) -> str:
    """Return the model server's name for what answers: the base model or an adapter id.

    Raises:
        AdapterNotLoaded: The adapter is not loaded in the model server yet.
    """
    if strategy not in ADAPTED:
        return context.settings.engine.base_model
    adapter = route.measured.adapter_id
    if adapter is None or not context.engine_status.serves(adapter):
        raise AdapterNotLoaded(f"The adapter {adapter} is not loaded in the model server yet.")
    return adapter


async def _use_case_of(question: Question, context: AppContext) -> UseCase:
    """Return the use case, with what the question overrides."""
    name = question.use_case or context.settings.default_use_case
    use_case = await context.use_case(name, tenant=question.tenant)
    if question.adapter is not None:
        use_case = use_case.model_copy(update={"adapter": question.adapter})
    if question.knowledge_bases is not None:
        use_case = use_case.model_copy(update={"knowledge_bases": question.knowledge_bases})
    allowed = question.allowed_bases
    if allowed is not None:
        bases = tuple(each for each in use_case.knowledge_bases if each in allowed)
        use_case = use_case.model_copy(update={"knowledge_bases": bases})
    return use_case


def _conflict(
    question: Question, decision: Decision, measured: Measured
) -> StrategyForbidden | AdapterNotLoaded:
    rejection = decision.conflict
    assert rejection is not None
    is_loading = measured.adapter_id is not None and not measured.adapter_loaded
    if is_loading and question.strategy in ADAPTED:
        return AdapterNotLoaded(
            f"The adapter {measured.adapter_id} is live but not loaded in the model server yet."
        )
    missing = "; ".join(measured.missing_for(rejection.strategy))
    because = rejection.because.en
    return StrategyForbidden(
        f"Strategy {rejection.strategy} cannot run: rule {rejection.rule} ({because})."
        + (f" Missing: {missing}." if missing else ""),
        param="strategy",
        rule=rejection.rule,
        decision=decision.as_dict(with_leaves=False),
    )
