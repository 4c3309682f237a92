"""``python -m tui_meta``."""

import sys

from tui_meta.cli import main

sys.exit(main())
