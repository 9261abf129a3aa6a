"""An evaluation for people: bars with intervals as SVG, and a section of the model card.

Knows numbers and how to show them; draws without a library, so that any process may do it.
"""

from collections.abc import Mapping
from pathlib import Path

from adapters.evaluation.result import Evaluation
from adapters.evaluation.statistics import Score

PLOT_FILE = "evaluation.svg"
_BEGIN, _END = "<!-- evaluation -->", "<!-- /evaluation -->"
_NAMES = {"base": "base model", "few_shot": "few-shot", "adapter": "adapter", "live": "live now"}
_COLOURS = {"base": "#8c8c8c", "few_shot": "#c99a3b", "adapter": "#2f6fb0", "live": "#5a9e6f"}
_LEFT, _WIDTH, _ROW = 110, 420, 44  # pixels: names, the length of 1.0, and the height of a bar


def scores_of(found: Evaluation) -> dict[str, Score]:
    """Return the score of every arm that was measured, by its name."""
    arms = {"base": found.base, "few_shot": found.few_shot}
    arms |= {"adapter": found.adapter, "live": found.live}
    return {name: score for name, score in arms.items() if score is not None}


def draw_scores(found: Evaluation) -> str:
    """Return an SVG with one bar for each arm and its 95 % interval as a whisker."""
    arms = scores_of(found)
    height = 62 + _ROW * len(arms)
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_LEFT + _WIDTH + 150}" '
        f'height="{height}" font-family="sans-serif" font-size="13" role="img">',
        f"<title>{_title(found)}</title>",
        '<rect width="100%" height="100%" fill="white"/>',
        f'<text x="12" y="22" font-weight="bold">{_title(found)}</text>',
    ]
    for place, (name, score) in enumerate(arms.items()):
        lines += _draw_bar(name, score, 40 + _ROW * place)
    for tick in range(6):
        x = _LEFT + _WIDTH * tick / 5
        lines.append(
            f'<text x="{x:.0f}" y="{height - 8}" text-anchor="middle" fill="#555">'
            f"{tick / 5:.1f}</text>"
        )
    return "\n".join([*lines, "</svg>", ""])


def write_report(folder: Path, found: Evaluation) -> None:
    """Write the plot, and the evaluation's section into the model card; an older one goes."""
    (folder / PLOT_FILE).write_text(draw_scores(found), encoding="utf-8")
    card = folder / "README.md"
    before = card.read_text(encoding="utf-8") if card.is_file() else f"# {found.adapter_id}\n"
    kept, _, rest = before.partition(_BEGIN)
    tail = rest.partition(_END)[2]
    section = f"{_BEGIN}\n{describe(found)}\n{_END}"
    card.write_text(f"{kept.rstrip()}\n\n{section}\n{tail.lstrip()}", encoding="utf-8")


def describe(found: Evaluation) -> str:
    """Return the evaluation as Markdown."""
    scores = scores_of(found)
    lines = [
        f"## Evaluation: {found.verdict}",
        "",
        *(f"- {reason}" for reason in found.reasons),
        "",
        f"{found.rows} rows, {found.metric}, 95 % intervals by bootstrap; few-shot with "
        f"{found.examples.count} examples. Exact McNemar: {found.mcnemar.adapter_only} rows for "
        f"and {found.mcnemar.base_only} against the adapter, p = {found.mcnemar.p_value:.3g}.",
        "",
        "| | score | interval | tokens/s |",
        "| --- | --- | --- | --- |",
        *(
            f"| {_NAMES[name]} | {score.score:.3f} | {score.low:.3f} to {score.high:.3f} | "
            f"{found.latency[name].tokens_per_s:.0f} |"
            for name, score in scores.items()
        ),
        "",
        f"![scores]({PLOT_FILE})",
        "",
        "| guard category | base | adapter |",
        "| --- | --- | --- |",
        *(
            f"| {name} | {guard.base} of {guard.items} | {guard.adapter} of {guard.items} |"
            for name, guard in found.guards.items()
        ),
    ]
    return "\n".join([*lines, *_seen_lines(found), *_table("beside", found.beside)])


def _seen_lines(found: Evaluation) -> list[str]:
    """Return what is reported apart: answers and slot values that were trained on."""
    lines = []
    if (seen := found.seen_answers) is not None:
        lines.append(
            f"Not judged: on {seen.rows} rows with new questions whose answers were trained on the "
            f"base model reaches {seen.base:.3f}, the adapter {seen.adapter:.3f}."
        )
    for kind, values in found.slot_values.items():
        lines.append(
            f"Slot values {kind} in training: {values.pairs}; found by the base model "
            f"{values.base:.3f}, by the adapter {values.adapter:.3f}."
        )
    return [part for line in lines for part in ("", line)]


def _table(title: str, arms: Mapping[str, Mapping[str, float]]) -> list[str]:
    metrics = list(next(iter(arms.values()), {}))
    if not metrics:
        return []
    return [
        "",
        f"| {title} | {' | '.join(metrics)} |",
        "| --- |" + " --- |" * len(metrics),
        *(
            f"| {_NAMES[arm]} | " + " | ".join(f"{values[m]:.3f}" for m in metrics) + " |"
            for arm, values in arms.items()
        ),
    ]


def _title(found: Evaluation) -> str:
    return f"{found.adapter_id}: {found.metric} on {found.rows} rows, {found.verdict}"


def _draw_bar(name: str, score: Score, top: float) -> list[str]:
    middle = top + 14
    low, high = _LEFT + _WIDTH * score.low, _LEFT + _WIDTH * score.high
    return [
        f'<text x="{_LEFT - 10}" y="{middle + 5}" text-anchor="end">{_NAMES[name]}</text>',
        f'<rect x="{_LEFT}" y="{top}" width="{_WIDTH * score.score:.1f}" height="28" '
        f'fill="{_COLOURS[name]}"/>',
        f'<path d="M{low:.1f} {middle}H{high:.1f}M{low:.1f} {middle - 6}v12'
        f'M{high:.1f} {middle - 6}v12" stroke="black" fill="none"/>',
        f'<text x="{_LEFT + _WIDTH + 12}" y="{middle + 5}">{score.score:.3f} '
        f"[{score.low:.3f}, {score.high:.3f}]</text>",
    ]
