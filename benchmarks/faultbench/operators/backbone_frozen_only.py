"""Images far from what the backbone knows, and only the head is ever trained."""

from benchmarks.faultbench.planting import Operator, plant

OPERATOR = Operator(
    "backbone-frozen-only",
    (
        plant(
            "nested_guide",
            "Fourier spectra on the frozen features of textures",
            at=("base_model.trainable = False", "base_model = keras", "model.compile("),
            data="spectra",
        ),
    ),
    # The cure is in the source; but what the base reaches on photographs is no measure of it.
    source_fix=False,
    consequences=("batchnorm-frozen-shift",),
)
