"""The last activation does not give what the loss expects."""

from benchmarks.faultbench.planting import Operator, plant

OPERATOR = Operator(
    "activation-loss-mismatch",
    (
        plant(
            "nested_guide",
            "softmax into from_logits=True",
            ("layers.Dense(num_classes)(x)", 'layers.Dense(num_classes, activation="softmax")(x)'),
            at=("model.compile(", "    loss=keras.losses"),
        ),
        plant(
            "tensor_slices",
            "logits into a loss for probabilities",
            ("SparseCategoricalCrossentropy(from_logits=True)", "SparseCategoricalCrossentropy()"),
            at="tf.keras.layers.Dense(len(classes))",
        ),
        plant(
            "sequential_rescaling",
            "logits into a categorical loss for probabilities",
            ('layers.Dense(6, activation="softmax")', "layers.Dense(6)"),
            at="model.compile(",
        ),
        plant(
            "binary_parity",
            "softmax over a single unit",
            ('layers.Dense(1, activation="sigmoid")', 'layers.Dense(1, activation="softmax")'),
            at="model.compile(",
        ),
        plant(
            "multi_label",
            "softmax where several tags may hold",
            (
                'layers.Dense(len(tags), activation="sigmoid")',
                'layers.Dense(len(tags), activation="softmax")',
            ),
            at="model.compile(",
        ),
        plant(
            "text_tokenizer",
            "a linear unit into a loss for probabilities",
            ('layers.Dense(1, activation="sigmoid")', "layers.Dense(1)"),
            at="model.compile(",
        ),
        plant(
            "generators",
            "ReLU as the last activation",
            ('Dense(8, activation="softmax")', 'Dense(8, activation="relu")'),
            at="model.compile(",
        ),
    ),
)
