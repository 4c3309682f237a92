"""One hypothesis profile for the suite: the same examples on every machine, no time limits.

``pytest --hypothesis-profile=search`` looks for new counterexamples instead.
"""

from hypothesis import settings

settings.register_profile(
    "suite", deadline=None, derandomize=True, database=None, max_examples=25, print_blob=True
)
settings.register_profile("search", deadline=None, max_examples=1_000)
settings.load_profile("suite")
