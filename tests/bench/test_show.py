from anchor.bench.show import _breaking, _days, _virtually


def test_an_hour_of_a_show_loses_nothing_and_keeps_time() -> None:
    figures = {figure.name: figure for figure in _virtually(lambda: _days(1.0, lambda _: None))}
    assert figures["hours_in_virtual_time"].value > 1.0
    for name in ("segments_lost_or_repeated_max", "beats_against_the_clock_max", "log_lines_that_do_not_verify_max"):
        assert figures[name].ok, figures[name]


def test_breaking_news_costs_nothing_of_ours_after_the_sentence_end() -> None:
    late = _virtually(lambda: _breaking(10))
    assert len(late) == 10
    assert max(late) <= 0.2, "the lead-in of an utterance and the beats it is prepared in"
