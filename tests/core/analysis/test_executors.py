"""Batteries have a thread of their own, of lower priority than training."""

import os
import sys
import threading

import pytest

from core.analysis.executors import Executors
from core.analysis.questions import Adapt, Battery, Live, SampledTask
from core.evaluation_protocol import EvaluationProtocol
from core.training.priority import TRAINING

BATTERY = Battery(sources=(Live("fomaml-1"),), protocol=EvaluationProtocol(tasks=100))
ADAPT = Adapt(source=Live("fomaml-1"), task=SampledTask("standard", 0), updates=1)


def niceness() -> int:
    return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())


@pytest.mark.skipif(sys.platform != "linux", reason="threads have a niceness of their own there")
def test_only_batteries_have_a_lower_priority_than_training() -> None:
    executors = Executors("questions")
    try:
        assert executors.executor_for(BATTERY).submit(niceness).result() > TRAINING
        assert executors.executor_for(ADAPT).submit(niceness).result() < TRAINING
    finally:
        executors.close()
