"""A real-time digital human: text or talk in, a speaking anchor out."""

import os

__version__ = "0.1.0"

# Before numpy is loaded: our matrices are small, and threads of BLAS wait for one another longer than they compute.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
