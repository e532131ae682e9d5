"""The last layer's units are not the number of classes."""

from benchmarks.faultbench.planting import Operator, plant

OPERATOR = Operator(
    "head-units-mismatch",
    (
        plant(
            "generators", "10 units for 8 classes", ("Dense(8, activation", "Dense(10, activation")
        ),
        plant(
            "subclassed",
            "5 units for 8 classes",
            ("Classifier(8)", "Classifier(5)"),
            at="self.head =",
        ),
        plant(
            "split_directory",
            "9 units for 10 classes",
            ('layers.Dense(10, activation="softmax")', 'layers.Dense(9, activation="softmax")'),
        ),
        plant(
            "sequential_rescaling",
            "1000 units, as ImageNet has classes",
            ('layers.Dense(6, activation="softmax")', 'layers.Dense(1000, activation="softmax")'),
        ),
        plant(
            "text_vectorization",
            "4 units for 5 topics",
            ('layers.Dense(5, activation="softmax")', 'layers.Dense(4, activation="softmax")'),
        ),
    ),
)
