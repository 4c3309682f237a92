"""Record and log of a run are read back unchanged, and are readable JSON."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from core.config import RunConfig
from core.errors import RunFolderError
from core.events import AnyEvent
from core.storage.event_log_reader import history
from core.storage.paths import RECORD, partial_path
from core.storage.run_folder import RunFolder, create_run_folder, read_record
from tests.support.run_folders import EVERY_EVENT, short_evaluated
from tests.support.runs import NO_AUTOSAVE, small_config


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    return create_run_folder(tmp_path, "run", unique=False)


def test_every_kind_of_event_is_read_back_unchanged(folder: RunFolder) -> None:
    for event in EVERY_EVENT:
        folder.log.append(event)
    folder.log.close()
    assert list(history(folder.path)) == EVERY_EVENT


def test_every_kind_of_event_is_in_the_list() -> None:
    assert {type(event) for event in EVERY_EVENT} == set(AnyEvent.__args__)


def test_the_log_is_one_json_object_a_line(folder: RunFolder) -> None:
    for event in EVERY_EVENT:
        folder.log.append(event)
    folder.log.close()
    lines = (folder.path / "events.jsonl").read_text().splitlines()
    assert [json.loads(line)["event"] for line in lines] == [
        event.__struct_config__.tag for event in EVERY_EVENT
    ]


def test_flushed_lines_are_in_the_file_before_it_is_closed(folder: RunFolder) -> None:
    folder.log.append(EVERY_EVENT[0])
    folder.log.flush()
    assert list(history(folder.path)) == EVERY_EVENT[:1]
    folder.log.close()


def test_a_resumed_run_appends_to_the_log(folder: RunFolder) -> None:
    for event in EVERY_EVENT[:2]:
        folder_again = RunFolder(folder.path)
        folder_again.log.append(event)
        folder_again.log.close()
    assert list(history(folder.path)) == EVERY_EVENT[:2]


@pytest.mark.parametrize("line", [b"{", b"text\n", b'{"event":"other"}\n', b"\xff\xfe\n", b"\n"])
def test_a_foreign_line_is_skipped(folder: RunFolder, line: bytes) -> None:
    folder.log.append(EVERY_EVENT[0])
    folder.log.close()
    with (folder.path / "events.jsonl").open("ab") as log:
        log.write(line)
    assert list(history(folder.path)) == EVERY_EVENT[:1]


def test_a_line_torn_by_a_crash_does_not_spoil_the_next_one(folder: RunFolder) -> None:
    folder.log.append(EVERY_EVENT[0])
    folder.log.close()
    with (folder.path / "events.jsonl").open("ab") as log:
        log.write(b'{"event":"progress","run":"r')
    folder_again = RunFolder(folder.path)
    for event in EVERY_EVENT[1:3]:
        folder_again.log.append(event)
    folder_again.log.close()
    assert list(history(folder.path)) == EVERY_EVENT[:3]


def test_an_evaluation_that_is_not_finite_is_valid_json(folder: RunFolder) -> None:
    folder.log.append(short_evaluated(3, float("inf")))
    folder.log.close()

    def refuse(constant: str) -> None:
        pytest.fail(f"{constant} is not JSON")

    line = (folder.path / "events.jsonl").read_text()
    assert json.loads(line, parse_constant=refuse)["losses"][0] == 9.0


def test_a_folder_without_a_log_has_no_events(tmp_path: Path) -> None:
    assert list(history(tmp_path)) == []


def test_the_record_has_configuration_and_provenance(folder: RunFolder) -> None:
    config = small_config()
    folder.describe(config, NO_AUTOSAVE, "torch", "cpu")
    record = read_record(folder.path)
    assert RunConfig.from_dict(record.config) == config
    assert (record.name, record.engine, record.device) == ("run", "torch", "cpu")
    assert record.versions["numpy"][0].isdigit()
    assert record.started.startswith("20")


@pytest.mark.parametrize("content", [None, b"", b"{}", b"not json", b"[1]"])
def test_a_record_that_cannot_be_read_is_a_clear_error(tmp_path: Path, content: bytes) -> None:
    if content is not None:
        (tmp_path / "run.json").write_bytes(content)
    with pytest.raises(RunFolderError, match=r"run\.json.*; choose a folder") as caught:
        read_record(tmp_path)
    assert len(str(caught.value).splitlines()) == 1


def test_a_new_folder_is_created_with_its_parents(tmp_path: Path) -> None:
    folder = create_run_folder(tmp_path / "a" / "b", "run", unique=False)
    assert folder.path == tmp_path / "a" / "b" / "run"
    assert folder.path.is_dir()
    assert folder.name == "run"


def test_an_existing_run_is_never_overwritten(tmp_path: Path, folder: RunFolder) -> None:
    folder.log.append(EVERY_EVENT[0])
    folder.log.close()
    folder.release()
    with pytest.raises(RunFolderError, match="this run exists already; resume it"):
        create_run_folder(tmp_path, "run", unique=False)


def test_a_folder_without_files_of_a_run_is_reused(tmp_path: Path, folder: RunFolder) -> None:
    with pytest.raises(RunFolderError, match="this run exists already"):
        create_run_folder(tmp_path, "run", unique=False)
    folder.release()  # as the death of its process does
    assert create_run_folder(tmp_path, "run", unique=False).path == folder.path


def test_a_folder_with_the_beginning_of_a_record_is_reused(
    tmp_path: Path, folder: RunFolder
) -> None:
    folder.release()
    partial_path(folder.path / RECORD).write_bytes(b"{")  # a killed process leaves this
    assert create_run_folder(tmp_path, "run", unique=False).path == folder.path


def test_only_a_folder_without_a_run_is_discarded(tmp_path: Path, folder: RunFolder) -> None:
    folder.log.append(EVERY_EVENT[0])
    folder.log.close()
    folder.discard()
    assert folder.log.path.exists()
    folder.log.path.unlink()
    folder.discard()
    assert not folder.path.exists()
    folder.discard()


def test_a_name_that_is_taken_gets_a_number(tmp_path: Path, folder: RunFolder) -> None:
    names = [create_run_folder(tmp_path, "run", unique=True).name for _ in range(3)]
    assert names == ["run-2", "run-3", "run-4"]


@pytest.mark.parametrize("name", ["", "..", "a/b", "/abs", ".hidden", "-flag", "a b", "x" * 101])
def test_a_name_that_leaves_the_folder_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(RunFolderError, match="invalid run name"):
        create_run_folder(tmp_path / "out", name, unique=True)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("below", [".", "deeper"])
def test_a_file_in_place_of_the_out_folder_is_a_clear_error(tmp_path: Path, below: str) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(RunFolderError, match="not a folder; choose another output folder"):
        create_run_folder(tmp_path / "file" / below, "run", unique=True)


def test_an_out_folder_that_cannot_be_written_is_a_clear_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "mkdir", refuse)
    with pytest.raises(RunFolderError, match=r"Permission denied\); choose another output folder"):
        create_run_folder(tmp_path, "run", unique=True)
