from __future__ import annotations

from pathlib import Path

import pytest

from anchor.dialogue.actions import accept, load_actions
from anchor.dialogue.triggers import Trigger
from anchor.errors import ConfigError
from tests.conftest import ROOT
from tests.dialogue.test_values import TODAY

GOOD = """
[[actions]]
name = "rates"
title.en = "Rates"
say.en = "{rate}"
url = "/rates"
"""


def load(tmp_path: Path, text: str) -> None:
    file = tmp_path / "actions.toml"
    file.write_text(text)
    load_actions(file)


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ("colour = 1", "unknown key actions.rates.colour"),
        ("url2 = 1", "unknown key actions.rates.url2"),
        ("confirm = 'maybe'", "actions.rates.confirm"),
        ("timeout = 0", "actions.rates.timeout"),
        ("method = 'BREW'", "actions.rates.method"),
        ("method = 'POST'", "actions.rates.confirm: must be true, for it changes something"),
        ("headers = { X = '${NOT_SET_ANYWHERE}' }", "the environment has no NOT_SET_ANYWHERE"),
        ("headers = { Host = 'x' }", "'Host' is set by us"),
        ('headers = { X = "a\\nb" }', "no header with a plain value"),
        ("triggers.en = ['*']", "actions.rates.triggers.en: '*': a * stands between words"),
        ("triggers.en = ['/(/']", "is no regular expression"),
        ("read_back.en = 'Shall I {$x}?'", "actions.rates.read_back.en: there is no property 'x'"),
        ("say_empty.english_words = 'x'", "no language tag"),
        ("say_empty.en = ' '", "the text for en is empty"),
        ("identify = { action = 'who' }", "actions.rates.confirm: must be true"),
        ("confirm = true\nidentify = { action = 'who' }", "identify.action: there is no action 'who'"),
        ("confirm = true\nidentify = { action = 'rates' }", "must neither be confirmed"),
        ("parameters.required = ['x']", "parameters: there is no property 'x'"),
        ("parameters.properties.x = { x-kind = 'colour' }", "x-kind: must be one of date, birthday, time"),
        ("parameters.properties.x = { x-color = 'red' }", "unknown key x-color"),
        ("parameters.properties.x = { type = 'string', minimun = 3 }", "unknown key minimun"),
        ("parameters.properties.x = { type = 'integer', x-kind = 'number', minimum = 'a' }", "no JSON schema"),
        ("parameters.properties.x = { x-kind = 'amount' }", "of kind amount must have the type number"),
        ("parameters.properties.x = { x-kind = 'choice' }", "a choice needs something to choose from"),
        ("parameters.properties.x = { x-secret = true, x-ask.en = 'x' }", "confirm: must be true"),
        ("parameters = { required = ['x'], properties.x = {} }", "x.x-ask: is missing"),
        (
            "confirm = true\nread_back.en = '{$x}'\nparameters.properties.x = { x-secret = true }",
            "read_back.en: 'x' is secret and never said",
        ),
    ],
)
def test_a_mistake_is_named_with_file_and_key(tmp_path: Path, more: str, told: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, GOOD + more)
    assert told in str(caught.value) and str(caught.value).startswith(f"{tmp_path / 'actions.toml'}: ")
    assert len(str(caught.value).splitlines()) <= 3


@pytest.mark.parametrize(
    "url",
    ["rates", "//evil.example/", "/\\evil.example", "ftp://x/", "file:///etc", "https://u@x/", "https://{x}/", "/a b"],
)
def test_an_address_is_a_path_or_a_plain_http_address(tmp_path: Path, url: str) -> None:
    with pytest.raises(ConfigError, match=r"actions\.rates\.url"):
        load(tmp_path, GOOD.replace("/rates", url.replace("\\", "\\\\")))


@pytest.mark.parametrize("say", ["{", "}", "{a|colour}", "{each x: {y}", "{each x}", "{a b}", "{$rate}"])
def test_a_template_that_says_nothing_is_refused(tmp_path: Path, say: str) -> None:
    with pytest.raises(ConfigError, match=r"actions\.rates\.say\.en: "):
        load(tmp_path, GOOD.replace("{rate}", say))


@pytest.mark.parametrize("text", ["", "actions = 3", "[[actions]]", GOOD + GOOD, "x = ", "nothing = 1"])
def test_a_file_without_proper_actions_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(ConfigError):
        load(tmp_path, text)


def test_secrets_in_headers_come_from_the_environment_and_are_not_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BANK_TOKEN", "s3cret")
    file = tmp_path / "actions.toml"
    file.write_text(GOOD + 'headers = { Authorization = "Bearer ${BANK_TOKEN}" }')
    (action,) = load_actions(file)
    assert action.headers == {"Authorization": "Bearer s3cret"} and "s3cret" not in repr(action)


def test_the_kiosks_actions_speak_both_languages() -> None:
    actions = load_actions(ROOT / "configs" / "kiosk" / "actions.toml")
    assert [action.name for action in actions] == [
        "find_branch", "book_appointment", "free_times", "cancel_appointment", "identity", "balance", "block_card",
        "exchange_rate",
    ]  # fmt: skip
    for action in actions:
        texts = [action.title, action.say, action.say_error, *(one.ask for one in action.parameters)]
        assert all(set(text) == {"en", "zh"} for text in texts)
        assert action.confirm or not (action.changes or action.identify) or action.name == "identity"


def test_a_model_is_told_neither_secrets_nor_our_own_keys() -> None:
    actions = {action.name: action for action in load_actions(ROOT / "configs" / "kiosk" / "actions.toml")}
    assert actions["identity"].tool().parameters["properties"] == {}
    assert actions["balance"].tool().parameters["properties"] == {}
    tool = actions["book_appointment"].tool("zh")
    assert tool.description == "预约网点的客户经理"
    branch = {"description": "网点", "type": "string", "enum": ["central", "riverside", "university", "airport"]}
    assert tool.parameters["properties"]["branch"] == branch
    assert "x-" not in str(tool.parameters)


@pytest.mark.parametrize(
    ("name", "given", "taken"),
    [
        ("date", "2026-11-27", "2026-11-27"),
        ("date", "tomorrow", "2026-11-27"),
        ("date", "2020-01-01", None),
        ("date", "2026-11-29", None),
        ("time", "15:30", "15:30"),
        ("time", "half past three", "15:30"),
        ("time", "23:00", None),
        ("branch", "riverside", "riverside"),
        ("branch", "River side branch", "riverside"),
        ("branch", "moon", None),
        ("branch", ["riverside"], None),
        ("name", "Anna", "Anna"),
        ("name", {"first": "Anna"}, None),
        ("name", "x" * 100, None),
        ("time", None, None),
    ],
)
def test_what_a_model_gives_is_taken_only_if_it_fits(name: str, given: object, taken: object) -> None:
    actions = {action.name: action for action in load_actions(ROOT / "configs" / "kiosk" / "actions.toml")}
    parameter = actions["book_appointment"].parameter(name)
    assert accept(parameter, given, language="en", today=TODAY) == taken


@pytest.mark.parametrize(
    ("trigger", "text", "begins"),
    [
        ("book * appointment", "I want to book another short appointment", True),
        ("book an appointment", "How do I book an appointment?", False),
        ("book an appointment", "Can I book an appointment?", True),
        ("book an appointment", "rebook an appointment", False),
        ("where is the * branch", "Where is the Airport branch?", True),
        ("预约", "我想预约", True),
        ("预约", "怎么预约？", False),
        ("预约", "可以预约吗？", True),
        ("找*网点", "帮我找一下附近的网点", True),
        ("汇率", "今天汇率是多少", False),
        ("/汇率.*多少/", "今天汇率是多少", True),
        ("挂失", "我要掛失", True),
        ("余额", "查一下餘額", True),
    ],
)
def test_a_phrase_begins_an_action_unless_it_is_only_asked_about(trigger: str, text: str, begins: bool) -> None:
    assert bool(Trigger.parse(trigger).strength(text)) is begins


@pytest.mark.parametrize(
    ("text", "begins"),
    [
        ("What's my balance?", True),
        ("How do I see my balance?", False),
        ("我的余额是多少", True),
        ("余额怎么查？", False),
        ("余额怎么样", True),
    ],
)
def test_asking_for_what_is_looked_up_begins_it(text: str, begins: bool) -> None:
    triggers = (Trigger.parse("my balance"), Trigger.parse("余额"))
    assert any(trigger.strength(text, looks=True) for trigger in triggers) is begins
