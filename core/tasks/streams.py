"""The streams of random numbers."""

from enum import IntEnum


class Stream(IntEnum):
    """Independent streams of one seed; a number is never reused for another purpose."""

    INITIALISATION = 0
    TRAINING = 1
    VALIDATION = 2
    RANDOM_PROBE = 3
    STANDARD_PROBE = 4
    HALF_RANGE_PROBE = 5
    MANY_TASKS = 6
    MANY_TASKS_HALF_RANGE = 7
    BEYOND_RANGE = 8
    NOISY = 9
    ONE_POINT = 10
    CONTRADICTORY = 11
    LAB = 12
    SAMPLE = 13
    FIXED_TASKS = 14
    ALGORITHM = 15
