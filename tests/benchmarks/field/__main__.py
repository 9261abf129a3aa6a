"""`python -m tests.benchmarks.field`."""

import sys

from tests.benchmarks.field import main

sys.exit(main())
