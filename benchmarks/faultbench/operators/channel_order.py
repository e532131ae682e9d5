"""Blue comes first where the backbone was trained on red first."""

from benchmarks.faultbench.planting import Operator, plant

OPERATOR = Operator(
    "channel-order",
    (
        plant(
            "argparse_main",
            "the reader turns RGB into BGR",
            (
                'images.append(np.asarray(image.resize((size, size)), dtype="float32"))',
                'images.append(np.asarray(image.resize((size, size)), dtype="float32")[..., ::-1])',
            ),
        ),
        plant(
            "tensor_slices",
            "the mapped function reverses the channels",
            (
                "    image = image / 127.5 - 1.0",
                "    image = tf.reverse(image, axis=[-1])\n    image = image / 127.5 - 1.0",
            ),
        ),
        plant(
            "multi_label",
            "arrays reversed as if they came from cv2",
            ('["x_train"].astype("float32")', '["x_train"][..., ::-1].astype("float32")'),
            ('["x_val"].astype("float32")', '["x_val"][..., ::-1].astype("float32")'),
        ),
    ),
)
