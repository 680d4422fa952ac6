"""Measuring in video: stages and all that they compute with. Plain Python, but for its named boundary modules."""

import os

# Before NumPy is imported anywhere. Stages share out their work over threads; OpenBLAS would add as many of its own,
# which wait for the next product by spinning: a tenth of the processor time of a match went into that.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
