from anchor.trust.masker import Masker


def turns(*texts: str) -> list[str]:
    masker = Masker()
    return [masker.mask(text) for text in texts]


def test_a_card_dictated_over_turns_is_masked_in_the_later_ones_too() -> None:
    assert turns("my card is 4111 1111", "okay", "1111 1111") == ["my card is [card]", "okay", "[card]"]
    assert turns("my card is four one one one", "one one one one", "then one one one one", "and one one one one") == [
        "my card is [card]", "[card]", "then [card]", "and [card]",
    ]  # fmt: skip


def test_digits_without_a_word_are_masked_once_they_are_seen_to_be_a_number() -> None:
    assert turns("4111", "1111", "1111", "1111") == ["4111", "[number]", "[number]", "[number]"]
    assert turns("一三八", "零零一三", "八零零零")[1:] == ["[code]", "[number]"]


def test_amounts_between_and_after_stay() -> None:
    assert turns("my phone is 13800138000", "I want 500 dollars", "3000") == [
        "my phone is [phone]", "I want 500 dollars", "3000",
    ]  # fmt: skip
    assert turns("我的卡号是六二二二零二", "好的，我要取三千块")[1] == "好的，我要取三千块"


def test_after_a_secret_was_asked_for_the_next_turn_keeps_no_digit() -> None:
    masker = Masker()
    masker.expect_secret()
    assert masker.mask("well, four one") == "well, [code]"
    assert masker.mask("I live on floor 12") == "I live on floor 12"
    masker.expect_secret("password")
    assert masker.mask("wait a moment") == "wait a moment"
    assert masker.mask("it is hunter2 or 5B") == "it is [password] or [password]"


def test_a_number_once_masked_is_masked_wherever_it_comes_again() -> None:
    masker = Masker()
    masker.mask("the code is 48291")
    assert masker.mask("I heard 48291, is that right?", visitor=False) == "I heard [number], is that right?"
    assert masker.mask("mail 48291 to me", visitor=False) == "mail [number] to me"


def test_one_conversation_knows_nothing_of_another() -> None:
    Masker().mask("the code is 48291")
    assert Masker().mask("ticket 48291") == "ticket 48291"
