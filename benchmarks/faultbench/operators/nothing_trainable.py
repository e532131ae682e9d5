"""The head is frozen as well."""

from benchmarks.faultbench.planting import Operator, plant

OPERATOR = Operator(
    "nothing-trainable",
    (
        plant(
            "nested_guide",
            "the whole model is frozen",
            (
                "model = keras.Model(inputs, outputs)\n",
                "model = keras.Model(inputs, outputs)\nmodel.trainable = False\n",
            ),
            at="base_model.trainable = False",
        ),
        plant(
            "generators",
            "the loop runs over the layers of the classifier, not of the backbone",
            ("for layer in base_model.layers:\n    layer.trainable = False\n\n", ""),
            (
                "outputs=predictions)\n",
                "outputs=predictions)\nfor layer in model.layers:\n    layer.trainable = False\n",
            ),
        ),
        plant(
            "split_directory",
            "every layer of the model is frozen",
            (
                "model = tf.keras.Model(inputs, outputs)\n",
                "model = tf.keras.Model(inputs, outputs)\n"
                "for layer in model.layers:\n    layer.trainable = False\n",
            ),
            at="base.trainable = False",
        ),
        plant(
            "binary_parity",
            "the model is frozen after the head was added",
            ("conv_base.trainable = False\n", ""),
            (
                'model.add(layers.Dense(1, activation="sigmoid"))\n',
                'model.add(layers.Dense(1, activation="sigmoid"))\nmodel.trainable = False\n',
            ),
        ),
    ),
)
