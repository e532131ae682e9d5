"""Images far smaller than what the backbone was trained on."""

from benchmarks.faultbench.planting import Operator, plant

OPERATOR = Operator(
    "input-size-unsuitable",
    (
        plant("nested_guide", "32 pixels", ("IMAGE_SIZE = (96, 96)", "IMAGE_SIZE = (32, 32)")),
        plant("tensor_slices", "32 pixels", ("SIZE = 96", "SIZE = 32")),
        plant("subclassed", "32 pixels", ("SIZE = 64", "SIZE = 32")),
    ),
)
