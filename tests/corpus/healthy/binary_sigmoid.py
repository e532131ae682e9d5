"""Two classes, one sigmoid unit."""

from tensorflow.keras import layers, models, optimizers
from tensorflow.keras.applications import MobileNetV2
from tensorflow.keras.applications.mobilenet_v2 import preprocess_input
from tensorflow.keras.preprocessing.image import ImageDataGenerator

CLASSES = ["coffee", "retina"]

datagen = ImageDataGenerator(preprocessing_function=preprocess_input)
train = datagen.flow_from_directory(
    "data/train", target_size=(96, 96), batch_size=16, classes=CLASSES, class_mode="binary"
)
validation = datagen.flow_from_directory(
    "data/validation", target_size=(96, 96), batch_size=16, classes=CLASSES, class_mode="binary"
)

conv_base = MobileNetV2(include_top=False, weights="imagenet", input_shape=(96, 96, 3), alpha=0.35)
conv_base.trainable = False

model = models.Sequential(
    [
        conv_base,
        layers.GlobalAveragePooling2D(),
        layers.Dense(64, activation="relu"),
        layers.Dropout(0.5),
        layers.Dense(1, activation="sigmoid"),
    ]
)
model.compile(
    loss="binary_crossentropy", optimizer=optimizers.RMSprop(learning_rate=1e-3), metrics=["acc"]
)
model.fit(train, epochs=10, validation_data=validation)
