"""Images are in training and in validation."""

from benchmarks.faultbench.planting import Operator, plant

OPERATOR = Operator(
    "train-validation-overlap",
    (
        plant(
            "generators",
            "a third of the validation files are copies of training files",
            at=("train_generator = train_datagen", "val_generator = val_datagen"),
            data="overlap",
        ),
        plant(
            "sequential_rescaling",
            "a third of the validation files are copies of training files",
            at=("train = keras.utils", "validation = keras.utils"),
            data="overlap",
        ),
        plant(
            "argparse_main",
            "every third validation row is added to the training rows",
            (
                "    order = np.random",
                "    x_train, y_train = np.concatenate([x_train, x_val[::3]]), "
                "np.concatenate([y_train, y_val[::3]])\n    order = np.random",
            ),
        ),
        plant(
            "arrays_split",
            "classes are oversampled before the split",
            (
                "order = np.random",
                "images, labels = np.repeat(images, 2, axis=0), np.repeat(labels, 2)\n"
                "order = np.random",
            ),
            at="history = model.fit(",
        ),
    ),
    source_fix=False,
    consequences=("evaluation-on-training-data",),
)
