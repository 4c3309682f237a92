"""Text from elsewhere, made safe to print; every start loads this, so it imports nothing."""


def printable(text: str) -> str:
    """``text`` with control characters spelled out, so that none reaches the terminal."""
    if text.isprintable():
        return text
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode("ascii")
        for char in text
    )


def printable_json(text: str) -> str:
    """The JSON ``text`` with control characters spelled out; it says the same."""
    import json  # late: every start loads this module

    return "".join(char if char.isprintable() else json.dumps(char)[1:-1] for char in text)


def shortened(text: str, length: int) -> str:
    """The text, its middle left out where it has more than ``length`` characters.

    Errors say at their beginning where something is wrong, and at their end what to do.
    """
    half = (length - 3) // 2
    return text if len(text) <= length else f"{text[:half]}...{text[-half:]}"
