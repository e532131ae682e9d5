"""Where training and validation data meet: what the source gives away, and what was counted.

Held against Keras 3.15 and TensorFlow 2.21 on 40 image files in two folders, a quarter of them for
validation: with another ``seed`` in each half 7 of the 10 validation images are training images
too; with ``shuffle=False`` in one half alone 9 of 10; a folder read with ``shuffle=True`` (the
default) and cut with ``take`` and ``skip`` shares images from one epoch to the next, and so does
``shuffle(n)`` without ``reshuffle_each_iteration=False``, with a seed or without.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass

from tlfix.evidence.edits import set_argument
from tlfix.findings import Confidence, Measurement
from tlfix.probe.trace import FitSeen, OverlapSeen
from tlfix.program.model import UNKNOWN, Call, Fit, Program, Site, Source

SHARE = 0.05
"""Share of the validation images (0..1) that may be training images before it is a fault. Natural
near-duplicates are 3 % of CIFAR-10's test images (Barz & Denzler 2020, arxiv.org/abs/1902.00423);
a share s can raise the measured accuracy by s at most, and 0.05 is what tlfix takes as noise."""

WHOLE = 0.95
"""From this share on the validation data are training data."""

FEW = 5
"""Fewer shared images than this are duplicates in the data, not a way of splitting."""

_SEED = "1337"  # of the examples of keras.io
_FOLDER = {"shuffle": 7, "seed": 8, "validation_split": 9, "subset": 10}
_FIRST = {
    "image_dataset_from_directory": "directory",
    "flow_from_directory": "directory",
    "flow_from_dataframe": "dataframe",
    "flow": "x",
}
_SELECTING = ("take", "skip", "shard", "filter", "window", "choose_from_datasets")

_PLAIN = ("image_dataset_from_directory", "from_tensor_slices", "list_files")
"""The sources whose call gives one data set, not one for each split."""

_OWN = "give validation_data images that training never sees"
_ONE_SPLIT = "give both halves of the split the same seed, shuffle and validation_split"


@dataclass(frozen=True)
class Leak:
    """A reason in the source why validation images are training images.

    ``edits`` are those of ``set_argument`` that end it, empty where none can; ``crashes`` tells
    that Keras refuses the split.
    """

    summary: str
    site: Site
    advice: str
    confidence: Confidence = "likely"
    edits: tuple[dict[str, object], ...] = ()
    fix: str = ""
    crashes: bool = False


def leak(program: Program, fit: Fit) -> Leak | None:
    """The first reason found for ``fit``; None where the source shows none."""
    return next(_leaks(program, fit), None)


def _leaks(program: Program, fit: Fit) -> Iterator[Leak]:
    given = fit.call.argument("x", 0) or fit.call.argument("generator", 0)
    held = fit.call.argument("validation_data")
    if given is None or held is None:
        return
    if _images(given.text) == _images(held.text) != "":
        yield Leak(
            f"`{given.text}` is training and validation data of one fit",
            held.site,
            _OWN,
            confidence="certain",
        )
    if len(fit.training) == len(fit.validation) == 1:
        training, validation = fit.training[0], fit.validation[0]
        yield from _cut(training, validation)
        # A helper that is called twice reads twice, at one place in the source.
        if training.kind == validation.kind and training.call is not validation.call:
            yield from _one_place(program, training, validation)


def _images(text: str) -> str:
    """The expression of the images alone, as Python would write it; nothing for an iterator."""
    try:
        node = ast.parse(text.strip(), mode="eval").body
    except SyntaxError:
        return ""
    if isinstance(node, ast.Tuple | ast.List) and node.elts:
        node = node.elts[0]
    written = ast.unparse(node)
    return "" if re.search(r"\bnext\(|\brandom\b", written) else written


def _cut(training: Source, validation: Source) -> Iterator[Leak]:
    """``take`` and ``skip`` of one data set that is shuffled anew whenever it is read."""
    if training.call is not validation.call:
        return
    pairs = list(zip(training.stages, validation.stages, strict=False))
    common = [one for one, other in pairs if one.site == other.site]
    rest = training.stages[len(common) :], validation.stages[len(common) :]
    first = [next((_last(s) for s in part if _last(s) in _SELECTING), "") for part in rest]
    if first == ["", "take"] and training.kind in _PLAIN and _subset(training.call) != "both":
        taken = next(s for s in rest[1] if _last(s) == "take")
        yield Leak(
            "validation is taken from the training data, which keep what is taken",
            taken.site,
            "let training `skip` what validation takes, from a data set in a fixed order",
        )
    if sorted(first) != ["skip", "take"]:
        return
    if any(_last(s) in ("cache", "snapshot", "save") and s.positional for s in common):
        return
    again = [stage for stage in common if _reshuffles(stage)]
    root = _root_reshuffles(training)
    if not again and not root:
        return
    where = (again[0] if again else training.call).site
    yield Leak(
        "take and skip cut a data set that is shuffled anew each time it is read: each epoch of "
        "training gets images that are validated on",
        where,
        "shuffle once before the cut (reshuffle_each_iteration=False) and again behind it, on the "
        "training part alone"
        if again
        else "cut by validation_split, subset and one seed instead of take and skip, or list the "
        "files in a fixed, mixed order first",
        edits=()
        if root
        else tuple(set_argument(s, "reshuffle_each_iteration", 2, "False") for s in again),
        fix="keep the shuffled order fixed, so that the cut stays where it is",
    )


def _subset(call: Call) -> object:
    return call.constant("subset", _FOLDER["subset"])


def _last(call: Call) -> str:
    return call.name.rsplit(".", 1)[-1]


def _reshuffles(stage: Call) -> bool:
    given = stage.constant("reshuffle_each_iteration", 2)
    return _last(stage) == "shuffle" and given in (None, True)


def _root_reshuffles(source: Source) -> bool:
    if source.kind == "image_dataset_from_directory":
        return source.call.constant("shuffle", 7, True) is True
    return source.kind == "list_files" and source.call.constant("shuffle", 1) in (None, True)


def _one_place(program: Program, training: Source, validation: Source) -> Iterator[Leak]:
    """Two readings of one folder, data frame or array that do not exclude each other."""
    keyword = _FIRST.get(training.kind)
    one, other = training.call, validation.call
    if keyword is None or any(c.argument("**") for c in (one, other)):
        return
    if any(_last(stage) in _SELECTING for s in (training, validation) for stage in s.stages):
        return
    what = _same(program, one, other, keyword)
    if what is None:
        return
    index = _FOLDER["subset"] if training.kind == "image_dataset_from_directory" else None
    halves = one.constant("subset", index), other.constant("subset", index)
    if any(half not in (None, "training", "validation") for half in halves):
        return
    if halves == ("training", "validation") or halves == ("validation", "training"):
        if training.kind == "image_dataset_from_directory":
            yield from _halves(one, other)
        yield from _uneven(training, validation)
        return
    whole: dict[tuple[object, object], str] = {
        (None, None): "both read all of it",
        ("training", None): "validation reads all of it",
    }
    how = whole.get(halves, "training reads all of it" if halves[0] is None else "both read one")
    yield Leak(
        f"training and validation read {what}, and {how}"
        + (f" half of it (`{halves[0]}`)" if how == "both read one" else ""),
        other.site,
        f"{_OWN}: another folder, or validation_split with one subset each and one seed",
        edits=() if one.site == other.site else tuple(_split(training, validation)),
        fix="split the images: one subset for training, the other for validation",
    )


def _same(program: Program, one: Call, other: Call, keyword: str) -> str | None:
    """What both calls read, None unless it is the same."""
    first, second = one.argument(keyword, 0), other.argument(keyword, 0)
    if first is None or second is None:
        return None
    if isinstance(first.value, str) and isinstance(second.value, str):
        same = first.value.rstrip("/") == second.value.rstrip("/")
        return f"the folder {first.value!r}" if same else None
    if UNKNOWN not in (first.value, second.value) or _images(first.text) != _images(second.text):
        return None
    if one.site == other.site:
        return None  # what a helper is given may differ from call to call
    text = _images(first.text)
    if one.scope != other.scope or _bound_between(program, text, one.site, other.site):
        return None
    return f"`{text}`" if text else None


def _bound_between(program: Program, text: str, one: Site, other: Site) -> bool:
    """True if a line between the two sites may change what ``text`` stands for."""
    first, last = sorted((one.line, other.line))
    lines = program.text.splitlines()[first - 1 : last]
    names = re.findall(r"[A-Za-z_]\w*", text)
    word = "|".join(map(re.escape, names)) or r"(?!)"
    bound = re.compile(rf"^\s*(?:[\w\s,()\[\].*]*[\s,(])?(?:{word})\b[^=\n()]*[-+*/|&]?=(?!=)")
    return any(bound.match(line) or re.search(rf"\b({word})\b.*inplace", line) for line in lines)


def _halves(one: Call, other: Call) -> Iterator[Leak]:
    """The two halves of one folder, as ``image_dataset_from_directory`` cuts them."""
    shuffled = [call.constant("shuffle", _FOLDER["shuffle"], True) for call in (one, other)]
    if UNKNOWN in shuffled or not any(shuffled):
        return
    seeds = [call.argument("seed", _FOLDER["seed"]) for call in (one, other)]
    values = [None if seed is None else seed.value for seed in seeds]
    chosen = next((s for s in seeds if s is not None and s.value is not None), None)
    text = _SEED if chosen is None else chosen.text
    if chosen is not None and isinstance(chosen.value, int):
        text = str(chosen.value) if one.scope != other.scope else chosen.text
    edits = [
        set_argument(call, "shuffle", _FOLDER["shuffle"], None)
        for call, shuffles in zip((one, other), shuffled, strict=True)
        if not shuffles
    ]
    edits += [
        set_argument(call, "seed", _FOLDER["seed"], text)
        for call, seed in zip((one, other), seeds, strict=True)
        if seed is None or seed.text != text
    ]
    if one.site == other.site:
        edits = edits[:1]  # a helper is edited once for both halves
    if not all(shuffled):
        which = "training" if not shuffled[0] else "validation"
        summary = (
            f"the {which} half is cut from the files in order (`shuffle=False`), the other from "
            "the files shuffled by the seed: the halves overlap"
        )
    elif None in values:
        summary = "a half of the split is shuffled without a seed: each half gets its own order"
    elif UNKNOWN in values or values[0] == values[1]:
        return
    else:
        summary = (
            f"the halves of the split are shuffled with seeds {values[0]} and {values[1]}: "
            "they overlap"
        )
    yield Leak(
        summary,
        other.site,
        _ONE_SPLIT,
        edits=tuple(edits),
        fix="one seed for both halves of the split",
        crashes=None in values,
    )


def _uneven(training: Source, validation: Source) -> Iterator[Leak]:
    """A larger share is cut off for validation than training leaves."""
    if training.kind == "image_dataset_from_directory":
        calls: list[Call | None] = [training.call, validation.call]
        index: int | None = _FOLDER["validation_split"]
    else:
        calls, index = [training.generator, validation.generator], None
    shares = [call.constant("validation_split", index) if call else UNKNOWN for call in calls]
    left, taken = shares
    if not isinstance(left, float) or not isinstance(taken, float) or taken <= left:
        return
    given = calls[0].argument("validation_split", index) if calls[0] else None
    if calls[1] is not None and given is not None:
        yield Leak(
            f"validation takes {taken:g} of the images, training leaves out {left:g} only",
            validation.call.site,
            _ONE_SPLIT,
            edits=(set_argument(calls[1], "validation_split", index, given.text),),
            fix="one validation_split for both halves",
        )


def _split(training: Source, validation: Source) -> Iterator[dict[str, object]]:
    """The edits that make two readings of one place its two halves."""
    pairs = ((training, "training"), (validation, "validation"))
    for source, subset in pairs:
        folder = source.kind == "image_dataset_from_directory"
        index = _FOLDER["subset"] if folder else None
        if source.call.constant("subset", index) != subset:
            yield set_argument(source.call, "subset", index, f'"{subset}"')
    if training.kind == "image_dataset_from_directory":
        for keyword, default in (("validation_split", "0.2"), ("seed", _SEED)):
            index = _FOLDER[keyword]
            given = [source.call.argument(keyword, index) for source, _ in pairs]
            text = next((a.text for a in given if a is not None and a.value is not None), default)
            for (source, _), own in zip(pairs, given, strict=True):
                if own is None or own.text != text:
                    yield set_argument(source.call, keyword, index, text)
        for source, _ in pairs:
            if source.call.constant("shuffle", _FOLDER["shuffle"]) is False:
                yield set_argument(source.call, "shuffle", _FOLDER["shuffle"], None)
        return
    makers = [source.generator for source, _ in pairs if source.generator is not None]
    shares = [maker.argument("validation_split") for maker in makers]
    text = next((share.text for share in shares if share is not None), "0.2")
    for place, (maker, share) in enumerate(zip(makers, shares, strict=True)):
        if share is None and maker.site not in [m.site for m in makers[:place]]:
            yield set_argument(maker, "validation_split", None, text)


def share(overlap: OverlapSeen) -> float:
    """The share of the validation images (0..1) that are training images."""
    return overlap.shared / overlap.validation if overlap.validation else 0.0


def is_whole(overlap: OverlapSeen, fit: FitSeen) -> bool:
    """True if the validation data are training data, not just images here and there."""
    if overlap.same_data:
        return True
    return overlap.validation >= FEW and share(overlap) >= WHOLE and not is_blank(overlap, fit)


def is_blank(overlap: OverlapSeen, fit: FitSeen) -> bool:
    """True if images without content explain what is shared: all black ones are one image."""
    seen = fit.validation.images if fit.validation else None
    return seen is not None and seen.n > 0 and seen.constant / seen.n >= 0.5 * share(overlap)


def saw_all(overlap: OverlapSeen, fit: FitSeen) -> bool:
    """True if no training image was left out of the comparison."""
    known = fit.training.samples if fit.training else None
    return overlap.by != "sample" or (known is not None and overlap.training >= known)


def measured(overlap: OverlapSeen) -> tuple[Measurement, ...]:
    """The counts as measurements."""
    return (
        Measurement(name="shared", value=overlap.shared, n=overlap.validation, unit="images"),
        Measurement(name="share", value=share(overlap), threshold=SHARE, n=overlap.validation),
    )


def counted(overlap: OverlapSeen) -> str:
    """What was found, in words."""
    how = {
        "file": "by the content of their files",
        "array": "by their pixels",
        "sample": "by their pixels, among a sample: of all of them it may be more",
    }[overlap.by]
    return (
        f"{overlap.shared:,} of {overlap.validation:,} validation images "
        f"({share(overlap):.0%}) are among {overlap.training:,} training images, {how}"
    )
