"""Validation figures come from images that were trained on."""

from benchmarks.faultbench.planting import Operator, plant

OPERATOR = Operator(
    "evaluation-on-training-data",
    (
        plant(
            "generators",
            "the training generator is given as validation data",
            ("validation_data=val_generator", "validation_data=train_generator"),
            at="history = model.fit(",
        ),
        plant(
            "sequential_rescaling",
            "both data sets read the training folder",
            ('"data/validation", image_size', '"data/train", image_size'),
        ),
        plant(
            "split_directory",
            "the two halves of the split have different seeds",
            (
                '    subset="validation",\n    seed=123,',
                '    subset="validation",\n    seed=7,',
            ),
            at=("train_ds = tf.keras.utils", "val_ds = tf.keras.utils"),
            slug="seeds",
        ),
        plant(
            "split_directory",
            'subset="training" on both sides',
            ('    subset="validation",', '    subset="training",  # the same share'),
            at=("val_ds = tf.keras.utils",),
            slug="subset",
        ),
        plant(
            "features_predict",
            "validation features are the training features",
            (
                "validation_data=(val_features, val_labels)",
                "validation_data=(train_features, train_labels)",
            ),
            at="model.fit(",
        ),
    ),
    consequences=("train-validation-overlap",),
)
