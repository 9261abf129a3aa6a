"""`python -m service.worker`: the worker process of a home."""

import logging
import signal
import threading
import time

from knowledge import Knowledge, ReconcileReport
from service.context import open_context
from service.errors import InvalidSettings
from service.settings import load_settings
from service.worker.lanes import build_worker

log = logging.getLogger(__name__)

NOTHING_DONE = ReconcileReport()
RECONCILE_S = 5.0  # how long after Chroma is back its index is repaired


def main() -> None:
    """Work until SIGTERM or SIGINT."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)
    settings = load_settings()
    ports = settings.paths.read_ports()
    if ports is None:
        raise InvalidSettings(
            f"{settings.paths.ports_file} is missing; `fingerpost up` starts the worker."
        )
    context = open_context(settings, ports)
    worker = build_worker(context)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: worker.stop())
    threading.Thread(target=keep_reconciled, args=(context.knowledge,), daemon=True).start()
    worker.run()


def keep_reconciled(knowledge: Knowledge) -> None:
    """Make the vector index agree with the database: all of it at start, then what was missed."""
    reconciled = False
    while True:
        try:
            report = knowledge.catch_up() if reconciled else knowledge.reconcile_all()
            reconciled = reconciled or report.available
            if report != NOTHING_DONE and report.available:
                log.info("index reconciled: %s", report)
        except Exception:
            log.exception("reconciling the index failed; retrying")
        time.sleep(RECONCILE_S)


if __name__ == "__main__":
    main()
