"""Fixtures every test may use."""

import os
import tempfile
from pathlib import Path

import pytest

from anchor.model_folder import models_folder

ROOT = Path(__file__).resolve().parents[1]

REAL_MODELS = Path(os.environ.setdefault("ANCHOR_TESTS_REAL_MODELS", str(models_folder())))
"""What has been pulled on this machine: for tests of real weights, which skip without; others must not depend on it.

In the environment, as tests run in several processes and those inherit the line below.
"""
os.environ["ANCHOR_MODELS"] = str(Path(tempfile.gettempdir()) / "anchor-tests-without-models")


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
