"""validation_split cuts the last classes off sorted data."""

from benchmarks.faultbench.planting import Operator, plant

OPERATOR = Operator(
    "ordered-validation-split",
    (
        plant(
            "arrays_split",
            "the arrays are not shuffled",
            (
                "order = np.random.default_rng(42).permutation(len(images))\n"
                "images, labels = images[order], labels[order]\n",
                "",
            ),
            at=('images, labels = archive["images"]', "history = model.fit("),
        ),
        plant(
            "argparse_main",
            "no permutation before validation_split",
            (
                "    order = np.random.default_rng(0).permutation(len(x_train))\n"
                "    x_train, y_train = x_train[order], y_train[order]\n",
                "",
            ),
            ("        validation_data=(x_val, y_val),\n", "        validation_split=0.25,\n"),
            at=("x_train, y_train, names = read_images", "    model.fit("),
        ),
        plant(
            "kfold",
            "folds of sorted rows are not shuffled: two classes are left out of training",
            ("KFold(n_splits=3, shuffle=True, random_state=0)", "KFold(n_splits=3)"),
            at='archive["labels"]',
        ),
    ),
)
