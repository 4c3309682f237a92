"""Documents name only files, commands and headings that exist."""

from __future__ import annotations

import re
import shlex
import tomllib
from pathlib import Path

import pytest

from core.validation import decode
from tui_meta.app.preferences import Preferences
from tui_meta.cli.definitions.command_line import app
from tui_meta.views.keys.keymap import check_keymap

ROOT = Path(__file__).resolve().parents[1]
DOCUMENTS = [
    ROOT / name
    for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "benchmarks/RESULTS.md")
] + sorted((ROOT / "docs").glob("*.md"))
FOLDERS = ("benchmarks", "checkpoints", "core", "docs", "scripts", "tests", "tui_meta")

documents = pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.stem)


def anchors(document: Path) -> set[str]:
    """Return the anchors that a Markdown viewer makes of the headings in ``document``."""
    headings = re.findall(r"^#+ (.*)$", document.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@documents
def test_links_lead_to_files_and_headings(document: Path) -> None:
    for target in re.findall(r"\]\(([^)]+)\)", document.read_text()):
        if target.startswith("https://"):
            continue
        path, _, anchor = target.partition("#")
        linked = (document.parent / path).resolve() if path else document
        assert linked.exists(), target
        assert not anchor or anchor in anchors(linked), target


@documents
def test_paths_in_code_spans_exist(document: Path) -> None:
    spans = re.findall(r"`([\w./-]+)`", document.read_text())
    paths = [span for span in spans if span.partition("/")[0] in FOLDERS and "/" in span]
    missing = [path for path in paths if not (ROOT / path).exists()]
    # `benchmarks/.venv` is created on use; runs such as `checkpoints/fomaml-mine` are examples.
    assert not [
        path for path in missing if not path.startswith(("checkpoints/", "benchmarks/.venv"))
    ]


@documents
def test_make_targets_exist(document: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"`make ([a-z-]+)`", document.read_text())) <= targets


@documents
def test_command_lines_are_valid(document: Path) -> None:
    blocks = re.findall(r"^```sh$(.*?)^```$", document.read_text(), re.MULTILINE | re.DOTALL)
    for line in "".join(blocks).splitlines():
        name, *tokens = shlex.split(line.partition(" > ")[0], comments=True) or [""]
        if name == "tui-meta" and "--help" not in tokens:
            app.parse_args(tokens, print_error=False, exit_on_error=False)


def test_the_checkpoint_example_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    example = (ROOT / "docs" / "files.md").read_text().split("```python\n")[1].split("```")[0]
    exec(example, {})


def test_the_layout_names_every_package() -> None:
    layout = (ROOT / "docs" / "architecture.md").read_text().partition("## Where to change what")[0]
    for package in ("core", "tui_meta"):
        for path in (ROOT / package).glob("*/__init__.py"):
            assert f"`{path.parent.name}/" in layout


def test_the_preferences_example_is_valid() -> None:
    text = (ROOT / "docs" / "getting-started.md").read_text()
    example = text.partition("## Your preferences")[2].split("```")[1]
    preferences = decode(Preferences, tomllib.loads(example.removeprefix("toml")), "")
    check_keymap(preferences.keys)
    assert preferences.theme == "colour-blind"
