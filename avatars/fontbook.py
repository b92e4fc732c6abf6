"""Fonts: which ones this machine has, what each can draw, and which one draws a given character.

Fonts are looked for in three places: the folders where operating systems keep them, fontconfig (for families we do not
know by name), and the font packages that `make setup` installs into the environment. Behind them stand Pillow's
built-in Latin font and `avatars.glyphs`, so that the AI label can be drawn on a machine without any font.
"""

from __future__ import annotations

import logging
import os
import shutil
import struct
import subprocess
import sys
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from importlib.util import find_spec
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from avatars import glyphs

if TYPE_CHECKING:
    from PIL.ImageFont import FreeTypeFont

log = logging.getLogger(__name__)

Script = Literal["latin", "zh-Hans", "zh-Hant", "ja", "ko"]

SAMPLES: dict[Script, str] = {
    "latin": "AEQagy059%€éüñ“”–…",
    "zh-Hans": "人工智能生成合成新闻简体龙，。、《》“”",
    "zh-Hant": "人工智慧生成新聞繁體龍灣，。「」",
    "ja": "直骨国語ひらがなカタカナ、。「」",
    "ko": "한국어뉴스",
}
"""Characters a font must have to count as able to draw a script."""

_NAMES: dict[Script, str] = {
    "latin": "accented Latin",
    "zh-Hans": "Chinese",
    "zh-Hant": "traditional Chinese",
    "ja": "Japanese",
    "ko": "Korean",
}

PACKAGES = ("noto_cjk_sans_otc",)
"""Import names of the installed packages that carry font files (a dependency in ``pyproject.toml``)."""

INSTALL_HINT = (
    "run: pip install noto-cjk-sans-otc (no root needed), or: sudo apt-get install fonts-noto-cjk, or copy a "
    "font such as NotoSansCJK-Bold.ttc to ~/.local/share/fonts"
)

# Best first. Sans faces of a strong weight: captions are read at a glance and over a moving picture.
CJK_FILES = (
    "NotoSansCJK-Bold.ttc", "NotoSansCJK-Medium.ttc", "SourceHanSans-Bold.ttc", "SourceHanSansSC-Bold.otf",
    "SourceHanSansCN-Bold.otf", "NotoSansCJKsc-Bold.otf", "NotoSansSC-Bold.otf", "NotoSansSC-Bold.ttf",
    "NotoSansCJK-Regular.ttc", "SourceHanSans.ttc", "SourceHanSansSC-Regular.otf", "NotoSansCJKsc-Regular.otf",
    "NotoSansSC-Regular.otf", "NotoSansSC-Regular.ttf", "HarmonyOS_Sans_SC_Bold.ttf", "PingFang.ttc",
    "Hiragino Sans GB.ttc", "STHeiti Medium.ttc", "msyhbd.ttc", "msyh.ttc", "simhei.ttf", "msjhbd.ttc",
    "wqy-microhei.ttc", "wqy-zenhei.ttc", "DroidSansFallbackFull.ttf", "DroidSansFallback.ttf",
    "Arial Unicode.ttf", "NotoSansTC-Bold.otf", "NotoSansJP-Bold.otf", "YuGothB.ttc", "ipaexg.ttf",
    "NotoSansKR-Bold.otf", "AppleSDGothicNeo.ttc", "malgunbd.ttf", "NanumGothicBold.ttf",
)  # fmt: skip
LATIN_FILES = (
    "NotoSans-SemiBold.ttf", "NotoSans-Bold.ttf", "OpenSans-SemiBold.ttf", "OpenSans-Bold.ttf", "Inter-SemiBold.ttf",
    "Roboto-Bold.ttf", "LiberationSans-Bold.ttf", "DejaVuSans-Bold.ttf", "Ubuntu-B.ttf", "segoeuib.ttf",
    "arialbd.ttf", "Arial Bold.ttf", "HelveticaNeue.ttc", "NotoSans-Regular.ttf", "LiberationSans-Regular.ttf",
    "DejaVuSans.ttf", "FreeSans.ttf", "arial.ttf",
)  # fmt: skip


class Coverage:
    """The characters a font has a glyph for, as sorted, disjoint ranges of code points."""

    __slots__ = ("_ends", "_starts")

    def __init__(self, ranges: Iterable[tuple[int, int]]) -> None:
        ordered = sorted(ranges)
        self._starts = [first for first, _ in ordered]
        self._ends = [last for _, last in ordered]

    def __contains__(self, character: str) -> bool:
        code = ord(character)
        place = bisect_right(self._starts, code) - 1
        return place >= 0 and code <= self._ends[place]

    def has_all(self, text: str) -> bool:
        return all(character in self for character in text)


@dataclass(frozen=True, slots=True, eq=False)
class Face:
    """One face of a font file. `path` is None for Pillow's built-in font."""

    path: Path | None
    index: int
    family: str
    style: str
    coverage: Coverage

    @property
    def bold(self) -> bool:
        style = self.style.lower()
        return any(word in style for word in ("bold", "black", "heavy", "medium"))

    def load(self, size: float) -> FreeTypeFont:
        """Open the face at `size` pixels an em."""
        from PIL import ImageFont

        if self.path is None:
            return _builtin(size)
        return ImageFont.truetype(str(self.path), size, self.index)


@dataclass(frozen=True, slots=True)
class FontSearch:
    """Where to look for fonts. An empty search finds only what is built in."""

    folders: tuple[Path, ...] = ()
    packages: tuple[str, ...] = ()
    fontconfig: bool = False

    @classmethod
    def everywhere(cls) -> FontSearch:
        return cls(system_folders(), PACKAGES, fontconfig=True)


@dataclass(frozen=True, slots=True)
class FontBook:
    """The faces in use: for every script the faces that can draw it, best first."""

    faces: tuple[Face, ...]

    def chain(self, language: str) -> tuple[Face, ...]:
        """All faces, those that suit a BCP 47 language best first."""
        script = script_of(language)
        if script == "latin":
            return self.faces
        return tuple(sorted(self.faces, key=lambda face: _fit(face, script)))

    def draws(self, script: Script) -> bool:
        return all(any(character in face.coverage for face in self.faces) for character in SAMPLES[script])

    @classmethod
    def find(cls, search: FontSearch) -> FontBook:
        """Look for fonts; never raises for a font that cannot be read, it is passed over."""
        faces = [*_cjk_faces(search), *_latin_faces(search)]
        builtin = _builtin_face()
        return cls((*faces, builtin) if builtin else tuple(faces))


@dataclass(frozen=True, slots=True)
class FontReport:
    """What `anchor check` says about fonts.

    `draws`: the scripts whose captions can be drawn. `files`: font files in use. `warnings`: what is missing, what
    that means and the exact command that mends it; empty when all is well.
    """

    draws: tuple[Script, ...]
    files: tuple[Path, ...]
    warnings: tuple[str, ...]


def fonts(book: FontBook | None = None) -> FontReport:
    """Report which scripts can be drawn with the fonts of this machine."""
    book = book or installed()
    draws = tuple(script for script in SAMPLES if book.draws(script))
    missing = [_NAMES[script] for script in SAMPLES if script not in draws]
    warnings: tuple[str, ...] = ()
    if missing:
        warnings = (
            f"no font for {', '.join(missing)}: captions and titles in these leave out what cannot be drawn "
            f"(the AI label is always drawn); {INSTALL_HINT}",
        )
    files = tuple(dict.fromkeys(face.path for face in book.faces if face.path))
    return FontReport(draws, files, warnings)


@lru_cache(maxsize=1)
def installed() -> FontBook:
    """The fonts of this machine, looked for once."""
    return FontBook.find(FontSearch.everywhere())


def script_of(language: str) -> Script:
    """The script a BCP 47 tag is written in, among those that need a face of their own."""
    parts = language.lower().replace("_", "-").split("-")
    if parts[0] in ("zh", "cmn", "yue", "wuu", "nan", "hak"):
        traditional = {"hant", "tw", "hk", "mo"} & set(parts) or (parts[0] == "yue" and "hans" not in parts)
        return "zh-Hant" if traditional else "zh-Hans"
    return {"ja": "ja", "ko": "ko"}.get(parts[0], "latin")  # type: ignore[return-value]


def system_folders() -> tuple[Path, ...]:
    """The folders where operating systems keep fonts, the user's own first."""
    home = Path.home()
    if sys.platform == "darwin":
        found = [home / "Library/Fonts", Path("/Library/Fonts"), Path("/System/Library/Fonts")]
    elif sys.platform == "win32":
        windows, local = os.environ.get("WINDIR", r"C:\Windows"), os.environ.get("LOCALAPPDATA", str(home))
        found = [Path(local) / "Microsoft/Windows/Fonts", Path(windows) / "Fonts"]
    else:
        data = os.environ.get("XDG_DATA_DIRS", "/usr/local/share:/usr/share").split(":")
        found = [home / ".local/share/fonts", home / ".fonts", *(Path(folder) / "fonts" for folder in data if folder)]
    return tuple(dict.fromkeys(folder for folder in found if folder.is_dir()))


def read_faces(path: Path) -> list[Face]:
    """All faces of a font file. Raises `OSError` or `ValueError` for a file that is no usable font."""
    from PIL import ImageFont

    data = path.read_bytes()
    faces = []
    for index, offset in enumerate(_face_offsets(data)):
        family, style = ImageFont.truetype(str(path), 16, index).getname()
        faces.append(Face(path, index, family or path.stem, style or "", _coverage(data, offset)))
    return faces


_MARKS: dict[Script, tuple[str, ...]] = {
    "latin": (),
    "zh-Hans": (" SC", " CN", " GB", "YaHei", "SimHei", "WenQuanYi", "STHeiti"),
    "zh-Hant": (" TC", " TW", " HK", "JhengHei"),
    "ja": (" JP", "Gothic", "IPA"),
    "ko": (" KR", "Malgun", "Nanum", "SD Gothic"),
}


def _fit(face: Face, script: Script) -> int:
    """How well a face suits a script: 0 made for it, 1 can draw it, 2 cannot."""
    if not face.coverage.has_all(SAMPLES[script]):
        return 2
    return 0 if any(mark in face.family for mark in _MARKS[script]) else 1


def _cjk_faces(search: FontSearch) -> list[Face]:
    """Faces until every CJK script is covered, from the first file that covers each."""
    wanted: list[Script] = ["zh-Hans", "zh-Hant", "ja", "ko"]
    chosen: list[Face] = []
    for path in _candidates(search, CJK_FILES, tags=("zh-cn", "zh-tw", "ja", "ko")):
        if all(any(_fit(face, script) < 2 for face in chosen) for script in wanted):
            break
        useful = [face for face in _faces(path) if "Mono" not in face.family and _helps(face, chosen, wanted)]
        chosen += useful
    return chosen


def _helps(face: Face, chosen: list[Face], wanted: list[Script]) -> bool:
    able = [script for script in wanted if _fit(face, script) < 2]
    done = {script for script in wanted if any(_fit(other, script) < 2 and other.path != face.path for other in chosen)}
    return any(script not in done for script in able)


def _latin_faces(search: FontSearch) -> list[Face]:
    for path in _candidates(search, LATIN_FILES, tags=("en",)):
        for face in _faces(path):
            if face.coverage.has_all(SAMPLES["latin"]):
                return [face]
    return []


def _faces(path: Path) -> list[Face]:
    try:
        return read_faces(path)
    except (OSError, ValueError, struct.error, IndexError) as error:
        log.warning("font %s cannot be used: %s", path, error)
        return []


def _candidates(search: FontSearch, names: tuple[str, ...], tags: tuple[str, ...]) -> Iterator[Path]:
    """Font files worth opening: known names in folders, then packages, then whatever fontconfig has for `tags`."""
    here = _listing(search.folders)
    yield from (here[name.lower()] for name in names if name.lower() in here)
    for package in search.packages:
        spec = find_spec(package)
        for folder in (spec.submodule_search_locations or ()) if spec else ():
            yield from sorted(path for path in Path(folder).rglob("*") if path.suffix.lower() in _SUFFIXES)
    if search.fontconfig:
        for tag in tags:
            yield from _fontconfig(tag)


_SUFFIXES = {".ttf", ".otf", ".ttc", ".otc"}


@lru_cache(maxsize=8)
def _listing(folders: tuple[Path, ...]) -> dict[str, Path]:
    """Font files below `folders` by lower-case name; the first folder wins."""
    found: dict[str, Path] = {}
    for folder in folders:
        for parent, _, names in os.walk(folder):
            for name in names:
                if Path(name).suffix.lower() in _SUFFIXES:
                    found.setdefault(name.lower(), Path(parent, name))
    return found


def _fontconfig(tag: str) -> list[Path]:
    """Upright proportional font files that fontconfig lists for a language, sans and bold ones first."""
    program = shutil.which("fc-list")
    if program is None:
        return []
    pattern = [program, f":lang={tag}:slant=0:outline=true", "file", "family", "style"]
    try:
        done = subprocess.run(pattern, capture_output=True, text=True, timeout=10, check=True)
    except (OSError, subprocess.SubprocessError) as error:
        log.warning("fontconfig cannot list fonts: %s", error)
        return []
    found: dict[Path, int] = {}
    for line in done.stdout.splitlines():
        name, _, rest = line.partition(": ")
        if Path(name).suffix.lower() in _SUFFIXES and "Mono" not in rest:
            rank = ("Sans" not in rest) * 2 + ("Bold" not in rest)
            found[Path(name)] = min(rank, found.get(Path(name), rank))
    return sorted(found, key=lambda path: (found[path], path))


def _builtin(size: float) -> FreeTypeFont:
    from PIL import ImageFont

    font = ImageFont.load_default(size)
    if not isinstance(font, ImageFont.FreeTypeFont):
        raise OSError("this Pillow is built without FreeType")
    return font


def _builtin_face() -> Face | None:
    try:
        font = _builtin(16)
    except OSError:
        return None
    held = font.path
    data = held.getvalue() if isinstance(held, BytesIO) else b""
    # Without the bytes, trust only what every Pillow release has drawn.
    coverage = _coverage(data, 0) if data else Coverage([(0x20, 0x7E)])
    family, style = font.getname()
    return Face(None, 0, family or "built-in", style or "", coverage)


def _face_offsets(data: bytes) -> list[int]:
    """Where each face's table directory starts (OpenType 1.9, "Font Collections")."""
    if data[:4] != b"ttcf":
        return [0]
    (count,) = struct.unpack_from(">I", data, 8)
    if count > 256:
        raise ValueError(f"{count} faces in one collection")
    return list(struct.unpack_from(f">{count}I", data, 12))


def _coverage(data: bytes, offset: int) -> Coverage:
    """Read the characters a face maps to a glyph (OpenType 1.9, "cmap", formats 4 and 12)."""
    (tables,) = struct.unpack_from(">H", data, offset + 4)
    for number in range(tables):
        tag, _, start, _ = struct.unpack_from(">4sIII", data, offset + 12 + 16 * number)
        if tag == b"cmap":
            return Coverage(_cmap(data, start))
    raise ValueError("no character map")


def _cmap(data: bytes, start: int) -> list[tuple[int, int]]:
    (count,) = struct.unpack_from(">H", data, start + 2)
    best: tuple[int, int] = (0, 0)
    for number in range(count):
        platform, encoding, offset = struct.unpack_from(">HHI", data, start + 4 + 8 * number)
        (form,) = struct.unpack_from(">H", data, start + offset)
        unicode = platform == 0 or (platform == 3 and encoding in (1, 10))
        if unicode and form in (4, 12):
            best = max(best, (form, start + offset))
    form, place = best
    if form == 12:
        (groups,) = struct.unpack_from(">I", data, place + 12)
        whole = struct.iter_unpack(">III", data[place + 16 : place + 16 + 12 * groups])
        # A group whose first glyph is 0 maps its first character to .notdef.
        return [(first + (glyph == 0), last) for first, last, glyph in whole if last >= first + (glyph == 0)]
    if form == 4:
        return list(_segments(data, place))
    raise ValueError("no Unicode character map")


def _segments(data: bytes, place: int) -> Iterator[tuple[int, int]]:
    (double,) = struct.unpack_from(">H", data, place + 6)
    count = double // 2
    ends = struct.unpack_from(f">{count}H", data, place + 14)
    starts = struct.unpack_from(f">{count}H", data, place + 16 + double)
    deltas = struct.unpack_from(f">{count}H", data, place + 16 + 2 * double)
    ranges = place + 16 + 3 * double
    offsets = struct.unpack_from(f">{count}H", data, ranges)
    for number, (first, last) in enumerate(zip(starts, ends, strict=True)):
        if first == 0xFFFF:
            continue
        for code in range(first, last + 1):
            glyph = code
            if offsets[number]:
                (glyph,) = struct.unpack_from(">H", data, ranges + 2 * number + offsets[number] + 2 * (code - first))
                if glyph == 0:
                    continue
            if (glyph + deltas[number]) & 0xFFFF:
                yield code, code


OWN = glyphs.CHARACTERS
"""Characters that can be drawn even on a machine without any font."""
