"""``python -m anchor``."""

from anchor.cli import main

main()
