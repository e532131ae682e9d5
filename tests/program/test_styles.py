"""Whole programs in the styles that people write, abridged."""

from __future__ import annotations

from tlfix.program.model import Program
from tlfix.program.reader import read


def scales(program: Program, split: str) -> list[list[float | None]]:
    return [
        [scaling.scale for scaling in source.scalings]
        for source in program.sources
        if source.split == split
    ]


def test_a_class_that_does_everything() -> None:
    program = read(
        """\
import os
import numpy as np
from PIL import Image
from tensorflow import keras
from tensorflow.keras.applications import VGG16
from tensorflow.keras.models import Model
from tensorflow.keras.layers import Dense, GlobalAveragePooling2D
from tensorflow.keras.preprocessing.image import ImageDataGenerator
from sklearn.model_selection import train_test_split

class Directions:
    def __init__(self, name="directions"):
        self.model = None
        self.class_names = ["forward", "backward", "left", "right"]
        self.img_size = (224, 224)

    def build(self):
        base = VGG16(weights="imagenet", include_top=False, input_shape=self.img_size + (3,))
        for layer in base.layers:
            layer.trainable = False
        x = GlobalAveragePooling2D()(base.output)
        predictions = Dense(len(self.class_names), activation="softmax")(x)
        self.model = Model(inputs=base.input, outputs=predictions)
        self.model.compile("adam", loss="categorical_crossentropy", metrics=["accuracy"])
        return self.model

    def load(self, folder="images"):
        images, labels = [], []
        for index, name in enumerate(self.class_names):
            if not os.path.exists(os.path.join(folder, name)):
                continue
            for file in os.listdir(os.path.join(folder, name)):
                try:
                    image = Image.open(file).convert("RGB").resize(self.img_size)
                    images.append(np.array(image) / 255.0)
                    labels.append(index)
                except Exception as error:
                    print(error)
                    continue
        return np.array(images), np.array(labels)

    def train(self, epochs=10):
        x, y = self.load()
        x_train, x_val, y_train, y_val = train_test_split(x, y, test_size=0.2)
        if self.model is None:
            self.build()
        augment = ImageDataGenerator(rotation_range=10)
        return self.model.fit(
            augment.flow(x_train, y_train), validation_data=(x_val, y_val), epochs=epochs
        )

    def restore(self):
        self.model = keras.models.load_model("m.h5")
""",
        "train.py",
    )
    (backbone,) = program.backbones
    assert backbone.input_shape == (224, 224, 3)
    assert [layer.units for layer in program.outputs] == [4]
    (fit,) = program.fits
    assert fit.model == "self.model" and fit.epochs is not None and fit.epochs.text == "epochs"
    assert fit.epochs.value == 10
    assert fit.backbones == (backbone.call,)
    assert [source.kind for source in (*fit.training, *fit.validation)] == ["flow", "arrays"]
    assert scales(program, "training") == scales(program, "validation") == [[1 / 255]]


def test_one_big_validation_batch() -> None:
    program = read(
        """\
from keras.preprocessing.image import ImageDataGenerator
from keras.applications.imagenet_utils import preprocess_input
from keras.applications.mobilenet import MobileNet
from keras.models import Sequential
from keras.layers import Dense, GlobalAveragePooling2D
import keras

def flow_from_dataframe(df, **options):
    generator = ImageDataGenerator(preprocessing_function=preprocess_input)
    flow = generator.flow_from_directory("images", class_mode="sparse", **options)
    flow.filenames = df["path"].values
    return flow

train = flow_from_dataframe(train_df, target_size=(224, 224), batch_size=10)
valid_x, valid_y = next(flow_from_dataframe(valid_df, target_size=(224, 224), batch_size=500))
base = MobileNet(input_shape=valid_x[0].shape, include_top=False)
model = Sequential()
model.add(base)
model.add(GlobalAveragePooling2D())
model.add(Dense(1, activation="linear"))
model.compile("adam", "mse", metrics=["mae"])
model.fit_generator(train, validation_data=(valid_x, valid_y), epochs=50)
""",
        "train.py",
    )
    (fit,) = program.fits
    assert [s.kind for s in (*fit.training, *fit.validation)] == ["flow_from_directory"] * 2
    assert [s.module for s in fit.training[0].scalings] == ["imagenet_utils"]
    assert [use.row for use in program.removed] == ["preprocessing-image", "fit-generator"]
    assert [(layer.units, layer.activation) for layer in program.outputs] == [(1, "linear")]
    assert program.backbones[0].uses[0].kind == "sequential"


def test_splits_made_of_one_data_set() -> None:
    program = read(
        """\
import tensorflow as tf
from tensorflow.keras.models import Sequential
from tensorflow.keras.layers import Dense, Flatten
from tensorflow.keras.optimizers import Adamax

def load_datasets(train_dir, test_dir):
    train_raw = tf.keras.utils.image_dataset_from_directory(train_dir, image_size=SIZE)
    test_raw = tf.keras.utils.image_dataset_from_directory(test_dir, image_size=SIZE)
    half = int(0.5 * len(test_raw))
    val, test = test_raw.take(half), test_raw.skip(half)
    auto = tf.data.AUTOTUNE
    return train_raw.cache().shuffle(500).prefetch(auto), val.cache(), test, train_raw.class_names

def build_model(classes, shape=(299, 299, 3), rate=0.001):
    base = tf.keras.applications.Xception(include_top=False, input_shape=shape, pooling="max")
    base.trainable = False
    model = Sequential([base, Flatten(), Dense(classes, activation="softmax")])
    model.compile(Adamax(learning_rate=rate), "categorical_crossentropy", metrics=["accuracy"])
    return model

SIZE = (299, 299)
if __name__ == "__main__":
    train, val, test, names = load_datasets("Training", "Testing")
    model = build_model(len(names))
    history = model.fit(train, validation_data=val, epochs=10)
    print(history.history["accuracy"])
""",
        "train.py",
    )
    (fit,) = program.fits
    ((train,), (val,)) = fit.training, fit.validation
    assert (train.call.constant("directory", 0), val.call.constant("directory", 0)) == (
        "Training",
        "Testing",
    )
    assert [stage.name.rsplit(".", 1)[-1] for stage in val.stages] == ["take", "cache"]
    (compiled,) = program.compiles
    assert compiled.learning_rate is not None and compiled.learning_rate.value == 0.001
    assert train.call.constant("image_size") == (299, 299)
    assert program.removed == ()


def test_two_stages_in_main() -> None:
    program = read(
        """\
from pathlib import Path
import tensorflow as tf

SIZE = (224, 224)
FOLDER = Path("flowers")
EPOCHS, FINE_TUNE_EPOCHS = 25, 10

def datasets():
    common = dict(validation_split=0.2, seed=42, image_size=SIZE)
    train = tf.keras.utils.image_dataset_from_directory(FOLDER, subset="training", **common)
    val = tf.keras.utils.image_dataset_from_directory(FOLDER, subset="validation", **common)
    return train.shuffle(1000), val, train.class_names

def build(classes):
    augment = tf.keras.Sequential([tf.keras.layers.RandomFlip("horizontal")])
    base = tf.keras.applications.MobileNetV2(input_shape=SIZE + (3,), include_top=False)
    base.trainable = False
    inputs = tf.keras.Input(shape=SIZE + (3,))
    x = augment(inputs)
    x = tf.keras.applications.mobilenet_v2.preprocess_input(x)
    x = base(x, training=False)
    x = tf.keras.layers.GlobalAveragePooling2D()(x)
    return tf.keras.Model(inputs, tf.keras.layers.Dense(classes, activation="softmax")(x)), base

def main():
    train, val, names = datasets()
    weights = {index: 1.0 for index, name in enumerate(names)}
    model, base = build(len(names))
    model.compile(tf.keras.optimizers.Adam(1e-3), "sparse_categorical_crossentropy")
    model.fit(train, validation_data=val, epochs=EPOCHS, class_weight=weights)
    base.trainable = True
    for layer in base.layers[:-30]:
        layer.trainable = False
    model.compile(tf.keras.optimizers.Adam(1e-5), "sparse_categorical_crossentropy")
    model.fit(train, validation_data=val, epochs=FINE_TUNE_EPOCHS, class_weight=weights)

if __name__ == "__main__":
    main()
""",
        "train.py",
    )
    (backbone,) = program.backbones
    (use,) = backbone.uses
    assert (use.kind, [scaling.kind for scaling in use.scalings]) == ("nested", ["function"])
    assert [fit.epochs.value for fit in program.fits if fit.epochs] == [25, 10]
    events = [("c", each.call.order) for each in program.compiles]
    events += [("f", each.call.order) for each in program.fits]
    # A change stands before the call that has its order.
    events += [("t", each.order - 0.5) for each in program.trainable]
    assert "".join(kind for kind, _ in sorted(events, key=lambda event: event[1])) == "tcfttcf"
    assert {change.owner.name for change in program.trainable if change.owner} == {
        "keras.applications.MobileNetV2"
    }
    train = program.fits[0].training[0]
    assert (train.call.constant("seed"), train.call.constant("directory", 0)) == (42, "flowers")
    assert len(program.sources) == 2


def test_cross_validation() -> None:
    program = read(
        """\
import numpy as np
from sklearn.model_selection import KFold
from tensorflow import keras
from tensorflow.keras.applications.resnet50 import ResNet50, preprocess_input

def create():
    base = ResNet50(include_top=False, pooling="avg")
    return keras.Sequential([base, keras.layers.Dense(2, activation="softmax")])

x = preprocess_input(np.load("x.npy"))
y = np.load("y.npy")
shared = create()
shared.compile("adam", "sparse_categorical_crossentropy")
for train, test in KFold(5).split(x):
    fresh = create()
    fresh.compile("adam", "sparse_categorical_crossentropy")
    fresh.fit(x[train], y[train], epochs=3)
    shared.fit(x[train], y[train], validation_data=(x[test], y[test]), epochs=3)
""",
        "train.py",
    )
    fresh, shared = program.fits
    assert fresh.call.in_loop and shared.call.in_loop
    # What is trained in the loop was made in it, or was not.
    assert [compiled.call.in_loop for compiled in program.compiles] == [False, True]
    assert [s.module for s in shared.training[0].scalings] == ["resnet50"]
    assert [s.module for s in shared.validation[0].scalings] == ["resnet50"]
    assert len(program.backbones) == 1


def test_a_step_function_and_a_strategy() -> None:
    program = read(
        """\
import tensorflow as tf
strategy = tf.distribute.MirroredStrategy()
with strategy.scope():
    base = tf.keras.applications.EfficientNetB0(include_top=False, pooling="avg")
    head = tf.keras.layers.Dense(3)
    model = tf.keras.Sequential([base, head])
    optimizer = tf.keras.optimizers.Adam(1e-3)
    loss_fn = tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True)

def load(path, label):
    image = tf.io.decode_jpeg(tf.io.read_file(path))
    image = tf.image.resize(image, [224, 224]) / 255.0
    return image, label

data = tf.data.Dataset.from_tensor_slices((paths, labels)).map(load).batch(32)

@tf.function
def step(images, labels):
    with tf.GradientTape() as tape:
        loss = loss_fn(labels, model(images, training=True))
    grads = tape.gradient(loss, model.trainable_variables)
    optimizer.apply_gradients(zip(grads, model.trainable_variables))
    return loss

for epoch in range(10):
    for images, labels in data:
        step(images, labels)
""",
        "train.py",
    )
    assert program.training and program.custom_loop and program.fits == ()
    (source,) = program.sources
    assert [scaling.scale for scaling in source.scalings] == [1 / 255]
    assert [(layer.units, layer.activation) for layer in program.outputs] == [(3, None)]


def test_features_then_a_small_classifier() -> None:
    program = read(
        """\
import cv2
import numpy as np
from tensorflow.keras.applications import VGG16
from tensorflow.keras.models import Sequential
from tensorflow.keras.layers import Dense
from sklearn.linear_model import LogisticRegression
base = VGG16(include_top=False, pooling="avg")
images = np.array([cv2.resize(cv2.imread(p), (224, 224)) for p in paths]) / 255.0
features = base.predict(images)
LogisticRegression().fit(features, y)
model = Sequential([Dense(2, activation="softmax")])
model.compile("adam", "sparse_categorical_crossentropy")
model.fit(features, y, epochs=5)
""",
        "train.py",
    )
    (use,) = program.backbones[0].uses
    assert (use.kind, use.input_text) == ("features", "images")
    assert [scaling.scale for scaling in use.scalings] == [1 / 255]
    assert len(program.fits) == 1
    assert program.fits[0].backbones == ()


def test_an_exported_notebook() -> None:
    program = read(
        """\
#!/usr/bin/env python
# coding: utf-8

# In[1]:
import numpy as np, cv2
import matplotlib.pyplot as plt
pixels = np.asarray(image)
pixels = pixels.astype('float32')
# normalize to the range 0-1
pixels /= 255.0
fig, (ax0, ax1) = plt.subplots(1, 2)
ax0.imshow(image)
ax1.imshow(pixels)
# In[2]:
from tensorflow.keras.applications.densenet import preprocess_input
from keras.applications import densenet
from keras.models import Model
from keras.layers import Dense, Dropout, Flatten
from tensorflow.keras.preprocessing.image import ImageDataGenerator
from tensorflow.keras.optimizers import Adam
def build(base_model, dropout, fc_layers, num_classes):
    for layer in base_model.layers:
        layer.trainable = False
    x = Flatten()(base_model.output)
    for fc in fc_layers:
        x = Dense(fc, activation='relu')(x)
        x = Dropout(dropout)(x)
    predictions = Dense(num_classes, activation='softmax')(x)
    return Model(inputs=base_model.input, outputs=predictions)
base_model_1 = densenet.DenseNet121(weights='imagenet', include_top=False)
datagen = ImageDataGenerator(preprocessing_function=preprocess_input, rotation_range=90)
train = datagen.flow_from_directory('Train', target_size=(300, 300))
model = build(base_model_1, dropout=0.5, fc_layers=[1024, 512], num_classes=2)
model.compile(Adam(lr=1e-5), loss='binary_crossentropy', metrics=['accuracy'])
history = model.fit_generator(generator=train, epochs=25)
""",
        "train.py",
    )
    shown, used = program.scalings
    assert (shown.display, shown.scale) == (True, 1 / 255)
    assert (used.kind, used.module) == ("reference", "densenet")
    (change,) = program.trainable
    assert change.owner is program.backbones[0].call
    assert [(layer.units, layer.activation) for layer in program.outputs] == [(2, "softmax")]
    assert [s.kind for s in program.fits[0].training] == ["flow_from_directory"]
