"""Short reviews, good or bad: Tokenizer, padding, an embedding and average pooling."""

import pandas as pd
from tensorflow.keras import layers, models
from tensorflow.keras.preprocessing.sequence import pad_sequences
from tensorflow.keras.preprocessing.text import Tokenizer

WORDS, LENGTH = 2000, 24

train = pd.read_csv("data/reviews_train.csv")
val = pd.read_csv("data/reviews_validation.csv")

tokenizer = Tokenizer(num_words=WORDS, oov_token="<unknown>")
tokenizer.fit_on_texts(train["text"])
x_train = pad_sequences(tokenizer.texts_to_sequences(train["text"]), maxlen=LENGTH)
x_val = pad_sequences(tokenizer.texts_to_sequences(val["text"]), maxlen=LENGTH)
y_train = train["label"].values
y_val = val["label"].values

model = models.Sequential(
    [
        layers.Embedding(WORDS, 16),
        layers.GlobalAveragePooling1D(),
        layers.Dense(16, activation="relu"),
        layers.Dense(1, activation="sigmoid"),
    ]
)
model.compile(optimizer="adam", loss="binary_crossentropy", metrics=["accuracy"])
model.fit(x_train, y_train, batch_size=32, epochs=8, validation_data=(x_val, y_val))
