"""An article becomes a rundown, somebody looks through it, and it is a film with its chart."""

from pathlib import Path

import av
import pytest

from anchor.broadcast.script import load_script
from anchor.graphics import Chart, Grid
from tests.end_to_end.test_command_line import anchor

ARTICLES = {
    "zh": """# 港口吞吐量再创新高

本市港务局昨天公布了去年的数据。全年完成货物吞吐量3.2亿吨，比前年增长4.5%。

| 年份 | 吞吐量（亿吨） |
|---|---|
| 2022 | 2.8 |
| 2023 | 3.06 |
| 2024 | 3.2 |

港务局表示，新码头将在明年六月启用，届时每天可多停靠12艘货轮。
""",
    "en": """# Harbour reports a record year

The port authority published its figures yesterday. Cargo rose by 4.5 percent to 320 million tonnes.

| Year | Cargo (million t) |
|---|---|
| 2022 | 280 |
| 2023 | |
| 2024 | 320 |

A new quay opens in June next year, the authority said, and will take twelve more ships a day.
""",
}


@pytest.mark.parametrize("language", ["zh", "en"])
def test_an_article_is_drafted_reviewed_and_rendered_with_its_numbers(tmp_path: Path, language: str) -> None:
    article, rundown, film = (tmp_path / name for name in ("article.md", "rundown.yaml", "film.mp4"))
    article.write_text(ARTICLES[language], "utf-8")
    done = anchor("draft", article, "-o", rundown)
    assert done.returncode == 0, done.stderr
    refused = anchor("render", rundown, "-o", film)
    assert refused.returncode == 1 and "review" in refused.stderr and not film.exists()
    text = rundown.read_text("utf-8")
    rundown.write_text("".join(line for line in text.splitlines(True) if not line.startswith("review:")), "utf-8")
    insets = [segment.graphics.inset for segment in load_script(rundown).segments]
    (shown,) = [inset for inset in insets if isinstance(inset, Chart | Grid)]
    if isinstance(shown, Chart):
        assert shown.series[0].values == ((2.8, 3.06, 3.2) if language == "zh" else (280, None, 320))
    done = anchor("render", rundown, "-o", film, "--size", "320x180", "--fps", "10")
    assert done.returncode == 0, done.stderr
    with av.open(str(film)) as opened:
        assert float(opened.duration or 0) / 1e6 > 8


@pytest.mark.shared
@pytest.mark.parametrize("name", ["pud_en_first200.txt", "pud_zh_first200.txt", "gsdsimp_zh_first200.txt"])
def test_real_news_become_drafts_that_air_after_review(tmp_path: Path, shared: Path, name: str) -> None:
    lines = (shared / "texts" / "news" / name).read_text("utf-8").splitlines()[:12]
    article, rundown = tmp_path / "article.txt", tmp_path / "rundown.yaml"
    article.write_text("\n\n".join(line.split("\t")[-1] for line in lines), "utf-8")
    assert anchor("draft", article, "-o", rundown).returncode == 0
    rundown.write_text(rundown.read_text("utf-8").replace("review: required\n", ""), "utf-8")
    script = load_script(rundown)
    assert len("".join(segment.text for segment in script.segments)) > 200 and len(script.segments) >= 3
