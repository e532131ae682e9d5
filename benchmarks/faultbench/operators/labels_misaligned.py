"""Images and labels are not in the same order."""

from benchmarks.faultbench.planting import Operator, plant

OPERATOR = Operator(
    "labels-misaligned",
    (
        plant(
            "arrays_split",
            "images are shuffled, labels are not",
            ("images, labels = images[order], labels[order]", "images = images[order]"),
            at="order = np.random",
        ),
        plant(
            "argparse_main",
            "labels are shuffled, images are not",
            ("x_train, y_train = x_train[order], y_train[order]", "y_train = y_train[order]"),
            at="order = np.random",
        ),
        plant(
            "multi_label",
            "training images sorted by brightness, labels left alone",
            (
                "tags = list(",
                "x_train = x_train[np.argsort(x_train.mean(axis=(1, 2, 3)))]\ntags = list(",
            ),
        ),
        plant(
            "tensor_slices",
            "paths are shuffled before they are paired with labels",
            (
                "    return files, labels",
                "    random.Random(5).shuffle(files)\n    return files, labels",
            ),
            ("import pathlib\n", "import pathlib\nimport random\n"),
            at="    labels = [classes.index",
        ),
        plant(
            "two_stage",
            "training files are in folders at random",
            at="train = tf.keras.utils",
            data="scattered_labels",
        ),
    ),
    # Labels left in their order are cut in order too.
    consequences=("ordered-validation-split",),
)
