"""What every test that runs a program needs: real images, and pretrained weights at hand."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

ASSETS = Path(__file__).parent.parent / "examples" / "assets"
sys.path.insert(0, str(ASSETS))


@pytest.fixture(scope="session")
def keras_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Keras cache that holds the small pretrained MobileNetV2."""
    import weights

    home = tmp_path_factory.mktemp("keras")
    weights.install(home)
    return home


@pytest.fixture(scope="session")
def photographs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Real photographs as ``train/CLASS`` and ``validation/CLASS``, eight classes."""
    import images

    return images.write(tmp_path_factory.mktemp("photographs"), "photographs")


@pytest.fixture
def project(
    tmp_path: Path, photographs: Path, keras_home: Path, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """A folder with ``data/`` in it, the weights at hand, and the working directory set to it."""
    monkeypatch.setenv("KERAS_HOME", str(keras_home))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data").symlink_to(photographs)
    return tmp_path
