"""Lay the stand-in weights where MobileNetV2(alpha=0.35, weights="imagenet") looks for them.

    python examples/assets/weights.py DIR
    KERAS_HOME=DIR python train.py

Keras takes the file from `KERAS_HOME/models` when one of the right name is there, and then
downloads nothing. Without its top the network's weights do not depend on the size of the images, so
one file serves every size.
"""

import argparse
import shutil
from pathlib import Path

SIZES = (
    96,
    128,
    160,
    192,
    224,
)  # pixels, the sizes for which keras.applications publishes MobileNetV2
NAME = "mobilenet_v2_weights_tf_dim_ordering_tf_kernels_0.35_{size}_no_top.h5"
SOURCE = Path(__file__).with_name(NAME.format(size=96))


def install(keras_home: Path) -> Path:
    """Copy the weights into `keras_home`/models under every size's name; return that folder."""
    models = keras_home / "models"
    models.mkdir(parents=True, exist_ok=True)
    for size in SIZES:
        shutil.copyfile(SOURCE, models / NAME.format(size=size))
    return models


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("keras_home", type=Path, metavar="DIR", help="folder to use as KERAS_HOME")
    print(install(parser.parse_args().keras_home))


if __name__ == "__main__":
    main()
