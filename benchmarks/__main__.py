"""``python -m benchmarks``: measure every section, print it and save the report."""

from __future__ import annotations

import argparse
import sys
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from benchmarks import environment
from benchmarks.children import killed_at_the_end
from benchmarks.report import (
    Report,
    Section,
    as_json,
    from_json,
    markdown,
    merge_sections,
    section_markdown,
)
from benchmarks.rounds import Effort
from benchmarks.sections.attached import attached
from benchmarks.sections.cluster import cluster
from benchmarks.sections.complete import complete
from benchmarks.sections.few_shot import few_shot
from benchmarks.sections.many_runs import many_runs
from benchmarks.sections.quality import quality
from benchmarks.sections.scaling import scaling
from benchmarks.sections.screens import screens
from benchmarks.sections.second_order import second_order
from benchmarks.sections.slow import slow
from benchmarks.sections.speed import avx2, speed
from benchmarks.sections.start import start
from benchmarks.sections.sweeps import sweeps
from benchmarks.sections.validation import validation
from benchmarks.sections.watching import watching

SECTIONS: dict[str, Callable[[Effort], Section]] = {
    "speed": speed,
    "second-order": second_order,
    "avx2": avx2,
    "scaling": scaling,
    "few-shot": few_shot,
    "validation": validation,
    "sweeps": sweeps,
    "cluster": cluster,
    "start": start,
    "watching": watching,
    "screens": screens,
    "many-runs": many_runs,
    "slow": slow,
    "attached": attached,
    "complete": complete,
    "quality": quality,
}
QUICK = Effort(rounds=2, seconds=0.02, quick=True)
FOLDER = environment.ROOT / "benchmarks"
JSON = "results.json"


def main() -> int:
    """Run the sections; return the exit code, 1 if a section could not be measured."""
    arguments = _parser().parse_args()
    effort = QUICK if arguments.quick else Effort()
    if not environment.install_peers():
        print("some peers will be missing: installing their packages failed", file=sys.stderr)
    facts = environment.facts("python -m benchmarks")
    sections = []
    for name in arguments.only or SECTIONS:
        started = time.monotonic()
        section = _measure(name, effort)
        print(section_markdown(section), end="\n\n", flush=True)
        print(f"{name}: {time.monotonic() - started:.0f} s", file=sys.stderr)
        sections.append(section)
    if not arguments.quick:
        _save(_merged_report(arguments.only, facts, sections))
    return int(any(section.failed for section in sections))


def _measure(name: str, effort: Effort) -> Section:
    """Measure the section ``name``; a failure leaves it without tables and spares the others."""
    try:
        return SECTIONS[name](effort)
    except Exception as error:
        traceback.print_exc()
        return Section(name, [], [f"could not be measured ({type(error).__name__})"], failed=True)


def _merged_report(
    only: Sequence[str] | None, facts: Mapping[str, str], sections: Sequence[Section]
) -> Report:
    """Return a report of ``sections``, merged into the saved one if only some were measured."""
    if not (only and (FOLDER / JSON).exists()):
        return Report(facts, sections)
    command = f"{facts['command'].strip('`')} --only {' '.join(only)}"
    measured = f"measured separately, by `{command}`, {facts['date']}, on {facts['machine']}"
    good = [replace(section, apart=measured) for section in sections if not section.failed]
    return merge_sections(from_json((FOLDER / JSON).read_bytes()), good)


def _save(report: Report) -> None:
    (FOLDER / "RESULTS.md").write_text(markdown(report))
    (FOLDER / JSON).write_bytes(as_json(report))
    print(f"saved {FOLDER / 'RESULTS.md'} and results.json", file=sys.stderr)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "--quick", action="store_true", help="smoke run of a few minutes; saves nothing"
    )
    parser.add_argument(
        "--only",
        nargs="+",
        choices=list(SECTIONS),
        help="measure these sections and keep the others of the saved report",
    )
    return parser


if __name__ == "__main__":
    with killed_at_the_end():
        sys.exit(main())
