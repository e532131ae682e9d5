"""Photographs at 128 pixels: features once by predict, then a small network on them."""

import numpy as np
from keras import Input, Sequential, layers, optimizers
from keras.applications.mobilenet_v2 import MobileNetV2, preprocess_input
from keras.utils import image_dataset_from_directory

extractor = MobileNetV2(
    weights="imagenet", include_top=False, pooling="avg", input_shape=(128, 128, 3), alpha=0.35
)


def extract(dataset):
    features, labels = [], []
    for images, batch_labels in dataset:
        features.append(extractor.predict(preprocess_input(images.numpy()), verbose=0))
        labels.append(batch_labels.numpy())
    return np.concatenate(features), np.concatenate(labels)


train_images = image_dataset_from_directory("data/train", image_size=(128, 128), batch_size=32)
val_images = image_dataset_from_directory("data/validation", image_size=(128, 128), batch_size=32)
train_features, train_labels = extract(train_images)
val_features, val_labels = extract(val_images)

model = Sequential(
    [
        Input((train_features.shape[1],)),
        layers.Dense(128, activation="relu"),
        layers.Dropout(0.3),
        layers.Dense(8, activation="softmax"),
    ]
)
model.compile(
    optimizer=optimizers.Adam(learning_rate=2e-3),
    loss="sparse_categorical_crossentropy",
    metrics=["accuracy"],
)
model.fit(
    train_features,
    train_labels,
    batch_size=32,
    epochs=20,
    validation_data=(val_features, val_labels),
)
