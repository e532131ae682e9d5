"""Training sees one class only."""

from benchmarks.faultbench.planting import Operator, plant

OPERATOR = Operator(
    "labels-single-class",
    (
        plant(
            "kfold",
            "the first 80 rows of a file sorted by class",
            ('archive["labels"]\n', 'archive["labels"]\nx, y = x[:80], y[:80]\n'),
        ),
        plant(
            "text_tokenizer",
            "a filter leaves good reviews only",
            (
                'val = pd.read_csv("data/reviews_validation.csv")\n',
                'val = pd.read_csv("data/reviews_validation.csv")\n'
                'train = train[train["label"] == 1]\n',
            ),
            at="train = pd.read_csv",
        ),
        plant(
            "subclassed",
            "training folders are empty but for one class",
            at="train_ds = keras.utils",
            data="one_class",
        ),
    ),
    source_fix=False,
    consequences=("class-imbalance",),
)
