"""The script that checks the English of code and documents, and this repository under it."""

from __future__ import annotations

import pytest

from scripts import check_words


@pytest.mark.parametrize(
    "line",
    [
        "Whoever reads it",
        "What stands on the screen",
        "as told by the session",
        "it is drawn anew",
        "there a person can see it",
        "a list is no tuple",
        "the run goes on until then",
        "and then it trains on",
    ],
)
def test_a_banned_form_is_found(line: str) -> None:
    assert list(check_words.banned_lines(f"fine\n  {line}\n")) == [(2, line)]


@pytest.mark.parametrize(
    "line",
    [
        "there is no checkpoint",
        "it is no longer there",
        "it trains on the tasks",
        "a personal setting",
        "understands",
    ],
)
def test_plain_english_is_accepted(line: str) -> None:
    assert list(check_words.banned_lines(line)) == []


def test_docstrings_of_functions_are_counted() -> None:
    source = '''
"""What a module is, is not counted."""
class A:
    """What a class is, neither."""
    def f(self):
        """Whether it is so."""
    async def g(self):
        """Return the value."""
    def h(self): ...
'''
    docstrings = [text for _, text in check_words.function_docstrings(source)]
    assert docstrings == ["Whether it is so.", "Return the value."]
    assert [check_words.opens_with_question(text) for text in docstrings] == [True, False]


def test_a_word_that_only_begins_like_a_question_word_is_accepted() -> None:
    assert not check_words.opens_with_question("However it ends, return the value.")


@pytest.mark.slow
def test_the_repository_keeps_to_the_glossary() -> None:
    complaints, questions, docstrings = check_words.report(check_words.tracked_files())
    assert complaints == []
    assert questions <= check_words.LARGEST_SHARE * docstrings
