"""The program measured: against its peers, and against what a correct implementation reaches.

``python -m benchmarks`` runs every section and writes ``RESULTS.md`` and ``results.json``.
"""
