"""The feature map is flattened into a wide layer on few images."""

from benchmarks.faultbench.planting import Operator, plant

OPERATOR = Operator(
    "head-overfits",
    (
        plant(
            "nested_guide",
            "Flatten and 1024 units",
            (
                "x = layers.GlobalAveragePooling2D()(x)\nx = layers.Dropout(0.2)(x)",
                'x = layers.Flatten()(x)\nx = layers.Dense(1024, activation="relu")(x)',
            ),
        ),
        plant(
            "two_stage",
            "Flatten and two layers of 1024 units",
            (
                "x = layers.GlobalAveragePooling2D()(x)",
                'x = layers.Flatten()(x)\nx = layers.Dense(1024, activation="relu")(x)\n'
                'x = layers.Dense(1024, activation="relu")(x)',
            ),
        ),
        plant(
            "arrays_split",
            "Flatten and 2048 units",
            (
                "layers.GlobalAveragePooling2D(),\n        layers.Dropout(0.2),\n"
                '        layers.Dense(64, activation="relu")',
                'layers.Flatten(),\n        layers.Dense(2048, activation="relu")',
            ),
        ),
    ),
)
