"""`python -m adapters DIRECTORY` prepares the embedded base model and embedder there."""

import sys

from adapters.base_models import main

sys.exit(main(sys.argv[1:]))
