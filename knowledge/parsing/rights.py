"""What a process gives up, for good, before it looks at a file.

It knows the rights and how each is given up; it does not know what is read.
"""

import resource
import time

MEBIBYTE = 1_048_576


def give_up_rights(*, memory_mb: int, seconds: float) -> None:
    """Give up opening files and sockets, writing files, starting processes and threads.

    Args:
        memory_mb: Address space that is left, all libraries included.
        seconds: Processor time that is left.
    """
    bounds = {
        resource.RLIMIT_AS: memory_mb * MEBIBYTE,
        resource.RLIMIT_CPU: int(seconds) + 1,
        resource.RLIMIT_FSIZE: 0,
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_NOFILE: 3,  # stdin, stdout, stderr; nothing else can be opened
        resource.RLIMIT_NPROC: 0,
    }
    for what, bound in bounds.items():
        resource.setrlimit(what, (bound, bound))


def allow_processor_time(seconds: float) -> None:
    """Let the kernel end this process (SIGXCPU) once it computed for so many more seconds."""
    _, most = resource.getrlimit(resource.RLIMIT_CPU)
    wanted = int(time.process_time() + seconds) + 1
    resource.setrlimit(resource.RLIMIT_CPU, (min(wanted, most), most))
