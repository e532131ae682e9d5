"""Images that take one way or another: of the arms of a branch only one runs."""

from __future__ import annotations

import pytest

from tests.causes.scaling_cases import preprocessing as found
from tlfix.codemods import transform

TEXT = """\
import sys
import tensorflow as tf

P = tf.keras.applications.resnet50.preprocess_input
flip = tf.image.random_flip_left_right
folder = tf.keras.utils.image_dataset_from_directory
augment = "--augment" in sys.argv
LOADER
base = tf.keras.applications.ResNet50(include_top=False, pooling="avg", input_shape=(224, 224, 3))
base.trainable = False
model = tf.keras.Sequential([base, tf.keras.layers.Dense(4, activation="softmax")])
model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
model.fit(train, validation_data=valid, epochs=3)
"""
CALLS = 'train, valid = load("train"), load("valid")\n'
ELSE = f"""
def load(split):
    images = folder(split, image_size=(224, 224))
    if split == "train":
        images = images.map(lambda x, y: (TRAIN, y))
    else:
        images = images.map(lambda x, y: (VALID, y))
    return images.prefetch(2)

{CALLS}"""
RETURN = f"""
def load(split):
    images = folder(split, image_size=(224, 224))
    if split == "train":
        return images.map(lambda x, y: (TRAIN, y))
    return images.map(lambda x, y: (VALID, y))

{CALLS}"""
EXPRESSION = """
def flipped(x, y): return TRAIN, y
def plain(x, y): return VALID, y

train = folder("train", image_size=(224, 224))
train = train.map(flipped) if augment else train.map(plain)
valid = folder("valid", image_size=(224, 224)).map(plain)
"""
MATCH = f"""
def load(split):
    images = folder(split, image_size=(224, 224))
    match split:
        case "train":
            images = images.map(lambda x, y: (TRAIN, y))
        case _:
            images = images.map(lambda x, y: (VALID, y))
    return images

{CALLS}"""
LOADERS = [ELSE, RETURN, EXPRESSION, MATCH]


def program(train: str, valid: str, loader: str) -> str:
    return TEXT.replace("LOADER", loader).replace("TRAIN", train).replace("VALID", valid)


@pytest.mark.parametrize("loader", LOADERS)
def test_two_arms_are_not_two_scalings(loader: str) -> None:
    assert found(program("P(flip(x))", "P(x)", loader)) == {}


@pytest.mark.parametrize("loader", LOADERS)
def test_the_cure_reaches_every_arm(loader: str) -> None:
    sick = program("flip(x) / 255.0", "x / 255.0", loader)
    assert list(found(sick)) == ["preprocessing-mismatch"]
    (finding,) = found(sick).values()
    assert finding.remedy is not None
    (parameters,) = finding.remedy.edits.values()
    cured = transform(sick, finding.remedy.codemod, parameters)
    assert cured.count("resnet50.preprocess_input(") == 2 and "255" not in cured
    assert found(cured) == {}


@pytest.mark.parametrize("loader", [ELSE, RETURN])
def test_an_arm_that_is_known_to_be_taken(loader: str) -> None:
    assert list(found(program("P(flip(x))", "x / 255.0", loader))) == ["preprocessing-differs"]


@pytest.mark.parametrize("loader", [EXPRESSION, MATCH])
def test_arms_that_scale_in_different_ways_are_left_to_the_run(loader: str) -> None:
    assert found(program("P(flip(x))", "x / 255.0", loader)) == {}


def test_two_scalings_in_one_arm_are_two() -> None:
    assert list(found(program("P(P(flip(x)))", "P(P(x))", ELSE))) == ["preprocessing-double"]


def test_a_branch_over_generators() -> None:
    loader = """
Generator = tf.keras.preprocessing.image.ImageDataGenerator
plain = Generator(preprocessing_function=P)
if augment:
    train = Generator(preprocessing_function=P, horizontal_flip=True).flow_from_directory("train")
else:
    train = plain.flow_from_directory("train")
valid = plain.flow_from_directory("valid")
"""
    assert found(TEXT.replace("LOADER", loader)) == {}


MODELS = """\
import keras

train = keras.utils.image_dataset_from_directory("train", image_size=(224, 224))
base = keras.applications.ResNet50V2(include_top=False, pooling="avg", input_shape=(224, 224, 3))
base.trainable = False
head = keras.layers.Dense(4, activation="softmax")
inputs = keras.Input((224, 224, 3))
model = keras.Model(inputs, head(base(TRAINED(inputs), training=False)))
model.compile("adam", "sparse_categorical_crossentropy")
model.fit(train, epochs=3)
image = keras.Input((None, None, 3))
small = keras.layers.Resizing(224, 224)(image)
keras.Model(image, head(base(SERVED(small), training=False))).save("serving.keras")
"""
RIGHT = "keras.layers.Rescaling(1 / 127.5, offset=-1)"
WRONG = "keras.layers.Rescaling(1 / 255)"


def models(trained: str, served: str) -> str:
    return MODELS.replace("TRAINED", trained).replace("SERVED", served)


def test_a_backbone_in_two_models_is_entered_twice_not_scaled_twice() -> None:
    assert found(models(RIGHT, RIGHT)) == {}
    assert found(models(RIGHT, "")) == {}
    sick = models(WRONG, WRONG)
    (finding,) = found(sick).values()
    assert finding.remedy is not None
    (parameters,) = finding.remedy.edits.values()
    cured = transform(sick, finding.remedy.codemod, parameters)
    assert cured.count("127.5") == 2
    assert found(cured) == {}
