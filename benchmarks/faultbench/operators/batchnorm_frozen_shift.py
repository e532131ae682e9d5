"""Images through fog: rightly scaled, and far from the statistics the backbone has stored."""

from benchmarks.faultbench.planting import Operator, plant

OPERATOR = Operator(
    "batchnorm-frozen-shift",
    (
        plant(
            "nested_guide",
            "all images have a seventh of their contrast",
            at=("base_model.trainable = False", "x = base_model(x", "base_model = keras"),
            data="hazy",
        ),
        plant(
            "two_stage",
            "all images have a seventh of their contrast",
            at=(
                "base_model.trainable = False",
                "x = base_model(x",
                "base_model = MobileNetV2(",
                "base_model.trainable = True",
            ),
            data="hazy",
        ),
    ),
    consequences=("backbone-frozen-only",),
)
