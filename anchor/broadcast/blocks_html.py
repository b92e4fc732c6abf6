"""A page's article as blocks: what is around it, such as menus, adverts and scripts, is left out."""

from __future__ import annotations

import re
from collections.abc import Sequence
from html.parser import HTMLParser

from anchor.broadcast.blocks import Block, squared

_VOID = frozenset((
    "area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "track", "wbr",
))  # fmt: skip
_UNREAD = frozenset((
    "script", "style", "noscript", "template", "svg", "math", "nav", "aside", "footer", "form", "button", "select",
    "iframe", "object", "canvas", "audio", "video", "figure", "dialog", "menu", "title", "head",
))  # fmt: skip
_BLOCKS = frozenset((
    "p", "div", "section", "article", "main", "header", "li", "ul", "ol", "dl", "dt", "dd", "table", "tr", "td", "th",
    "h1", "h2", "h3", "h4", "h5", "h6", "blockquote", "pre", "body",
))  # fmt: skip
_CLOSED_BY = {
    "li": ("li", "p"), "p": ("p",), "dt": ("dt", "dd"), "dd": ("dt", "dd"), "tr": ("tr", "td", "th", "p"),
    "td": ("td", "th", "p"), "th": ("td", "th", "p"), "div": ("p",), "ul": ("p",), "ol": ("p",), "table": ("p",),
}  # fmt: skip
_AROUND = re.compile(
    r"(?:^|[\s_-])(?:ads?|advert\w*|banner|breadcrumbs?|byline|captions?|comments?|cookies?|copyright|footer|follow|"
    r"hidden|menu|meta|nav\w*|newsletter|pagination|popup|promo\w*|recommend\w*|related|share|sharing|sidebar|"
    r"social|sponsor\w*|subscribe\w*|tags?|teaser|toolbar|widget)(?:$|[\s_-])",
    re.IGNORECASE,
)
_SITE = re.compile(r"\s+[|\-–—_·»]\s+[^|–—_·»]{1,40}$|_[^_]{2,20}$")
DEEPEST = 400
LEAST_ARTICLE = 80
"""Characters in an ``article`` element, below which the whole page is taken."""


def html_blocks(text: str) -> tuple[str, list[Block]]:
    """The title of a page and the blocks of its article."""
    page = _read(text, by_name=True)
    whole = _read(text, by_name=False)
    if _readable(page.found) * 4 < _readable(whole.found):
        # A frame around everything has a name such as "with-sidebar".
        page = whole
    inner = [(within, block) for within, block in page.found if within]
    blocks = [block for _, block in (inner if _readable(inner) >= LEAST_ARTICLE else page.found)]
    first = next((block.text for block in blocks if block.kind == "heading" and block.level == 1), "")
    return first or page.shared_title or _SITE.sub("", page.title), blocks


def _read(text: str, *, by_name: bool) -> _Page:
    page = _Page(by_name=by_name)
    page.feed(text)
    page.close()
    page.finish()
    return page


def _readable(found: Sequence[tuple[bool, Block]]) -> int:
    return sum(len(block.text) for _, block in found if block.kind == "text")


class _Page(HTMLParser):
    """`found`: blocks, and whether they stand in an article. `by_name`: parts with an advert's name are left out."""

    def __init__(self, *, by_name: bool) -> None:
        super().__init__(convert_charrefs=True)
        self._by_name = by_name
        self.found: list[tuple[bool, Block]] = []
        self.title = ""
        self.shared_title = ""
        self._open: list[tuple[str, bool]] = []
        self._unread = 0
        self._within = 0
        self._words: list[str] = []
        self._linked = 0
        self._entries: list[str] = []
        self._entry_links = 0
        self._rows: list[list[str]] = []
        self._links = 0
        self._title = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        if tag == "meta" and values.get("property") == "og:title":
            self.shared_title = " ".join(values.get("content", "").split())
        self._title = self._title or tag == "title"
        if tag == "br":
            self._words.append("\n")
        if tag in _VOID or len(self._open) >= DEEPEST:
            return
        while self._open and self._open[-1][0] in _CLOSED_BY.get(tag, ()):
            self._close()
        if tag in _BLOCKS:
            self._flush()
        around = f"{values.get('class', '')} {values.get('id', '')} {values.get('role', '')}"
        unread = tag in _UNREAD or "hidden" in values or values.get("aria-hidden") == "true"
        if self._by_name and tag not in ("html", "body", "article", "main"):
            unread = unread or _AROUND.search(around) is not None
        if tag == "head":
            unread = False
        self._open.append((tag, unread))
        self._unread += unread
        self._within += tag in ("article", "main")
        self._links += tag == "a"
        if tag == "tr" and not self._unread:
            self._rows.append([])

    def handle_endtag(self, tag: str) -> None:
        if tag == "title":
            self._title = False
        if any(name == tag for name, _ in self._open):
            while self._close() != tag:
                pass

    def _close(self) -> str:
        name, unread = self._open[-1]
        if name in _BLOCKS:
            self._flush()
        if not self._unread:
            if name in ("ul", "ol", "dl"):
                self._end_list()
            elif name == "table":
                self._end_table()
        self._open.pop()
        self._unread -= unread
        self._within -= name in ("article", "main")
        self._links -= name == "a"
        return name

    def handle_data(self, data: str) -> None:
        if self._title:
            self.title = " ".join(f"{self.title}{data}".split())
        elif not self._unread:
            self._words.append(data)
            if self._links:
                self._linked += len(data.strip())

    def _flush(self) -> None:
        """Words so far become what the innermost block is for."""
        text = " ".join("".join(self._words).split())
        linked, self._linked, self._words = self._linked, 0, []
        inner = next((name for name, _ in reversed(self._open) if name in _BLOCKS), "")
        if self._unread:
            return
        if inner in ("td", "th"):
            self._cell(text)
        elif not text:
            return
        elif inner in ("li", "dt", "dd"):
            self._entries.append(text)
            self._entry_links += linked
        elif re.fullmatch("h[1-6]", inner):
            self._put(Block("heading", text, int(inner[1])))
        elif linked * 10 < len(text) * 7:
            self._put(Block("text", text))

    def _cell(self, text: str) -> None:
        if self._rows and self._open[-1][0] in ("td", "th"):
            self._rows[-1].append(text)
        elif self._rows and self._rows[-1] and text:
            self._rows[-1][-1] = f"{self._rows[-1][-1]} {text}".strip()

    def _end_list(self) -> None:
        entries, links = self._entries, self._entry_links
        self._entries, self._entry_links = [], 0
        if entries and links * 10 < sum(map(len, entries)) * 6:
            self._put(Block("list", items=tuple(entries)))

    def _end_table(self) -> None:
        rows, self._rows = [row for row in self._rows if any(row)], []
        if len(rows) >= 2 and len(rows[0]) >= 2:
            self._put(Block("table", rows=squared(rows)))
        elif rows:
            for row in rows:
                self._put(Block("text", " ".join(filter(None, row))))

    def _put(self, block: Block) -> None:
        self.found.append((self._within > 0, block))

    def finish(self) -> None:
        while self._open:
            self._close()
        self._flush()
