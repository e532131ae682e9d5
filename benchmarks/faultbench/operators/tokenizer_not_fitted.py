"""Texts are turned into numbers by a tokenizer that knows no words."""

from benchmarks.faultbench.planting import Operator, plant

OPERATOR = Operator(
    "tokenizer-not-fitted",
    (
        plant(
            "text_tokenizer",
            "fit_on_texts is left out",
            ('tokenizer.fit_on_texts(train["text"])\n', ""),
            at=("tokenizer = Tokenizer(", "x_train = pad_sequences(", "x_val = pad_sequences("),
        ),
        plant(
            "text_tokenizer",
            "fit_on_texts comes after the texts were turned into numbers",
            (
                'tokenizer.fit_on_texts(train["text"])\nx_train = pad_sequences('
                'tokenizer.texts_to_sequences(train["text"]), maxlen=LENGTH)\n',
                "x_train = pad_sequences(tokenizer.texts_to_sequences("
                'train["text"]), maxlen=LENGTH)\n'
                'tokenizer.fit_on_texts(train["text"])\n',
            ),
            at=("tokenizer = Tokenizer(", "x_train = pad_sequences("),
            slug="late",
        ),
        plant(
            "text_tokenizer",
            "validation has a tokenizer of its own",
            (
                'x_val = pad_sequences(tokenizer.texts_to_sequences(val["text"]), maxlen=LENGTH)',
                "val_tokenizer = Tokenizer(num_words=WORDS)\n"
                'val_tokenizer.fit_on_texts(val["text"])\n'
                "x_val = pad_sequences("
                'val_tokenizer.texts_to_sequences(val["text"]), maxlen=LENGTH)',
            ),
            slug="another",
        ),
        plant(
            "text_vectorization",
            "adapt is left out",
            ("vectorize.adapt(train.map(lambda text, label: text))\n", ""),
            at=(
                "vectorize = layers.TextVectorization",
                "train = train.map(",
                "val = val.map(",
            ),
        ),
    ),
)
