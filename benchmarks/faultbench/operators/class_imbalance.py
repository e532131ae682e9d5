"""Some classes have many times the training images of others, and nothing makes up for it."""

from benchmarks.faultbench.planting import Operator, plant

OPERATOR = Operator(
    "class-imbalance",
    (
        plant(
            "generators",
            "six of eight classes have a tenth of the images",
            at=("train_generator = train_datagen", "history = model.fit("),
            data="skewed",
        ),
        plant(
            "nested_guide",
            "six of eight classes have a tenth of the images",
            at=("train_ds = keras", "model.fit(train_ds"),
            data="skewed",
        ),
        plant(
            "argparse_main",
            "six of eight classes have a tenth of the images",
            at=("x_train, y_train, names = read_images", "model.fit("),
            data="skewed",
        ),
        plant(
            "binary_parity",
            "twenty odd digits against two hundred even ones",
            at=("train = datagen", "model.fit(train"),
            data="skewed_parity",
        ),
    ),
)
