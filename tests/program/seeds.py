"""Short versions of the programs in the documents the project began with."""

from __future__ import annotations

_IMPORTS = """\
import tensorflow as tf
from tensorflow import keras
from tensorflow.keras import layers
from tensorflow.keras.applications import InceptionResNetV2, InceptionV3, ResNet50, VGG16
from tensorflow.keras.layers import Dense, GlobalAveragePooling2D
from tensorflow.keras.models import Model, load_model
from tensorflow.keras.optimizers import Adam
from tensorflow.keras.preprocessing.image import ImageDataGenerator
"""


def _inlined(backbone: str, units: str = "10", hidden: bool = True) -> str:
    middle = "x = Dense(1024, activation='relu')(x)\n" if hidden else ""
    return (
        f"base_model = {backbone}\nx = base_model.output\nx = GlobalAveragePooling2D()(x)\n{middle}"
        f"predictions = Dense({units}, activation='softmax')(x)\n"
        "model = Model(inputs=base_model.input, outputs=predictions)\n"
    )


def _nested(trainable: str, scale: bool = True) -> str:
    scaled = "x = layers.Rescaling(1./255)(inputs)\n" if scale else "x = inputs\n"
    return (
        "base_model = keras.applications.MobileNetV2(\n"
        "    include_top=False, input_shape=(224, 224, 3))\n"
        f"{trainable}inputs = keras.Input(shape=(224, 224, 3))\n{scaled}"
        "x = base_model(x, training=False)  # important\n"
        "x = layers.GlobalAveragePooling2D()(x)\n"
        "outputs = layers.Dense(num_classes, activation='softmax')(x)\n"
        "model = keras.Model(inputs, outputs)\n"
        "model.compile(optimizer=keras.optimizers.Adam(), loss='categorical_crossentropy',\n"
        "              metrics=['accuracy'])\n"
        "# model.fit(data_generator, epochs=10, steps_per_epoch=100)\n"
    )


_COMPILE = "model.compile(optimizer={}, loss='categorical_crossentropy', metrics=['accuracy'])\n"
_FLOWS = """\
train_datagen = ImageDataGenerator(rescale=1./255, shear_range=0.2, zoom_range=0.2)
test_datagen = ImageDataGenerator(rescale=1./255)
train_generator = train_datagen.flow_from_directory(
    'train_data', target_size={}, batch_size=32{})
test_generator = test_datagen.flow_from_directory(
    'test_data', target_size={}, batch_size=32{})
"""
_FIT = "model.fit(train_generator, epochs=10, validation_data=test_generator)\n"
_INCEPTION = "InceptionResNetV2(weights='imagenet', include_top=False, input_shape=(299, 299, 3))"
_HALVES = """\
for layer in base_model.layers[:500]:
    layer.trainable = False
for layer in base_model.layers[500:]:
    layer.trainable = True
"""

SEEDS: dict[str, str] = {
    "different-sizes": _IMPORTS
    + _FLOWS.format("(150,150)", "", "(200,200)", "")
    + _inlined("ResNet50(weights='imagenet', include_top=False, input_shape=(150, 150, 3))")
    + _COMPILE.format("'adam'")
    + _FIT,
    "label-mismatch": """\
from tensorflow.keras.models import load_model
from tensorflow.keras.preprocessing.text import Tokenizer
from tensorflow.keras.preprocessing.sequence import pad_sequences
model = load_model("sentiment_model.h5")
tokenizer = Tokenizer(num_words=5000)
sequences = tokenizer.texts_to_sequences(["This movie is amazing!", "I hated this film."])
predictions = model.predict(pad_sequences(sequences, maxlen=100))
""",
    "aligned-sizes": _IMPORTS
    + _FLOWS.format(
        "(299, 299)", ", class_mode='categorical'", "(299, 299)", ", class_mode='categorical'"
    )
    + _inlined("InceptionV3(weights='imagenet', include_top=False, input_shape=(299, 299, 3))")
    + _COMPILE.format("'adam'")
    + _FIT,
    "no-augmentation": _IMPORTS
    + _inlined("ResNet50(weights='imagenet', include_top=False)", "num_classes")
    + """\
train_datagen = ImageDataGenerator(rescale=1./255)
val_datagen = ImageDataGenerator(rescale=1./255)
train_generator = train_datagen.flow_from_directory(...)
val_generator = val_datagen.flow_from_directory(...)
model.compile(...)
model.fit(train_generator, validation_data=val_generator)
""",
    "one-rate": "from tensorflow.keras.optimizers import Adam\n"
    + _COMPILE.format("Adam(learning_rate=0.001)")
    + "model.fit(...)\n",
    "class-weight-array": """\
import tensorflow as tf
from tensorflow.keras.callbacks import EarlyStopping, ReduceLROnPlateau
from sklearn.utils import class_weight
class_weights = class_weight.compute_class_weight('balanced', classes=c, y=y_train)
model.compile(optimizer=Adam(learning_rate=1e-5), loss='categorical_crossentropy')
model.fit(..., class_weight=class_weights, callbacks=[EarlyStopping(patience=10)])
""",
    "scaled-both-ways": """\
from tensorflow.keras.applications import ResNet50
from tensorflow.keras.preprocessing import image
import numpy as np
img = image.load_img('image.jpg', target_size=(224, 224))
x = image.img_to_array(img)
x = np.expand_dims(x, axis=0)
x = x / 127.5 - 1  # Incorrect normalization
base_model = ResNet50(weights='imagenet', include_top=False, input_shape=(224, 224, 3))
predictions = base_model.predict(x)
x_correct = x / 255.0
predictions_correct = base_model.predict(x_correct)
""",
    "head-then-top": _IMPORTS
    + _inlined("VGG16(weights='imagenet', include_top=False, input_shape=(224, 224, 3))", "n")
    + "for layer in base_model.layers:\n    layer.trainable = False\n"
    + _COMPILE.format("'adam'")
    + "model.fit(X_train, y_train, epochs=5) # Too few epochs\n"
    + "for layer in base_model.layers[-5:]:\n  layer.trainable = True\n"
    + _COMPILE.format("tf.keras.optimizers.Adam(1e-5)")
    + "model.fit(X_train, y_train, epochs=10)\n",
    "smote": """\
from tensorflow.keras.applications import MobileNetV2
from imblearn.over_sampling import SMOTE
base_model = MobileNetV2(weights='imagenet', include_top=False, input_shape=(224, 224, 3))
smote = SMOTE(random_state=42)
x_resampled, y_resampled = smote.fit_resample(X_train.reshape(X_train.shape[0], -1), y_train)
x_resampled = x_resampled.reshape(x_resampled.shape[0], 224, 224, 3)
model.fit(x_resampled, y_resampled, epochs=10)
""",
    "raw-pixels": _IMPORTS + _nested("base_model.trainable = False\n", scale=False),
    "unit-pixels": _IMPORTS + _nested("base_model.trainable = False\n"),
    "frozen-batchnorm": _IMPORTS + _nested("base_model.trainable = False # and batchnorm\n"),
    "batchnorm-unfrozen": _IMPORTS
    + _nested(
        "base_model.trainable = False\nfor layer in base_model.layers:\n"
        "    if isinstance(layer, layers.BatchNormalization):\n        layer.trainable = True\n"
    ),
    "unfrozen": _IMPORTS + _nested("base_model.trainable = True\n"),
    "staged": _IMPORTS
    + _nested("base_model.trainable = False\n")
    + """\
base_model.trainable = True
fine_tune_at = len(base_model.layers) // 2
for layer in base_model.layers[:fine_tune_at]:
    layer.trainable = False
model.compile(optimizer=keras.optimizers.Adam(learning_rate=1e-5), loss='categorical_crossentropy')
""",
    "old-rate": _IMPORTS
    + _inlined(_INCEPTION, "num_classes")
    + "for layer in base_model.layers:\n    layer.trainable = False\n"
    + _COMPILE.format("Adam(lr=0.001)"),
    "little-data": _IMPORTS
    + "train_datagen = ImageDataGenerator(rescale=1./255)\n"
    + "train_generator = train_datagen.flow_from_directory(train_data_dir)\n"
    + _inlined(_INCEPTION, "num_classes")
    + _HALVES
    + _COMPILE.format("Adam(lr=0.0001)"),
    "rate-too-high": _IMPORTS
    + _inlined(_INCEPTION, "num_classes", hidden=False)
    + _HALVES
    + _COMPILE.format("Adam(lr=0.01)"),
}
