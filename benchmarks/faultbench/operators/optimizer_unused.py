"""An optimizer is configured and another one is compiled."""

from benchmarks.faultbench.planting import Operator, plant

OPERATOR = Operator(
    "optimizer-unused",
    (
        plant(
            "split_directory",
            'compile gets the string "sgd"',
            ("model.compile(optimizer=optimizer,", 'model.compile(optimizer="sgd",'),
            at="optimizer = tf.keras.optimizers",
        ),
        plant(
            "argparse_main",
            'compile gets the string "adam"',
            ("    model.compile(optimizer, loss", '    model.compile("adam", loss'),
            at="    optimizer = Adam(",
        ),
    ),
)
