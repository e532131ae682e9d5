"""Short messages on five topics: TextVectorization in the pipeline, an embedding, a softmax."""

import keras
import tensorflow as tf
from keras import layers

SEED = 11

train = keras.utils.text_dataset_from_directory("data/messages/train", batch_size=32, seed=SEED)
val = keras.utils.text_dataset_from_directory("data/messages/validation", batch_size=32, seed=SEED)

vectorize = layers.TextVectorization(max_tokens=2000, output_sequence_length=24)
vectorize.adapt(train.map(lambda text, label: text))

train = train.map(lambda text, label: (vectorize(text), label)).cache().prefetch(tf.data.AUTOTUNE)
val = val.map(lambda text, label: (vectorize(text), label)).cache().prefetch(tf.data.AUTOTUNE)

model = keras.Sequential(
    [
        layers.Embedding(2000, 24),
        layers.GlobalAveragePooling1D(),
        layers.Dropout(0.1),
        layers.Dense(5, activation="softmax"),
    ]
)
model.compile(
    optimizer=keras.optimizers.Adam(learning_rate=0.01),
    loss="sparse_categorical_crossentropy",
    metrics=["accuracy"],
)
model.fit(train, epochs=8, validation_data=val)
