"""The keys of the geometry screen."""

from tui_meta.views.keys.table import Key, of_page

GEOMETRY_KEYS = of_page(
    "geometry",
    (
        Key("enter", "ask_again", "newest", "Trace the newest iteration", 1),
        Key("space", "follow", "follow", "Follow training: trace once per second, or stop", 2),
        Key("tab,right,down,l,j", "choose(1)", "next run", "Next run", 3),
        Key("shift+tab,left,up,h,k", "choose(-1)", "previous run", "Previous run"),
        Key("home,g", "choose(-99)", "first", "First run"),
        Key("end,G", "choose(99)", "last", "Last run"),
    ),
)
