"""Programs with two or three faults, in the order in which a reader should hear of them.

What stops the program comes first, then what costs most. Written as ``cause`` or ``cause:slug``.
"""

from __future__ import annotations

COMBINATIONS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("nested_guide", ("preprocessing-mismatch", "backbone-unfrozen")),
    ("nested_guide", ("learning-rate-high", "preprocessing-missing")),
    ("nested_guide", ("preprocessing-missing", "activation-loss-mismatch")),
    ("generators", ("class-imbalance", "preprocessing-mismatch")),
    ("generators", ("target-size-mismatch", "preprocessing-mismatch")),
    ("generators", ("removed-api:lr", "preprocessing-mismatch")),
    ("generators", ("preprocessing-mismatch", "evaluation-shuffled")),
    ("generators", ("removed-api:lr", "target-size-mismatch", "class-mode-loss-mismatch")),
    ("argparse_main", ("labels-misaligned", "preprocessing-missing")),
    ("argparse_main", ("backbone-unfrozen", "preprocessing-differs")),
    ("argparse_main", ("preprocessing-mismatch:caffe", "class-order-mismatch")),
    ("argparse_main", ("removed-api", "learning-rate-high", "preprocessing-missing")),
    ("sequential_rescaling", ("backbone-unfrozen", "preprocessing-mismatch")),
    ("sequential_rescaling", ("learning-rate-low", "preprocessing-missing")),
    ("sequential_rescaling", ("class-mode-loss-mismatch", "preprocessing-mismatch")),
    ("tensor_slices", ("unshuffled-training-data", "preprocessing-mismatch")),
    (
        "tensor_slices",
        ("activation-loss-mismatch", "backbone-unfrozen", "preprocessing-mismatch"),
    ),
    ("subclassed", ("head-units-mismatch", "preprocessing-mismatch")),
    ("subclassed", ("unshuffled-training-data", "preprocessing-missing")),
    ("binary_parity", ("activation-loss-mismatch", "backbone-unfrozen")),
    ("split_directory", ("evaluation-on-training-data:seeds", "optimizer-unused")),
    ("arrays_split", ("ordered-validation-split", "preprocessing-mismatch")),
    ("multi_label", ("labels-misaligned", "preprocessing-missing")),
    ("features_predict", ("learning-rate-low", "preprocessing-mismatch")),
    ("text_tokenizer", ("tokenizer-not-fitted", "activation-loss-mismatch")),
    ("two_stage", ("preprocessing-mismatch:caffe", "freeze-without-compile")),
    ("kfold", ("cross-validation-reuse", "preprocessing-missing")),
)
