"""The figures of `fingerpost kb eval` as a table."""

from rich.console import Console

from service.cli.kb.evaluation.measuring import METRICS, Figures


def print_figures(out: Console, figures: Figures, chunks: int) -> None:
    """Print a column for each retriever, then latency, the flagged shares and the threshold."""
    width = max(len(name) for name in METRICS)
    columns = {name: found for name, found in figures.by_retriever.items() if found}
    out.print(f"{'':{width}}" + "".join(f"{name:>26}" for name in columns))
    for metric in METRICS:
        cells = (found[metric] for found in columns.values())
        shown = "".join(f"{c.value:>10.3f} [{c.low:.3f}, {c.high:.3f}]" for c in cells)
        out.print(f"{metric:{width}}{shown}", markup=False)
    out.print(f"{figures.queries} questions, {chunks} chunks")
    out.print(f"latency p50 {figures.latency_p50_ms:.1f} ms, p99 {figures.latency_p99_ms:.1f} ms")
    for name, share in figures.flagged.items():
        out.print(f"{name}: {'-' if share is None else f'{share.value:.3f}'}")
    out.print(figures.threshold.toml or figures.threshold.why_not, markup=False)
