"""Check the English of code and documents: banned forms, and how docstrings open.

``python scripts/check_words.py [PATH ...]`` lists every line with a form that this project does not
use, and the share of function docstrings that open with a question word. The glossary in
``CONTRIBUTING.md`` has the words to use instead.
"""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]

BANNED = re.compile(
    r"\b(?:"
    r"anew|hence|whoever|nobody|somebody|a person|persons|one who|those who|told|stands"
    r"|(?<!there )(?:is|are|was|were) no (?!longer\b|more\b|such\b)[a-z]+"
    r"|(?:go|goes|going|went|train|trains) on(?! (?:the|a|an|its|all|any|each|every|random|that"
    r"|this|these|sine|one|two|tasks|it)\b)"
    r"|is called so|no-one|thereof|wherein|thereby|afresh"
    r")\b",
    re.IGNORECASE,
)
"""Forms that read as archaic, translated or private."""

QUESTION_WORDS = ("What", "Whether", "How", "Where", "Why", "Who")

LARGEST_SHARE = 0.04
"""Of function docstrings that open with a question word; httpx, optax and Textual have 0 to 3 %."""

CHECKED = ("*.py", "*.md", "*.toml", "*.tcss", "Makefile")
EXEMPT = (
    "scripts/check_words.py",
    "tests/test_words.py",
    "tui_meta/views/keys/keymap.py",
    "checkpoints/",
    "benchmarks/RESULTS.md",
)


def tracked_files(paths: Iterable[str] = ()) -> list[Path]:
    """Return the checked files that git tracks or would add, below ``paths`` if any are given."""
    command = ["git", "ls-files", "-co", "--exclude-standard", "--", *CHECKED]
    names = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    chosen = tuple(str(Path(path)) for path in paths)
    return [
        ROOT / name
        for name in sorted(set(names.splitlines()))
        if not name.startswith(EXEMPT)
        and (not chosen or name.startswith(chosen))
        and (ROOT / name).exists()
    ]


def banned_lines(text: str) -> Iterator[tuple[int, str]]:
    """Yield the number and text of each line of ``text`` with a banned form."""
    for number, line in enumerate(text.splitlines(), 1):
        if BANNED.search(line):
            yield number, line.strip()


def function_docstrings(source: str) -> Iterator[tuple[int, str]]:
    """Yield the line and docstring of each documented function in Python ``source``."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            docstring = ast.get_docstring(node)
            if docstring:
                yield node.lineno, docstring


def opens_with_question(docstring: str) -> bool:
    """Return True if the first word of ``docstring`` is a question word."""
    return docstring.split(maxsplit=1)[0].rstrip(",:") in QUESTION_WORDS


def report(files: Iterable[Path]) -> tuple[list[str], int, int]:
    """Return the complaints, the number of docstrings that open as questions, and of all."""
    complaints, questions, docstrings = [], 0, 0
    for file in files:
        text, name = file.read_text(), file.relative_to(ROOT)
        complaints += [f"{name}:{number}: {line}" for number, line in banned_lines(text)]
        if file.suffix != ".py":
            continue
        for _, docstring in function_docstrings(text):
            docstrings += 1
            questions += opens_with_question(docstring)
    return complaints, questions, docstrings


def main() -> int:
    """Print the report; return 1 if something should be rewritten."""
    complaints, questions, docstrings = report(tracked_files(sys.argv[1:]))
    print("\n".join(complaints))
    share = questions / docstrings if docstrings else 0.0
    print(
        f"{len(complaints)} lines with banned forms; {questions} of {docstrings} docstrings of "
        f"functions ({share:.1%}) open with a question word, at most {LARGEST_SHARE:.0%} may"
    )
    return int(bool(complaints) or share > LARGEST_SHARE)


if __name__ == "__main__":
    sys.exit(main())
