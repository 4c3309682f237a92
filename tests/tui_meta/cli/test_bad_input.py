"""Bad input of any kind is refused with one clear line and exit code 2, without a traceback."""

import os
import pickle
import shlex
from collections.abc import Callable
from pathlib import Path

import msgspec
import numpy as np
import pytest
from safetensors.numpy import load, save

from core.algorithms.fomaml import Fomaml
from core.config import RunConfig
from core.engines.base import TrainState
from core.models.mlp import MLP
from core.models.settings import NetworkConfig
from core.storage.checkpoint import FORMAT, Checkpoint, save_checkpoint
from tests.support.terminals.forked import Piped
from tui_meta.cli.main import main

Refusal = Callable[[str], str]


def only_line(code: int, out: str, err: str) -> str:
    """Return the one line of a refusal."""
    assert code == 2, (out, err)
    assert out == ""
    (line,) = err.splitlines()
    assert line.startswith("error: ")
    assert len(line) < 400
    return line


@pytest.fixture
def refusal(tmp_path, monkeypatch, capsys) -> Refusal:
    """Run a command line in an empty folder and return the line that it is refused with."""
    monkeypatch.chdir(tmp_path)

    def run(command: str) -> str:
        code = main(shlex.split(command))
        return only_line(code, *capsys.readouterr())

    return run


def process_refusal(folder: Path, command: str, **environment: str) -> str:
    """Do the same in a process of its own, without a terminal."""
    process = Piped(["-m", "tui_meta", *shlex.split(command)], folder, **environment)
    out, err = process.communicate()
    return only_line(process.wait(), out.decode(), err.decode())


@pytest.mark.e2e
def test_a_process_refuses_with_one_line_and_exit_code_2(tmp_path):
    assert "--seed: must be" in process_refusal(tmp_path, "--no-tui --seed -1")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("--no-tui --iteration 5", "Unknown option: --iteration. Did you mean --iterations?"),
        ("--no-tui --fomaml.inner-l 5", "Did you mean --fomaml.inner-lr?"),
        ("--no-tui --fomaml.inner-lr -1", "--fomaml.inner-lr: must be "),
        ("--no-tui --reptile.outer-lr nan", "--reptile.outer-lr: must be "),
        ("--no-tui --reptile.outer-lr inf", "--reptile.outer-lr: must be "),
        ("--no-tui --fomaml.inner-lr fast", 'unable to convert "fast" into float'),
        ("--no-tui --iterations 0", "--iterations: must be a whole number from 1"),
        ("--no-tui --iterations many", "--iterations: must be a whole number"),
        ("--no-tui --iterations 1.5", "--iterations: must be a whole number"),
        ("--no-tui --polynomial.order 0 1.5", "--polynomial.order: must be a whole number"),
        ("--no-tui --tasks sine+square", "--tasks: must be one of sine, line"),
        ("--no-tui --iterations", "--iterations needs a value"),
        ("--no-tui --eval-interval 0", "--eval-interval: must be "),
        ("--no-tui --seed -1", "--seed: must be "),
        ("--no-tui --pace 0", "--pace: must be "),
        ("--no-tui --algorithms fomal", "--algorithms: must be one of fomaml, reptile, "),
        ("--no-tui --engine warp", "--engine"),
        ("--no-tui --device tpu", '"cuda"'),
        ("--no-tui --precision float16", '"float32"'),
        ("--no-tui --network.hidden 0", "--network.hidden: must be "),
        ("--no-tui --network.activation sigmoid", '"tanh"'),
        ("--no-tui --waves.x 5 -5", "must be two finite numbers, the lower first"),
        ("--no-tui --name ../up", "invalid run name"),
        ("--no-tui --config missing.toml", "missing.toml: no such file"),
        ("trian", "did you mean train?"),
        ("resume", "resume needs PATHS"),
        ("resume --no-tui missing", "missing: no such run folder or checkpoint"),
        ("resume --no-tui .", "not a run folder"),
        ("eval missing", "missing: no such run folder or checkpoint"),
        ("compare missing", "compare needs SECOND"),
        ("compare missing missing", "missing: no such run folder or checkpoint"),
        ("show missing", "missing: no such run folder; tui-meta runs lists the runs"),
    ],
)
def test_a_wrong_command_line_is_refused(refusal, tmp_path, command, said):
    assert said in refusal(command)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("seed = ", "c.toml: not valid TOML"),
        ("sede = 3", "unknown setting 'sede' in c.toml; did you mean 'seed'?"),
        ("[fomaml]\ninner_rate = 3", "unknown setting 'inner_rate' in [fomaml] of c.toml"),
        ("[mamal]\ninner_lr = 3", "unknown setting 'mamal' in c.toml; did you mean 'maml'?"),
        ("seed = '3'", "c.toml: seed: must be "),
        ("iterations = 0", "c.toml: iterations: must be "),
        ("[reptile]\nouter_lr = nan", "c.toml: reptile.outer_lr: must be "),
        ("algorithms = ['mamal']", "c.toml: algorithms: must be "),
        ("network = 3", "c.toml: network: must be "),
    ],
)
def test_a_wrong_configuration_file_is_refused(refusal, tmp_path, content, said):
    (tmp_path / "c.toml").write_text(content)
    assert said in refusal("--no-tui --config c.toml")


@pytest.fixture(scope="module")
def good(tmp_path_factory) -> bytes:
    """The content of a valid checkpoint."""
    config = RunConfig(algorithm=Fomaml(), network=NetworkConfig(hidden=(4,)))
    state = TrainState(3, MLP.of(config.network).initial(0), {})
    folder = tmp_path_factory.mktemp("good")
    return save_checkpoint(folder, Checkpoint(config, state, 10, 1.0, ())).read_bytes()


def rewritten(content: bytes, change) -> bytes:
    """A checkpoint with ``change`` made to its tensors and its metadata."""
    tensors = load(content)
    length = int.from_bytes(content[:8], "little")
    header = msgspec.json.decode(content[8 : 8 + length])["__metadata__"]
    described = msgspec.json.decode(header[FORMAT])
    change(tensors, described)
    return save(tensors, {FORMAT: msgspec.json.encode(described).decode()})


def other_network(_, described):
    described["config"]["network"]["hidden"] = [5]


def missing_tensor(tensors, _):
    del tensors["0.bias"]


def surplus_tensor(tensors, _):
    tensors["9.weight"] = np.zeros(3, np.float32)


def newer_format(_, described):
    described["format_version"] = 99


def wrong_setting(_, described):
    described["config"]["algorithm"]["inner_lr"] = -1


def hostile_name(tensors, _):
    tensors["\x1b[2J\n"] = np.zeros(3, np.float32)


DAMAGE = {
    "empty": (lambda good: b"", "the file is empty"),
    "truncated": (lambda good: good[:-9], "damaged"),
    "cut in its header": (lambda good: good[:20], "damaged"),
    "text": (lambda good: b"hello" * 99, "not a safetensors file"),
    "pickled": (lambda good: pickle.dumps({"a": 1}), "not a safetensors file"),
    "of another program": (
        lambda good: save({"w": np.zeros(3, np.float32)}),
        "not written by tui-meta",
    ),
    "of another network": (lambda good: rewritten(good, other_network), "has shape"),
    "lacking a tensor": (lambda good: rewritten(good, missing_tensor), "is missing"),
    "with a surplus tensor": (lambda good: rewritten(good, surplus_tensor), "to no layer"),
    "of a newer format": (
        lambda good: rewritten(good, newer_format),
        "this version reads up to 1; install",
    ),
    "with a wrong setting": (lambda good: rewritten(good, wrong_setting), "inner_lr"),
    "with a hostile name": (lambda good: rewritten(good, hostile_name), r"\x1b[2J\n"),
}


@pytest.mark.parametrize("damage", DAMAGE)
@pytest.mark.parametrize("command", ["eval", "resume --no-tui"])
def test_a_wrong_checkpoint_is_refused(refusal, tmp_path, good, damage, command):
    spoil, said = DAMAGE[damage]
    (tmp_path / "run.safetensors").write_bytes(spoil(good))
    line = refusal(f"{command} run.safetensors")
    assert "run.safetensors: " in line
    assert said in line


def test_a_checkpoint_outside_its_run_folder_is_not_resumed(refusal, tmp_path, good):
    (tmp_path / "000000003.safetensors").write_bytes(good)
    line = refusal("resume --no-tui 000000003.safetensors")
    assert "not a run folder" in line


def test_an_out_that_is_not_a_folder_is_refused(refusal, tmp_path):
    (tmp_path / "file").write_text("")
    for out in ("file", "file/runs"):
        assert "not a folder" in refusal(f"--no-tui --out {out}")


def test_an_out_that_cannot_be_written_is_refused(refusal, tmp_path):
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o500)
    # Permissions do not bind root, but folders cannot be made in /proc.
    out = "/proc/runs" if os.geteuid() == 0 else str(closed)
    line = refusal(f"--no-tui --out {out}")
    assert "cannot create a run folder here" in line


@pytest.mark.slow
@pytest.mark.e2e
def test_a_missing_device_is_refused(tmp_path):
    line = process_refusal(tmp_path, "--no-tui --device cuda", CUDA_VISIBLE_DEVICES="")
    assert "device cuda: not found by PyTorch" in line
    assert list(tmp_path.iterdir()) == []


@pytest.mark.e2e
def test_a_dashboard_without_a_terminal_is_refused(tmp_path):
    assert "use --no-tui" in process_refusal(tmp_path, "")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.e2e
def test_a_dumb_terminal_is_refused(tmp_path):
    assert "TERM=dumb" in process_refusal(tmp_path, "", TERM="dumb")
