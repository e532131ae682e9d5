"""Few images and a head that overfits them, without augmentation."""

from benchmarks.faultbench.planting import Operator, plant

OPERATOR = Operator(
    "augmentation-missing",
    (
        plant(
            "nested_guide",
            "no augmentation, no dropout, a wide head",
            (
                "x = augmentation(inputs)\nx = keras.applications.mobilenet_v2.preprocess_input(x)",
                "x = keras.applications.mobilenet_v2.preprocess_input(inputs)",
            ),
            (
                "augmentation = keras.Sequential("
                '[layers.RandomFlip("horizontal"), layers.RandomRotation(0.05)])\n\n',
                "",
            ),
            ("x = layers.Dropout(0.2)(x)", 'x = layers.Dense(512, activation="relu")(x)'),
            at=("train_ds = keras", "inputs = keras.Input", "model.fit("),
        ),
        plant(
            "generators",
            "no augmentation, no dropout, a wide head",
            ("    rotation_range=10,\n    horizontal_flip=True,\n", ""),
            (
                'x = Dense(64, activation="relu")(x)\nx = Dropout(0.3)(x)',
                'x = Dense(512, activation="relu")(x)',
            ),
            at=(
                "train_datagen = ImageDataGenerator(",
                "train_generator = train_datagen",
                "history = model.fit(",
            ),
        ),
    ),
    consequences=("head-overfits",),
)
