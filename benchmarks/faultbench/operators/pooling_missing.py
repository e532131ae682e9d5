"""The classifier is applied to a feature map: one prediction per place instead of per image."""

from benchmarks.faultbench.planting import Operator, plant

OPERATOR = Operator(
    "pooling-missing",
    (
        plant(
            "nested_guide",
            "no pooling before the last layer",
            ("x = layers.GlobalAveragePooling2D()(x)\n", ""),
            at=(
                "outputs = layers.Dense",
                "x = base_model(x",
                "x = layers.Dropout",
                "base_model = keras",
            ),
        ),
        plant(
            "split_directory",
            'pooling="avg" left out',
            ('weights="imagenet", alpha=0.35, pooling="avg"', 'weights="imagenet", alpha=0.35'),
            at=("x = base(x, training=False)", "x = layers.Dense(128", "outputs = layers.Dense"),
        ),
        plant(
            "sequential_rescaling",
            "no pooling layer",
            ("model.add(layers.GlobalAveragePooling2D())\n", ""),
            at=(
                "model.add(backbone)",
                "model.add(layers.Dense(64",
                "model.add(layers.Dense(6,",
                "backbone = keras",
            ),
        ),
    ),
)
