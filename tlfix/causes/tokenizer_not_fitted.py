"""A tokenizer is used before it has seen any text."""

from __future__ import annotations

from collections.abc import Iterable

from tlfix.causes.spec import Case, CauseSpec, Examples, Finding, Remedy
from tlfix.evidence.edits import explained, position
from tlfix.findings import Evidence
from tlfix.program.model import Call, Program

TOKENIZER = "keras.preprocessing.text.Tokenizer"
_USES = ("texts_to_sequences", "texts_to_sequences_generator", "texts_to_matrix")
_FITS = ("fit_on_texts", "fit_on_sequences")
_VOCABULARY = ("word_index", "index_word", "word_counts", "__dict__", "__setstate__")
_SYMPTOMS = ("chance-accuracy", "chance-validation", "flat-loss", "single-class-predictions")


def find(case: Case) -> Iterable[Finding]:
    """One finding for every tokenizer that turns texts into nothing."""
    program = case.program
    yield from _not_adapted(case)
    for made in program.calls_named("text.Tokenizer"):
        if made.name != TOKENIZER:
            continue
        uses = [call for call in program.calls_named(*_USES) if _of(call, made)]
        fits = [call for call in program.calls_named(*_FITS) if _of(call, made)]
        if not uses or _filled_elsewhere(program, made):
            continue
        first = min(uses, key=lambda call: call.order)
        if any(fit.order < first.order for fit in fits):
            continue
        # Order inside a function holds only where both stand in it, or in the module.
        if any(fit.scope != first.scope for fit in fits):
            continue
        yield _finding(case, made, first, fits)


def _not_adapted(case: Case) -> Iterable[Finding]:
    """A ``TextVectorization`` without a vocabulary stops at its first text."""
    crash = case.trace.crash if case.trace is not None else None
    if crash is None or "Table not initialized" not in crash.message:
        return
    for made in case.program.calls_named("layers.TextVectorization"):
        filled = [c for c in case.program.calls_named("adapt", "set_vocabulary") if _of(c, made)]
        if made.argument("vocabulary") is not None or filled:
            continue
        summary = f"training stopped with: Table not initialized. Line {made.site.line} makes a "
        yield Finding(
            severity="error",
            confidence="certain",
            site=made.site,
            evidence=(
                Evidence(
                    source="probe",
                    summary=summary + "TextVectorization, and nothing gives it a vocabulary",
                ),
            ),
            explains=explained(case, "crash"),
            advice="call its adapt() on the training texts before any text goes through it",
        )


def _of(call: Call, made: Call) -> bool:
    return call.receiver is not None and call.receiver.site == made.site


def _filled_elsewhere(program: Program, made: Call) -> bool:
    """True if something that is not followed may have fitted it or filled its vocabulary."""
    for call in program.calls:
        if call.receiver is None and call.name.rsplit(".", 1)[-1] in _FITS:
            return True  # the fit of a tokenizer that is not known
        if any(
            a.call is not None and a.call.site == made.site
            for a in (*call.positional, *call.keywords)
        ):
            return True  # handed to a function
    for name in made.targets:
        if any(f"{name}.{word}" in program.text for word in _assigned(name, program.text)):
            return True
    return not made.targets


def _assigned(name: str, text: str) -> list[str]:
    """The parts of the vocabulary that the program writes itself."""
    compact = text.replace(" ", "")
    return [
        word
        for word in _VOCABULARY
        if f"{name}.{word}=" in compact.replace(f"{name}.{word}==", "")
        or f"{name}.{word}.update" in compact
        or f"{name}.{word}[" in compact
    ]


def _finding(case: Case, made: Call, first: Call, fits: list[Call]) -> Finding:
    loaded = next(case.program.calls_named("load_model", "load_weights"), None)
    last = first.name.rsplit(".", 1)[-1]
    if fits:
        when = f"line {first.site.line} calls {last}, and fit_on_texts comes later"
    else:
        when = f"line {first.site.line} calls {last}, and fit_on_texts is called nowhere"
    evidence = [
        Evidence(
            source="static",
            summary=f"{when}: a tokenizer without a vocabulary drops every word of every text",
        )
    ]
    if loaded is not None:
        evidence.append(
            Evidence(
                source="static",
                summary=f"line {loaded.site.line} loads a trained model, whose words are numbered "
                "by the tokenizer of its training",
            )
        )
    remedy = None if fits or loaded is not None else _remedy(first)
    return Finding(
        severity="warning",
        confidence="certain",
        site=first.site,
        evidence=tuple(evidence),
        explains=explained(case, *_SYMPTOMS),
        remedy=remedy,
        advice=None if remedy else _advice(first, fits, loaded),
    )


def _advice(first: Call, fits: list[Call], loaded: Call | None) -> str:
    if loaded is not None:
        return (
            "load the tokenizer that the model was trained with (saved by tokenizer.to_json() or "
            "pickle): a new one, fitted on other texts, gives the words other numbers"
        )
    if fits:
        return f"call fit_on_texts before line {first.site.line}, on the training texts alone"
    return "call fit_on_texts on the training texts before any text is turned into numbers"


def _remedy(first: Call) -> Remedy | None:
    texts = first.argument("texts", 0)
    if texts is None or first.receiver_text is None:
        return None
    return Remedy(
        codemod="fit_tokenizer",
        summary="fit the tokenizer on the texts that it meets first",
        edits={first.site.path: {"use": position(first.site)}},
        review="careful",
    )


_SICK = """\
import numpy as np
import tensorflow as tf
from tensorflow.keras.preprocessing.sequence import pad_sequences
from tensorflow.keras.preprocessing.text import Tokenizer

texts, moods = load_reviews("train.csv")
tokenizer = Tokenizer(num_words=5000)
sequences = tokenizer.texts_to_sequences(texts)
padded = pad_sequences(sequences, maxlen=100)

model = tf.keras.Sequential(
    [
        tf.keras.layers.Embedding(5000, 16),
        tf.keras.layers.GlobalAveragePooling1D(),
        tf.keras.layers.Dense(1, activation="sigmoid"),
    ]
)
model.compile(optimizer="adam", loss="binary_crossentropy", metrics=["accuracy"])
model.fit(padded, np.array(moods), epochs=5)
"""
_CURED = _SICK.replace("sequences = tok", "tokenizer.fit_on_texts(texts)\nsequences = tok")

CAUSE = CauseSpec(
    id="tokenizer-not-fitted",
    code="TL902",
    title="The tokenizer is used before it is fitted",
    what=(
        "`texts_to_sequences` is called on a `Tokenizer` that has not been through `fit_on_texts`. "
        "Nothing is raised: words that are not in the vocabulary, here all of them, are dropped "
        "(or become the one `oov_token`), and `pad_sequences` fills up with zeros."
    ),
    why=(
        "Every text becomes the same row of zeros, so that no model can tell them apart and a "
        "trained one answers always the same. A model that was loaded needs the very tokenizer of "
        "its training: one fitted anew numbers the words otherwise."
    ),
    sources=(
        "https://www.tensorflow.org/api_docs/python/tf/keras/preprocessing/text/Tokenizer",
        "https://www.tensorflow.org/api_docs/python/tf/keras/preprocessing/text/tokenizer_from_json",
    ),
    find=find,
    examples=Examples(sick=_SICK, healthy=_CURED, cured=_CURED),
)
