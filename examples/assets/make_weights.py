"""Train the small MobileNetV2 that stands in for ImageNet weights, and save it where Keras looks.

The backbone (alpha 0.35, 96 x 96 pixels) learns to name, in one drawn image, one of 96 materials
(textures laid over one another in recurring colours), its leading texture, and the shape cut from
it. It sees its own input range [-1, 1], so a program which feeds it anything else loses accuracy,
as it would on ImageNet weights. About twelve minutes on two idle CPU cores.

    python examples/assets/make_weights.py
"""

import argparse
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import h5py  # type: ignore[import-untyped]
import keras
import numpy as np
from numpy.typing import NDArray
from textures import PERIODS, PRETRAINING, SHAPES, Array, Texture, contrasting, paint

NAME = "mobilenet_v2_weights_tf_dim_ordering_tf_kernels_0.35_96_no_top.h5"
SIZE, MARGIN = 96, 12  # pixels, and pixels cropped away at random
MATERIALS, PALETTES = 96, 16
HEADS = {"material": MATERIALS, "texture": len(PRETRAINING), "shape": len(SHAPES)}
WEIGHTS = {"material": 1.0, "texture": 0.5, "shape": 0.5}  # of the heads' losses

Images = NDArray[np.uint8]
Labels = dict[str, NDArray[np.int32]]


class Material(NamedTuple):
    """A recipe: one texture laid over another, each of its own period, in two colours."""

    upper: Texture
    lower: Texture
    periods: tuple[float, float]  # pixels
    share: float  # of the lower texture
    colours: tuple[Array, Array]

    def field(self, rng: np.random.Generator, size: int) -> Array:
        """The two textures together, (size, size) in [0, 1], up to 1.3 times finer or coarser."""
        zoom = rng.uniform(0.77, 1.3)
        upper = self.upper(rng, size, self.periods[0] * zoom)
        return upper + np.float32(self.share) * (
            self.lower(rng, size, self.periods[1] * zoom) - upper
        )


def materials(seed: int) -> list[Material]:
    """The recipes to learn; every texture leads equally many, and colours recur, so none tells alone."""
    rng = np.random.default_rng(seed)
    palettes, textures = [contrasting(rng) for _ in range(PALETTES)], list(PRETRAINING.values())
    recipes = []
    for i in range(MATERIALS):
        periods = [float(np.exp(rng.uniform(*np.log(PERIODS)))) for _ in range(2)]
        lower = textures[rng.integers(len(textures))]
        share = rng.uniform(0.2, 0.45) if rng.uniform() < 0.6 else 0.0
        colours = palettes[rng.integers(PALETTES)]
        upper = textures[i % len(textures)]
        recipes.append(Material(upper, lower, (periods[0], periods[1]), share, colours))
    return recipes


def draw(recipes: Sequence[Material], count: int, seed: int) -> tuple[Images, Labels]:
    """Images (count, SIZE + MARGIN, SIZE + MARGIN, 3) and one label array (count,) per head."""
    rng = np.random.default_rng(seed)
    material, shape = rng.integers(0, MATERIALS, count), rng.integers(0, len(SHAPES), count)
    shape[rng.uniform(size=count) < 0.4] = SHAPES.index("whole")
    side = SIZE + MARGIN
    images = np.empty((count, side, side, 3), np.uint8)
    for i, recipe in enumerate(recipes[m] for m in material):
        images[i] = paint(rng, recipe.field(rng, side), recipe.colours, SHAPES[shape[i]])
    labels = {"material": material, "texture": material % len(PRETRAINING), "shape": shape}
    return images, {head: values.astype(np.int32) for head, values in labels.items()}


def scaled(images: Images) -> NDArray[np.float32]:
    """Centre crops in the backbone's input range [-1, 1]: (count, SIZE, SIZE, 3)."""
    m = MARGIN // 2
    crops = images[:, m : m + SIZE, m : m + SIZE].astype(np.float32)
    return np.asarray(keras.applications.mobilenet_v2.preprocess_input(crops), np.float32)


def augmented(images: Images, rng: np.random.Generator) -> NDArray[np.float32]:
    """Randomly cropped and flipped batches with shifted brightness and contrast, in [-1, 1]."""
    top, left = rng.integers(0, MARGIN + 1, 2)
    batch = images[:, top : top + SIZE, left : left + SIZE]
    batch = batch[:, :: rng.choice((-1, 1)), :: rng.choice((-1, 1))]
    batch = batch.transpose(0, 2, 1, 3) if rng.uniform() < 0.5 else batch
    gain, offset = (
        rng.uniform(0.75, 1.2, (len(batch), 1, 1, 1)),
        rng.uniform(-0.2, 0.2, (len(batch), 1, 1, 1)),
    )
    x = batch.astype(np.float32) / 127.5 - 1
    return np.asarray(np.clip(x * gain + offset, -1, 1), np.float32)


def build(seed: int) -> tuple[keras.Model, keras.Model]:
    """The backbone at He-normal weights, and the classifier with one softmax per head on top of it.

    With Keras' Glorot weights a depthwise layer shrinks its signal below BatchNormalization's
    epsilon of 0.001, layer after layer, and learning starts late.
    """
    backbone = keras.applications.MobileNetV2(
        (SIZE, SIZE, 3), alpha=0.35, include_top=False, weights=None
    )
    rng = np.random.default_rng(seed)
    for layer in backbone.layers:
        if isinstance(layer, keras.layers.DepthwiseConv2D | keras.layers.Conv2D):
            shape = layer.kernel.shape
            depthwise = isinstance(layer, keras.layers.DepthwiseConv2D)
            fan_in = shape[0] * shape[1] * (1 if depthwise else shape[2])
            layer.kernel.assign(rng.normal(0, np.sqrt(2 / fan_in), shape))
    pooled = keras.layers.GlobalAveragePooling2D()(backbone.output)
    outputs = {
        head: keras.layers.Dense(n, activation="softmax", name=head)(pooled)
        for head, n in HEADS.items()
    }
    return backbone, keras.Model(backbone.input, outputs)


def train(
    model: keras.Model, images: Images, labels: Labels, steps: int, batch: int, seed: int
) -> None:
    """Nesterov momentum, cosine schedule with warm-up; prints loss and accuracy every 200 steps."""
    rng = np.random.default_rng(seed)
    schedule = keras.optimizers.schedules.CosineDecay(
        0.01, steps, warmup_target=0.1, warmup_steps=steps // 20
    )
    model.compile(
        keras.optimizers.SGD(schedule, momentum=0.9, nesterov=True),
        loss=dict.fromkeys(HEADS, "sparse_categorical_crossentropy"),
        loss_weights=WEIGHTS,
        metrics={head: ["accuracy"] for head in HEADS},
        jit_compile=False,
    )
    started, order = time.monotonic(), np.empty(0, np.int64)
    recent: list[dict[str, float]] = []
    for step in range(1, steps + 1):
        if len(order) < batch:
            order = rng.permutation(len(images))
        chosen, order = order[:batch], order[batch:]
        x, y = augmented(images[chosen], rng), {head: labels[head][chosen] for head in HEADS}
        recent.append(model.train_on_batch(x, y, return_dict=True))
        if step % 200 == 0 or step == steps:
            means = {
                key: np.mean([float(np.asarray(logs[key])) for logs in recent])
                for key in sorted(recent[0])
            }
            shown = " ".join(
                f"{key} {mean:.3f}" for key, mean in means.items() if "_loss" not in key
            )
            print(f"step {step} {time.monotonic() - started:.0f} s {shown}", flush=True)
            recent.clear()


def settle_statistics(model: keras.Model, images: Images, batch: int = 128) -> None:
    """Replace every BatchNormalization's moving statistics by their means over batches of `images`.

    With the momentum of 0.999 in this backbone, the moving averages still remember their initial
    values after a few thousand steps. Here the k-th batch enters with weight 1/k: a plain mean,
    free of the past.
    """
    layers = [layer for layer in model.layers if isinstance(layer, keras.layers.BatchNormalization)]
    momenta = [layer.momentum for layer in layers]
    for k, start in enumerate(range(0, len(images) - batch + 1, batch)):
        for layer in layers:
            layer.momentum = k / (k + 1)
        model(scaled(images[start : start + batch]), training=True)
    for layer, momentum in zip(layers, momenta, strict=True):
        layer.momentum = momentum


def accuracies(
    model: keras.Model, images: Images, labels: Labels, training: bool
) -> dict[str, float]:
    """Share of right answers per head in training or inference mode; leaves the model as it was."""
    kept = model.get_weights()
    right = dict.fromkeys(HEADS, 0)
    for start in range(0, len(images), 128):
        answers = model(scaled(images[start : start + 128]), training=training)
        for head in HEADS:
            named = np.argmax(keras.ops.convert_to_numpy(answers[head]), axis=-1)
            right[head] += int(np.sum(named == labels[head][start : start + 128]))
    model.set_weights(kept)
    return {head: round(n / len(images), 3) for head, n in right.items()}


def save_legacy(model: keras.Model, path: Path) -> None:
    """Write the weights in Keras' legacy HDF5 layout: a group per layer with weights, in order."""
    layers = [layer for layer in model.layers if layer.weights]
    with h5py.File(path, "w", libver="latest") as file:
        file.attrs["layer_names"] = [layer.name.encode() for layer in layers]
        file.attrs["backend"] = b"tensorflow"
        file.attrs["keras_version"] = keras.__version__.encode()
        for layer in layers:
            group = file.create_group(layer.name)
            variables = layer.trainable_weights + layer.non_trainable_weights
            names = [f"{layer.name}/{variable.name}:0" for variable in variables]
            group.attrs["weight_names"] = [name.encode() for name in names]
            for name, variable in zip(names, variables, strict=True):
                group.create_dataset(
                    name, data=np.asarray(keras.ops.convert_to_numpy(variable), np.float32)
                )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--images", type=int, default=16_000, help="drawn training images")
    parser.add_argument("--steps", type=int, default=4_400)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--output", type=Path, default=Path(__file__).with_name(NAME))
    options = parser.parse_args()

    keras.utils.set_random_seed(options.seed)
    started = time.monotonic()
    recipes = materials(options.seed)
    images, labels = draw(recipes, options.images, options.seed + 1)
    held_out, truth = draw(recipes, 1_024, options.seed + 2)
    print(
        f"drew {len(images) + len(held_out)} images in {time.monotonic() - started:.0f} s",
        flush=True,
    )
    backbone, model = build(options.seed)
    train(model, images, labels, options.steps, options.batch, options.seed)
    print("training mode, held-out images:", accuracies(model, held_out, truth, training=True))
    print("inference mode, stale statistics:", accuracies(model, held_out, truth, training=False))
    settle_statistics(model, images[:4_096])
    print("inference mode, settled statistics:", accuracies(model, held_out, truth, training=False))
    save_legacy(backbone, options.output)
    print(
        f"saved {options.output}, {options.output.stat().st_size / 1e6:.2f} MB, "
        f"after {time.monotonic() - started:.0f} s"
    )


if __name__ == "__main__":
    main()
