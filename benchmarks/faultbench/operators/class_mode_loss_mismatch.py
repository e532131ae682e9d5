"""The way labels are written does not fit the loss."""

from benchmarks.faultbench.planting import Operator, plant

OPERATOR = Operator(
    "class-mode-loss-mismatch",
    (
        plant(
            "generators",
            "sparse loss on one-hot labels",
            ('loss="categorical_crossentropy"', 'loss="sparse_categorical_crossentropy"'),
            at=("train_generator = train_datagen", "val_generator = val_datagen"),
        ),
        plant(
            "nested_guide",
            "categorical loss on integer labels",
            ("keras.losses.SparseCategoricalCrossentropy", "keras.losses.CategoricalCrossentropy"),
            at=("train_ds = keras", "val_ds = keras", "model.compile("),
        ),
        plant(
            "sequential_rescaling",
            "label_mode left at integers",
            (
                '"data/train", image_size=(96, 96), label_mode="categorical"',
                '"data/train", image_size=(96, 96)',
            ),
            (
                '"data/validation", image_size=(96, 96), label_mode="categorical"',
                '"data/validation", image_size=(96, 96)',
            ),
            at="model.compile(",
        ),
        plant(
            "argparse_main",
            "labels are not encoded for the categorical loss",
            (
                "    y_train = to_categorical(y_train, len(names))\n"
                "    y_val = to_categorical(y_val, len(names))\n",
                "",
            ),
            at=(
                "model.compile(optimizer",
                "x_train, y_train, names = read_images",
                "x_val, y_val, _ = read_images",
                "model.fit(",
                "x_train, y_train = x_train[order]",
            ),
        ),
        plant(
            "binary_parity",
            "one-hot labels for one sigmoid unit",
            (
                '"data/train", target_size=(96, 96), batch_size=20, class_mode="binary"',
                '"data/train", target_size=(96, 96), batch_size=20, class_mode="categorical"',
            ),
            (
                '"data/validation", target_size=(96, 96), batch_size=20, class_mode="binary"',
                '"data/validation", target_size=(96, 96), batch_size=20, class_mode="categorical"',
            ),
            at="model.compile(",
        ),
    ),
)
