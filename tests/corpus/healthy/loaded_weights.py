"""``weights=None`` is not random where a file is loaded right after."""

import keras

WEIGHTS = "pretrained/backbone.h5"

base = keras.applications.MobileNetV2(
    weights=None, include_top=False, input_shape=(96, 96, 3), alpha=0.35, pooling="avg"
)
base.load_weights(WEIGHTS)
base.trainable = False

inputs = keras.Input((96, 96, 3))
x = keras.layers.Rescaling(scale=1 / 127.5, offset=-1.0)(inputs)
x = base(x, training=False)
outputs = keras.layers.Dense(8, activation="softmax")(x)
model = keras.Model(inputs, outputs)
model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])

train = keras.utils.image_dataset_from_directory("data/train", image_size=(96, 96))
val = keras.utils.image_dataset_from_directory("data/validation", image_size=(96, 96))
model.fit(train, epochs=8, validation_data=val)
