"""The first signal is recorded; a signal that the process ignores stays ignored."""

import signal

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
