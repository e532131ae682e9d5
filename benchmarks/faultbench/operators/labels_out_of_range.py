"""Integer labels outside 0..units-1, or no integers at all."""

from benchmarks.faultbench.planting import Operator, plant

OPERATOR = Operator(
    "labels-out-of-range",
    (
        plant(
            "arrays_split",
            "labels count from 1",
            (
                'images, labels = archive["images"], archive["labels"]',
                'images, labels = archive["images"], archive["labels"] + 1',
            ),
        ),
        plant(
            "subclassed",
            "labels count from 1 after the map",
            ("return preprocess_input(image), label", "return preprocess_input(image), label + 1"),
        ),
        plant(
            "features_predict",
            "labels count from 1",
            ("labels.append(batch_labels.numpy())", "labels.append(batch_labels.numpy() + 1)"),
        ),
        plant(
            "text_tokenizer",
            "labels divided by 255, as pixels are",
            ('y_train = train["label"].values', 'y_train = train["label"].values / 255.0'),
            ('y_val = val["label"].values', 'y_val = val["label"].values / 255.0'),
        ),
    ),
)
