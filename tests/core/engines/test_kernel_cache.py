"""Whatever happens to the files of the cache, the program computes, and says what is not kept."""

# mypy: disable-error-code="no-untyped-call"

from __future__ import annotations

import ast
import os
import resource
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple
from unittest.mock import Mock

import numba
import pytest

from core.algorithms.fomaml import Fomaml
from core.config import RunConfig
from core.engines.fused import engine as engine_module
from core.engines.fused import kernel_cache, network
from core.engines.fused.build import own_settings
from core.engines.fused.engine import FusedEngine
from core.engines.fused.kernel_cache import LARGEST, cached_library, read_code
from core.engines.fused.native import Code
from core.engines.fused.signatures import MODULES, Variant


class Made(NamedTuple):
    """Where a library came from, and why it is not kept."""

    is_compiled: bool
    problem: str


Make = Callable[[Path], Made]


@pytest.fixture(scope="module")
def code() -> Code:
    """The kernel, from the user's cache."""
    network.compiled_kernels(Variant("float32"))
    file = network.cache_file(Variant("float32"))
    code = file and read_code(file)
    assert code
    return code


@pytest.fixture
def made(code: Code) -> Make:
    def make(file: Path) -> Made:
        compile = Mock(return_value=code)
        library, problem = cached_library(file, compile)
        assert len(library.addresses) == len(code.names)
        return Made(compile.called, problem)

    return make


def flip_a_bit(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)


def replace_by_a_pipe(file: Path) -> None:
    file.unlink()
    os.mkfifo(file)


DAMAGES: dict[str, Callable[[Path], object]] = {
    "missing": Path.unlink,
    "emptied": lambda file: file.write_bytes(b""),
    "cut": lambda file: os.truncate(file, file.stat().st_size // 2),
    "a flipped bit": flip_a_bit,
    "of another program": lambda file: file.write_bytes(b"\x80\x05N." * 100),
    "endless": lambda file: os.truncate(file, LARGEST + 2**30),
    "a pipe": replace_by_a_pipe,
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_a_damaged_file_is_compiled_again_and_replaced(
    tmp_path: Path, damage: Callable[[Path], object], made: Make
) -> None:
    file = tmp_path / "f.kernels"
    made(file)
    damage(file)
    assert made(file).is_compiled
    assert not made(file).is_compiled
    assert [path.name for path in tmp_path.iterdir()] == ["f.kernels"]


@contextmanager
def files_of_at_most(size: int) -> Iterator[None]:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_code_that_does_not_fit_on_the_disk_is_used_and_not_kept(
    tmp_path: Path, made: Make
) -> None:
    file = tmp_path / "f.kernels"
    with files_of_at_most(1_024):
        problem = made(file).problem
    assert problem == f"{file}: File too large"
    assert not list(tmp_path.iterdir())


def test_a_folder_in_place_of_a_file_is_left_and_named(tmp_path: Path, made: Make) -> None:
    file = tmp_path / "f.kernels"
    file.mkdir()
    assert made(file).problem == f"{file}: Is a directory"
    assert [path.name for path in tmp_path.iterdir()] == ["f.kernels"]


def test_a_cache_that_cannot_be_entered_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, made: Make
) -> None:
    def refuse(self: Path, *_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied", str(self))

    monkeypatch.setattr(Path, "is_file", refuse)
    monkeypatch.setattr(Path, "mkdir", refuse)
    file = tmp_path / "f.kernels"
    assert made(file).problem == f"{file}: Permission denied"


def test_code_that_cannot_be_linked_without_numba_is_linked_by_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, made: Make
) -> None:
    file = tmp_path / "f.kernels"
    made(file)
    monkeypatch.setattr(kernel_cache, "link", Mock(side_effect=RuntimeError))
    assert not made(file).is_compiled


def test_code_of_other_versions_is_removed_once_unused_for_a_month(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    file = network.cache_file(Variant("float32"))
    assert file is not None
    own, month = file.parent, time.time() - 31 * 86_400
    folders = {name: own.with_name(name) for name in (own.name, "numba-old", "numba-new", "mine")}
    for folder in folders.values():
        (folder / "float32").mkdir(parents=True)
        if folder.name != "numba-new":
            os.utime(folder, (month, month))
    network.remove_unused_code()
    assert {folder.name for folder in own.parent.iterdir()} == {own.name, "numba-new", "mine"}
    assert own.stat().st_mtime > month + 86_400


def test_users_read_why_every_start_compiles(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine_module, "cache_problem", lambda _: "/c/f.nbc: File too large")
    assert FusedEngine(RunConfig(algorithm=Fomaml())).note == (
        "every start compiles (/c/f.nbc: File too large); set XDG_CACHE_HOME to another folder"
    )


def test_settings_of_numba_in_the_working_folder_are_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, recwarn: pytest.WarningsRecorder
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".numba_config.yaml").write_text("opt: 0\ndisable_jit: 1\n")
    with own_settings():
        numba.config.reload_config()
        assert (int(numba.config.OPT), numba.config.DISABLE_JIT) == (3, 0)
        assert not recwarn.list  # numba looked for the file, and found no module to read it with


def test_settings_of_numba_in_the_environment_have_no_effect_and_stay(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("NUMBA_DISABLE_JIT", "1")
    monkeypatch.setenv("NUMBA_CPU_NAME", "haswell")
    with own_settings():
        assert not numba.config.DISABLE_JIT
        assert numba.config.CPU_NAME == "haswell"
    assert numba.config.DISABLE_JIT
    assert os.environ["NUMBA_DISABLE_JIT"] == "1"
    monkeypatch.undo()
    numba.config.reload_config()


def test_compiled_code_belongs_to_all_sources_that_it_is_made_of() -> None:
    package = "core.engines.fused."
    found, waiting = set[str](), {"build", *MODULES.values()}
    while waiting:
        name = waiting.pop()
        found.add(name)
        tree = ast.parse(Path(network.__file__).with_stem(name).read_text())
        imported = {
            f"{node.module}.{alias.name}" if f"{node.module}." == package else node.module or ""
            for node in ast.walk(tree)
            if isinstance(node, ast.ImportFrom)
            for alias in node.names
        }
        waiting |= {one.removeprefix(package) for one in imported if package in one} - found
    assert found == set(network.SOURCES)
