"""Batches hold one class after the other."""

from benchmarks.faultbench.planting import Operator, plant

OPERATOR = Operator(
    "unshuffled-training-data",
    (
        plant(
            "generators",
            "shuffle=False in the training generator",
            (
                '    class_mode="categorical",\n)\nval_generator',
                '    class_mode="categorical",\n    shuffle=False,\n)\nval_generator',
            ),
            at="train_generator = train_datagen",
        ),
        plant(
            "subclassed",
            "shuffle=False in the training data set",
            ("batch_size=32, shuffle=True, seed=7", "batch_size=32, shuffle=False"),
        ),
        plant(
            "tensor_slices",
            "the data set of sorted paths is not shuffled",
            ("train = train.shuffle(1000, seed=3)\n", ""),
            at=(
                "train = tf.data.Dataset",
                "train = train.map(load",
                "train = train.map(augment)",
            ),
        ),
        plant(
            "argparse_main",
            "no permutation, and shuffle=False at fit",
            (
                "    order = np.random.default_rng(0).permutation(len(x_train))\n"
                "    x_train, y_train = x_train[order], y_train[order]\n",
                "",
            ),
            ("        batch_size=32,\n", "        batch_size=32,\n        shuffle=False,\n"),
            at=("x_train, y_train, names = read_images", "    model.fit("),
        ),
    ),
)
