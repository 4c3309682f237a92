"""The first signal is recorded; a signal that the process ignores stays ignored."""

import contextlib
import errno
import os
import pty
import signal
import sys

import pytest

from tui_meta.app.signals import FirstSignal


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]
)
def test_the_first_signal_is_remembered_with_its_exit_code(number, code):
    with FirstSignal() as interrupts:
        assert interrupts.exit_code is None
        signal.raise_signal(number)
        signal.raise_signal(signal.SIGTERM)
    assert interrupts.received == number
    assert interrupts.exit_code == code


def test_a_second_interrupt_is_ignored_until_users_know_what_it_does():
    with FirstSignal() as interrupts:
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)
    assert interrupts.received == signal.SIGINT


def test_handlers_are_restored_afterwards():
    before = signal.getsignal(signal.SIGINT)
    with FirstSignal():
        assert signal.getsignal(signal.SIGINT) is not before
    assert signal.getsignal(signal.SIGINT) is before


def test_an_ignored_hangup_stays_ignored():
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with FirstSignal() as interrupts:
            signal.raise_signal(signal.SIGHUP)
        assert interrupts.received is None
    finally:
        signal.signal(signal.SIGHUP, before)


def test_a_terminal_that_is_gone_is_left_without_a_free_descriptor(monkeypatch):
    ours, theirs = pty.openpty()
    before = os.dup(0)
    os.dup2(theirs, 0)

    def fail(*_: object, **__: object) -> None:
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

    try:
        with FirstSignal(outlives_terminal=True) as interrupts, monkeypatch.context() as patch:
            patch.setattr(os, "open", fail)
            signal.raise_signal(signal.SIGHUP)
        assert interrupts.received is None
        assert not os.isatty(0)
    finally:
        os.dup2(before, 0)
        for descriptor in (ours, theirs, before):
            os.close(descriptor)


class Abandoned(BaseException):
    """In place of the end of the process."""


@pytest.mark.parametrize("stream", ["stdout", "stderr"])
def test_a_second_interrupt_ends_the_process_whatever_the_streams_are(stream, monkeypatch):
    def end(code: int) -> None:
        raise Abandoned(code)

    with FirstSignal() as interrupts, monkeypatch.context() as patch:
        interrupts.may_abandon = lambda: True
        patch.setattr(os, "_exit", end)
        patch.setattr(sys, stream, None)
        signal.raise_signal(signal.SIGINT)
        with contextlib.suppress(Abandoned):
            signal.raise_signal(signal.SIGINT)
            pytest.fail("the process did not end")
