import tensorflow as tf
from tensorflow.keras.models import load_model
from tensorflow.keras.preprocessing.text import Tokenizer
from tensorflow.keras.preprocessing.sequence import pad_sequences

# the network of an earlier training; which index stood for which mood is not recorded
model = load_model("sentiment_model.h5")
tokenizer = Tokenizer(num_words=5000)
texts = ["A film I would see again!", "Two hours I will not get back."]
labels = [1, 0]

# nobody has shown this tokenizer a text so far
sequences = tokenizer.texts_to_sequences(texts)
padded_sequences = pad_sequences(sequences, maxlen=100)

predictions = model.predict(padded_sequences)
print(predictions, labels)
