"""Whatever is wrong with what a person gives: one clear line, exit code 2, no traceback."""

import os
import pickle
import shlex
import subprocess
import sys
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
from core.storage.checkpoint import Checkpoint, save_checkpoint
from core.storage.checkpoint_metadata import FORMAT

PROGRAM = [sys.executable, "-m", "tui_meta"]


def refusal(folder: Path, command: str, **environment: str) -> str:
    """The one line that ``command`` is refused with."""
    done = subprocess.run(
        [*PROGRAM, *shlex.split(command)],
        cwd=folder,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        env={**os.environ, **environment},
    )
    assert done.returncode == 2, (done.stdout, done.stderr)
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    assert line.startswith("error: ")
    assert len(line) < 400
    return line


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
        ("--no-tui --iterations", "--iterations needs a value"),
        ("--no-tui --eval-interval 0", "--eval-interval: 0"),
        ("--no-tui --seed -1", "--seed: -1"),
        ("--no-tui --pace 0", "--pace: 0.0"),
        ("--no-tui --algorithms fomal", 'Did you mean "fomaml"?'),
        ("--no-tui --engine warp", "--engine"),
        ("--no-tui --device tpu", '"cuda"'),
        ("--no-tui --precision float16", '"float32"'),
        ("--no-tui --network.hidden 0", "--network.hidden: 0"),
        ("--no-tui --network.activation sigmoid", '"tanh"'),
        ("--no-tui --waves.x 5 -5", "must be two finite numbers, the lower first"),
        ("--no-tui --name ../up", "invalid run name"),
        ("--no-tui --config missing.toml", "missing.toml: no such file"),
        ("trian", "did you mean train?"),
        ("resume", "resume needs PATHS"),
        ("resume --no-tui missing", "missing: no such file"),
        ("resume --no-tui .", "not a run folder"),
        ("eval missing", "missing: no such file"),
        ("compare missing", "compare needs SECOND"),
        ("compare missing missing", "missing: no such file"),
    ],
)
def test_a_command_line_that_is_wrong(tmp_path, command, said):
    assert said in refusal(tmp_path, command)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("seed = ", "c.toml: not valid TOML"),
        ("sede = 3", "unknown setting 'sede' in c.toml; did you mean 'seed'?"),
        ("[fomaml]\ninner_rate = 3", "unknown setting 'inner_rate' in [fomaml] of c.toml"),
        ("[maml]\ninner_lr = 3", "unknown setting 'maml' in c.toml; did you mean 'fomaml'?"),
        ("seed = '3'", "c.toml: seed: must be "),
        ("iterations = 0", "c.toml: iterations: must be "),
        ("[reptile]\nouter_lr = nan", "c.toml: reptile.outer_lr: must be "),
        ("algorithms = ['maml']", "c.toml: algorithms: must be "),
        ("network = 3", "c.toml: network: must be "),
    ],
)
def test_a_configuration_file_that_is_wrong(tmp_path, content, said):
    (tmp_path / "c.toml").write_text(content)
    assert said in refusal(tmp_path, "--no-tui --config c.toml")


@pytest.fixture(scope="module")
def good(tmp_path_factory) -> bytes:
    """The content of a sound checkpoint."""
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
        "this program reads up to 1; install",
    ),
    "with a wrong setting": (lambda good: rewritten(good, wrong_setting), "inner_lr"),
    "with a hostile name": (lambda good: rewritten(good, hostile_name), r"\x1b[2J\n"),
}


@pytest.mark.parametrize("damage", DAMAGE)
@pytest.mark.parametrize("command", ["eval", "resume --no-tui"])
def test_a_checkpoint_that_is_wrong(tmp_path, good, damage, command):
    spoil, said = DAMAGE[damage]
    (tmp_path / "run.safetensors").write_bytes(spoil(good))
    line = refusal(tmp_path, f"{command} run.safetensors")
    assert "run.safetensors: " in line
    assert said in line


def test_a_checkpoint_outside_its_run_folder_is_not_resumed(tmp_path, good):
    (tmp_path / "000000003.safetensors").write_bytes(good)
    line = refusal(tmp_path, "resume --no-tui 000000003.safetensors")
    assert "not a run folder" in line


def test_an_out_that_is_no_folder(tmp_path):
    (tmp_path / "file").write_text("")
    for out in ("file", "file/runs"):
        assert "not a folder" in refusal(tmp_path, f"--no-tui --out {out}")


def test_an_out_that_cannot_be_written(tmp_path):
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o500)
    # Permissions do not bind root, but nobody can make a folder in /proc.
    out = "/proc/runs" if os.geteuid() == 0 else str(closed)
    line = refusal(tmp_path, f"--no-tui --out {out}")
    assert "a run folder cannot be created here" in line


def test_a_device_that_is_not_there(tmp_path):
    line = refusal(tmp_path, "--no-tui --device cuda", CUDA_VISIBLE_DEVICES="")
    assert "--device cuda: PyTorch finds no such device" in line
    assert list(tmp_path.iterdir()) == []


def test_no_terminal(tmp_path):
    assert "use --no-tui" in refusal(tmp_path, "")
    assert list(tmp_path.iterdir()) == []


def test_a_terminal_that_can_do_nothing(tmp_path):
    assert "TERM=dumb" in refusal(tmp_path, "", TERM="dumb")
