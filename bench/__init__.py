"""What the software is worth on this machine: accuracy, speed, memory and replay, measured beside plain OCR.

``python -m bench`` (``make bench``) is the door; ``docs/benchmarks.md`` says what each figure means.
"""
