"""Gradients vanish, explode or are NaN."""

from benchmarks.faultbench.planting import Operator, plant

OPERATOR = Operator(
    "gradients-unhealthy",
    (
        plant(
            "split_directory",
            "five sigmoid layers from tiny weights: gradients vanish",
            (
                'x = layers.Dense(128, activation="relu")(x)',
                "for _ in range(5):\n"
                '    x = layers.Dense(128, activation="sigmoid", kernel_initializer=tf.keras.'
                "initializers.RandomNormal(stddev=0.01))(x)",
            ),
        ),
        plant(
            "features_predict",
            "a bias of -50 under ReLU: every unit of the hidden layer is dead",
            (
                'layers.Dense(128, activation="relu")',
                "layers.Dense(\n"
                '            128, activation="relu", '
                "bias_initializer=initializers.Constant(-50.0)\n"
                "        )",
            ),
            (
                "from keras import Input, Sequential, layers, optimizers",
                "from keras import Input, Sequential, initializers, layers, optimizers",
            ),
            slug="dead",
        ),
        plant(
            "sequential_rescaling",
            "a hidden layer that starts far too large: gradients explode",
            (
                'layers.Dense(64, activation="relu")',
                'layers.Dense(\n        64, activation="relu",\n'
                "        kernel_initializer=keras.initializers.RandomNormal(stddev=1e18)\n    )",
            ),
        ),
    ),
)
