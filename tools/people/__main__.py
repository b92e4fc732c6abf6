"""``python -m tools.people NAME``: draw a bundled person anew."""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from avatars.package import LIBRARY
from tools.people.pack import draw
from tools.people.person import PEOPLE


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tools.people", description="Draw a bundled person in Blender.")
    parser.add_argument("name", choices=sorted(PEOPLE))
    parser.add_argument("--head", type=Path, required=True, help="ict_facekit.npz: ICT-FaceKit's head in numbers")
    parser.add_argument("--blender", required=True, help="a Python interpreter that has bpy")
    parser.add_argument("--out", type=Path, help="the package's folder; the library's, if not given")
    parser.add_argument("--work", type=Path, help="keep what is drawn in this folder")
    parser.add_argument("--packed", action="store_true", help="draw nothing; pack what --work holds")
    given = parser.parse_args()
    target = given.out or LIBRARY / given.name
    with tempfile.TemporaryDirectory(prefix="people-") as scratch:
        work = given.work or Path(scratch)
        work.mkdir(parents=True, exist_ok=True)
        draw(PEOPLE[given.name], given.head, given.blender, work, target, redraw=not given.packed)
    size = sum(file.stat().st_size for file in target.iterdir())
    print(f"{target}: {size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
