"""Blank or repeated images, or images that a wrong type has emptied."""

from benchmarks.faultbench.planting import Operator, plant

OPERATOR = Operator(
    "inputs-degenerate",
    (
        plant(
            "nested_guide",
            "two thirds of the files are an even grey",
            at=("train_ds = keras", "val_ds = keras"),
            data="blank",
        ),
        plant(
            "two_stage",
            "nine of ten training images of a class are one image",
            at="train = tf.keras.utils",
            data="repeated",
        ),
        plant(
            "arrays_split",
            "scaled images are stored as unsigned bytes: nearly all of them zero",
            (
                'images.astype("float32") / 127.5 - 1.0',
                '(images.astype("float32") / 127.5 - 1.0).astype("uint8")',
            ),
        ),
        plant(
            "argparse_main",
            "every image is read into one buffer, so that all rows are the last image",
            (
                "    images, labels = [], []\n    names",
                "    images, labels = [], []\n"
                '    pixels = np.zeros((size, size, 3), "float32")\n    names',
            ),
            (
                'images.append(np.asarray(image.resize((size, size)), dtype="float32"))',
                "pixels[:] = np.asarray(image.resize((size, size)))\n"
                "            images.append(pixels)",
            ),
            at="return np.stack(images)",
        ),
    ),
    source_fix=False,
    consequences=("preprocessing-mismatch",),
)
