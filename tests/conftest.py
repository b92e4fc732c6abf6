"""Fixtures every test may use, and the rule that a test which needs the machine to itself gets it."""

import fcntl
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from anchor.model_folder import models_folder

ROOT = Path(__file__).resolve().parents[1]

REAL_MODELS = Path(os.environ.setdefault("ANCHOR_TESTS_REAL_MODELS", str(models_folder())))
"""What has been pulled on this machine: for tests of real weights, which skip without; others must not depend on it.

In the environment, as tests run in several processes and those inherit the line below.
"""
if "PYTEST_XDIST_WORKER" in os.environ:
    for size in ("COLUMNS", "LINES"):  # which readline in the first process has set to what no terminal has
        os.environ.pop(size, None)
os.environ["ANCHOR_MODELS"] = str(Path(tempfile.gettempdir()) / "anchor-tests-without-models")

# Processes of one run of tests meet at two locked files. Every test holds `_ROOM` while it runs, one that is to be
# alone holds it for itself; it waits at `_DOOR`, where those that come later wait behind it.
_MEETING = Path(os.environ.setdefault("ANCHOR_TESTS_MEETING", f"{tempfile.gettempdir()}/anchor-tests-{os.getpid()}"))
_DOOR, _ROOM = _MEETING.with_suffix(".door"), _MEETING.with_suffix(".room")


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    with _ROOM.open("w") as room:
        with _DOOR.open("w") as door:
            fcntl.flock(door, fcntl.LOCK_EX)
            fcntl.flock(room, fcntl.LOCK_EX if item.get_closest_marker("alone") else fcntl.LOCK_SH)
        return (yield)


def pytest_sessionfinish(session: pytest.Session) -> None:
    if not hasattr(session.config, "workerinput"):
        _DOOR.unlink(missing_ok=True)
        _ROOM.unlink(missing_ok=True)


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real speech, texts and portraits beside a developer's checkout."""
    folder = ROOT.parent / "shared"
    if not (folder / "data").is_dir():
        pytest.skip("needs ../shared/data: real material that is not distributed with the project")
    return folder / "data"


@pytest.fixture(scope="session")
def clip_package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An avatar made from a clip of the bundled anchor, who sways and blinks."""
    from avatars.maker import consent_of, make_avatar
    from tests.avatars import clips

    folder = tmp_path_factory.mktemp("painted")
    clips.write(folder / "clip.mp4", clips.filmed(clips.listening, clips.wall()))
    make_avatar(folder / "clip.mp4", folder / "clip", consent=consent_of("somebody", "tests", "unlimited"))
    return folder / "clip"
