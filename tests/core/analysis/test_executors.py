"""Surveys have a thread of their own, which gives way to training."""

import os
import sys
import threading

import pytest

from core.analysis.executors import Executors
from core.analysis.questions import Adapt, Battery, Live, SampledTask
from core.training.priority import TRAINING

SURVEY = Battery(sources=(Live("fomaml-1"),), n_tasks=100)
ADAPT = Adapt(source=Live("fomaml-1"), task=SampledTask("standard", 0), updates=1)


def niceness() -> int:
    return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())


@pytest.mark.skipif(sys.platform != "linux", reason="threads have a niceness of their own there")
def test_a_survey_gives_way_to_training_and_other_questions_do_not() -> None:
    lanes = Executors("questions")
    try:
        assert lanes.of(SURVEY).submit(niceness).result() > TRAINING
        assert lanes.of(ADAPT).submit(niceness).result() < TRAINING
    finally:
        lanes.close()
