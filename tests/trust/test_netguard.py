from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence

import pytest

from anchor.errors import AddressError
from anchor.trust.netguard import NetGuard, Pinned

PUBLIC = "93.184.216.34"


def names(**known: str | list[str]) -> tuple[list[str], object]:
    """A resolver of the names given, and what it was asked."""
    asked: list[str] = []

    async def resolve(host: str, port: int) -> Sequence[str]:
        asked.append(host)
        found = known.get(host.replace(".", "_"))
        if found is None:
            raise OSError("no such name")
        return [found] if isinstance(found, str) else found

    return asked, resolve


def check(url: str, allow: Sequence[str] = (), **known: str | list[str]) -> Pinned:
    async def main() -> Pinned:
        _, resolve = names(**known)
        guard = NetGuard(allow, resolve=resolve) if known else NetGuard(allow)  # type: ignore[arg-type]
        return await guard(url)

    return asyncio.run(main())


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1", "127.1", "127.255.255.254", "2130706433", "0x7f000001", "0x7f.0.0.1", "0177.0.0.1", "017700000001",
        "localhost", "LOCALHOST", "localhost.", "0.0.0.0", "0", "10.0.0.1", "10.255.255.255", "172.16.0.1",
        "172.31.255.255", "192.168.0.1", "169.254.169.254", "169.254.1.1", "100.64.0.1", "100.100.100.200", "192.0.2.1",
        "198.18.0.1", "198.51.100.7", "203.0.113.9", "224.0.0.1", "239.255.255.250", "240.0.0.1", "255.255.255.255",
        "[::1]", "[::]", "[0:0:0:0:0:0:0:1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::127.0.0.1]",
        "[::ffff:10.0.0.1]", "[::ffff:169.254.169.254]", "[64:ff9b::7f00:1]", "[64:ff9b::a9fe:a9fe]", "[2002:7f00:1::]",
        "[2002:a9fe:a9fe::1]", "[fe80::1]", "[fc00::1]", "[fd00:ec2::254]", "[ff02::1]", "[2001:db8::1]",
        "①②⑦.⓪.⓪.①",
    ],
)  # fmt: skip
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_no_spelling_of_an_inner_address_is_reached(scheme: str, host: str) -> None:
    with pytest.raises(AddressError):
        check(f"{scheme}://{host}/")


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd", "ftp://bank.example/", "gopher://bank.example/", "data:text/plain,x",
        "javascript:alert(1)", "unix:///run/x",
        "//bank.example/x", "/demo", "bank.example", "", "http://", "http:///x", "https://:443/",
        "http://user@bank.example/", "http://user:pw@bank.example/", "http://bank.example@127.0.0.1/",
        "http://bank.example\\@127.0.0.1/", "http://bank.example:99999/", "http://bank.example:port/", "http://[::1",
        "http://[bank.example]/", "http://" + "a" * 300 + ".example/", "http://..example/", "HTTP+UNIX://x/",
    ],
)  # fmt: skip
def test_other_schemes_and_odd_addresses_are_refused(url: str) -> None:
    with pytest.raises(AddressError):
        check(url, bank_example=PUBLIC)


def test_a_public_address_is_pinned_to_what_was_looked_up() -> None:
    pinned = check("https://bank.example/api/x?y=1", bank_example=PUBLIC)
    assert pinned == Pinned(f"https://{PUBLIC}:443/api/x?y=1", "bank.example", "bank.example")
    pinned = check("http://bank.example:8080", bank_example="2606:2800:220:1::1")
    assert pinned == Pinned("http://[2606:2800:220:1::1]:8080/", "bank.example:8080", "bank.example")


def test_a_name_that_also_leads_inside_is_refused() -> None:
    with pytest.raises(AddressError, match=r"10\.0\.0\.1, which is no public address; add it to allow"):
        check("https://bank.example/", bank_example=[PUBLIC, "10.0.0.1"])


def test_a_name_is_looked_up_once_so_that_rebinding_gains_nothing() -> None:
    async def main() -> None:
        answers = iter([[PUBLIC], ["127.0.0.1"]])

        async def resolve(host: str, port: int) -> Sequence[str]:
            return next(answers)

        guard = NetGuard(resolve=resolve)
        assert (await guard("http://rebind.example/")).url == f"http://{PUBLIC}:80/"
        with pytest.raises(AddressError):
            await guard("http://rebind.example/")

    asyncio.run(main())


@pytest.mark.parametrize(
    ("allow", "host", "address", "reached"),
    [
        ("10.1.0.0/16", "core.bank", "10.1.2.3", True),
        ("10.1.0.0/16", "core.bank", "10.2.2.3", False),
        ("10.1.2.3", "core.bank", "10.1.2.3", True),
        ("core.bank", "core.bank", "10.1.2.3", True),
        ("core.bank", "CORE.bank.", "10.1.2.3", True),
        ("core.bank", "score.bank", "10.1.2.3", False),
        ("core.bank", "a.core.bank", "10.1.2.3", False),
        ("core.bank", "core.bank", "169.254.169.254", False),
        ("169.254.0.0/16", "core.bank", "169.254.169.254", True),
        ("127.0.0.0/8", "core.bank", "::ffff:127.0.0.1", True),
        ("fd00::/8", "core.bank", "fd00::5", True),
        ("core.bank", "core.bank", "0.0.0.0", False),
    ],
)
def test_only_what_is_allowed_may_be_private(allow: str, host: str, address: str, reached: bool) -> None:
    known = {host.lower().rstrip(".").replace(".", "_"): address}
    with contextlib.nullcontext() if reached else pytest.raises(AddressError):
        check(f"http://{host}/", [allow], **known)


@pytest.mark.parametrize(
    "entry", ["", "http://core.bank", "core.bank:80", "*.bank", "10.0.0.0/40", "10.0.0.1/8", "10.0"]
)
def test_an_allow_that_is_neither_host_nor_network_is_an_error(entry: str) -> None:
    with pytest.raises(AddressError, match="neither a host nor a network"):
        NetGuard([entry])


def test_an_error_does_not_repeat_what_is_in_the_path() -> None:
    with pytest.raises(AddressError) as caught:
        check("ftp://bank.example/secret?token=4421")
    assert "secret" not in str(caught.value) and "4421" not in str(caught.value)
