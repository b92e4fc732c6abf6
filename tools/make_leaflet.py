"""Make the PDF among the kiosk's sources of knowledge: ``python tools/make_leaflet.py``."""

from __future__ import annotations

import textwrap
from pathlib import Path

PAGES = {
    "Safety in the branch": (
        "In case of fire please leave by the stairs and meet at the fountain on Harbour Square.",
        "There is a defibrillator beside the entrance, and six members of staff are trained in first aid.",
        "Cameras record the hall; the recordings are kept for 90 days.",
    ),
    "The building": (
        "Harbour Bank was founded in 1921 by merchants of the harbour.",
        "The hall's ceiling painting shows the harbour as it was in that year.",
        "Guided tours take place on the first Saturday of each month at 11:00 and are free.",
    ),
}


def write(path: Path) -> None:
    """Write two pages of text."""
    from matplotlib.backends.backend_pdf import PdfPages
    from matplotlib.figure import Figure

    with PdfPages(path, metadata={"Title": "Visitors' leaflet", "CreationDate": None}) as out:
        for title, lines in PAGES.items():
            figure = Figure(figsize=(5.8, 4.1))
            figure.text(0.08, 0.85, title, fontsize=16)
            for number, line in enumerate(lines):
                figure.text(0.08, 0.7 - 0.2 * number, textwrap.fill(line, 60), fontsize=10, va="top")
            out.savefig(figure)


if __name__ == "__main__":
    write(Path(__file__).resolve().parents[1] / "configs/kiosk/knowledge/leaflet.pdf")
