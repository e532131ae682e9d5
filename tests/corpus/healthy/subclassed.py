"""A subclassed model around a frozen backbone; images come through ``map``."""

import keras
from keras.applications.mobilenet_v2 import MobileNetV2, preprocess_input


class Classifier(keras.Model):
    def __init__(self, classes, rate=0.2, **kwargs):
        super().__init__(**kwargs)
        self.backbone = MobileNetV2(
            include_top=False, weights="imagenet", input_shape=(96, 96, 3), alpha=0.35
        )
        self.backbone.trainable = False
        self.pool = keras.layers.GlobalAveragePooling2D()
        self.dropout = keras.layers.Dropout(rate)
        self.head = keras.layers.Dense(classes, activation="softmax")

    def call(self, inputs, training=False):
        x = self.backbone(inputs, training=False)
        x = self.dropout(self.pool(x), training=training)
        return self.head(x)


def load(folder, shuffle):
    data = keras.utils.image_dataset_from_directory(
        folder, image_size=(96, 96), batch_size=32, shuffle=shuffle, seed=7
    )
    return data.map(lambda image, label: (preprocess_input(image), label))


model = Classifier(8)
model.compile(
    optimizer=keras.optimizers.AdamW(1e-3),
    loss="sparse_categorical_crossentropy",
    metrics=["accuracy"],
)
model.fit(load("data/train", True), validation_data=load("data/validation", False), epochs=10)
