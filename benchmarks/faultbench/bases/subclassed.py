"""Photographs at 64 pixels: a subclassed model, and images scaled in the pipeline."""

import keras
from keras.applications.mobilenet_v2 import MobileNetV2, preprocess_input

SIZE = 64


class Classifier(keras.Model):
    def __init__(self, classes, rate=0.2, **kwargs):
        super().__init__(**kwargs)
        self.backbone = MobileNetV2(
            include_top=False, weights="imagenet", input_shape=(SIZE, SIZE, 3), alpha=0.35
        )
        self.backbone.trainable = False
        self.pool = keras.layers.GlobalAveragePooling2D()
        self.dropout = keras.layers.Dropout(rate)
        self.head = keras.layers.Dense(classes, activation="softmax")

    def call(self, inputs, training=False):
        x = self.backbone(inputs, training=False)
        x = self.pool(x)
        x = self.dropout(x, training=training)
        return self.head(x)


def scale(image, label):
    return preprocess_input(image), label


train_ds = keras.utils.image_dataset_from_directory(
    "data/train", image_size=(SIZE, SIZE), batch_size=32, shuffle=True, seed=7
)
val_ds = keras.utils.image_dataset_from_directory(
    "data/validation", image_size=(SIZE, SIZE), batch_size=32, shuffle=False
)
train_ds = train_ds.map(scale)
val_ds = val_ds.map(scale)

model = Classifier(8)
model.compile(
    optimizer=keras.optimizers.AdamW(learning_rate=3e-3),
    loss="sparse_categorical_crossentropy",
    metrics=["accuracy"],
)
model.fit(train_ds, validation_data=val_ds, epochs=12)
