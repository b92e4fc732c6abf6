from anchor.clock import run_virtual
from tests.broadcast.studio import Studio, rundown


def test_a_show_says_its_rundowns_in_order_and_ends() -> None:
    async def main() -> None:
        studio = Studio([rundown("A one. ", "B two. "), rundown("C three.", name="late")], ends=True)
        async with studio.on_air() as show:
            await studio.after(20)
            assert studio.text == "A one.B two.C three."
            assert [aired.segment for aired in show.aired(10)] == ["C", "B", "A"]
            assert {aired.outcome for aired in show.aired(10)} == {"said"}
            assert {item.state for item in show.order().items} == {"aired"}

    run_virtual(main())


def test_breaking_news_goes_in_at_the_next_sentence_end_and_the_rest_follows() -> None:
    from anchor.onair import Breaking

    async def main() -> None:
        studio = Studio([rundown("A one two three. Four five.", "B six.")])
        async with studio.on_air() as show:
            await studio.after(0.5)
            name = await show.breaking(Breaking("Flash news."))
            assert show.order().next == name
            await studio.after(20)
            assert studio.text == "A one two three. Flash news.Four five.B six."

    run_virtual(main())
