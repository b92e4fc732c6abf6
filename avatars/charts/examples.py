"""A chart of every kind and a table, of made-up figures: ``python -m avatars.compositor --show bar``."""

from __future__ import annotations

from anchor.graphics import Chart, Grid, Series

EXAMPLES: dict[str, Chart | Grid] = {
    "line": Chart(
        "line",
        ("2018", "2019", "2020", "2021", "2022", "2023", "2024"),
        (
            Series("甲市", (6.7, 6.0, 2.2, 8.4, 3.0, 5.2, 5.0)),
            Series("乙市", (3.0, 2.5, -2.2, 6.1, None, 2.9, 2.8)),
        ),
        title="两座城市的经济增速",
        unit="%",
        source="示例数据",
    ),
    "bar": Chart(
        "bar",
        ("Solar", "Wind", "Hydropower", "Nuclear", "Coal"),
        (Series("Output", (312e9, 284e9, 190e9, 88e9, -45e9)),),
        title="Change in power generation",
        unit="kWh",
        source="made-up figures",
        highlight="Wind",
    ),
    "pie": Chart(
        "pie",
        ("地铁", "公交", "自行车", "步行", "私家车", "出租车", "轮渡", "其他方式"),
        (Series("", (34, 22, 14, 12, 10, 5, 2, 1)),),
        title="市民上班怎么走",
        source="示例数据",
        highlight="地铁",
    ),
    "table": Grid(
        ("Index", "Close", "Change"),
        (
            ("Northern Composite", "3,286.41", "+0.42%"),
            ("Harbour 50", "20,567.88", "\u22121.10%"),
            ("Riverside 225", "39,605.09", "+0.21%"),
            ("Island Growth", "5,969.34", "+0.35%"),
        ),
        title="Markets at the close",
        source="made-up figures",
        highlight="Harbour 50",
    ),
}
