"""Benchmarks: speed beside other libraries, cost of the dashboard, and quality of the results.

``python -m benchmarks`` runs every section and writes ``RESULTS.md`` and ``results.json``.
"""
