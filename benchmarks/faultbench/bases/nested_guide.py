"""Photographs, after the Keras guide: scaling and augmentation inside a functional model."""

import keras
from keras import layers

IMAGE_SIZE = (96, 96)

train_ds = keras.utils.image_dataset_from_directory(
    "data/train", image_size=IMAGE_SIZE, batch_size=32, seed=1
)
val_ds = keras.utils.image_dataset_from_directory("data/validation", image_size=IMAGE_SIZE)
num_classes = len(train_ds.class_names)

augmentation = keras.Sequential([layers.RandomFlip("horizontal"), layers.RandomRotation(0.05)])

base_model = keras.applications.MobileNetV2(
    weights="imagenet", input_shape=IMAGE_SIZE + (3,), include_top=False, alpha=0.35
)
base_model.trainable = False

inputs = keras.Input(shape=IMAGE_SIZE + (3,))
x = augmentation(inputs)
x = keras.applications.mobilenet_v2.preprocess_input(x)
x = base_model(x, training=False)
x = layers.GlobalAveragePooling2D()(x)
x = layers.Dropout(0.2)(x)
outputs = layers.Dense(num_classes)(x)
model = keras.Model(inputs, outputs)

model.compile(
    optimizer=keras.optimizers.Adam(learning_rate=3e-3),
    loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    metrics=["accuracy"],
)
model.fit(train_ds, epochs=10, validation_data=val_ds)
model.save("photographs.keras")
