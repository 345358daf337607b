"""Run the benchmarks as ``python -m benchmarks``."""

import sys

from benchmarks.run import main

sys.exit(main())
