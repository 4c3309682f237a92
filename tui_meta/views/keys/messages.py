"""The keys of the message log."""

from tui_meta.views.keys.table import Key, of_page

MESSAGES_KEYS = of_page(
    "messages",
    (
        Key("up,k", "scroll(-1)", "older", "Older messages", 5, joined=True),
        Key("down,j", "scroll(1)", "scroll", "Newer messages", 5),
        Key("pageup", "page(-1)", "page up", "Page of older messages"),
        Key("pagedown", "page(1)", "page down", "Page of newer messages"),
        Key("home,g", "scroll(-9999)", "first", "First message"),
        Key("end,G", "scroll(9999)", "newest", "Newest message, following new ones", 6),
    ),
)
