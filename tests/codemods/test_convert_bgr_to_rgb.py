from __future__ import annotations

import pytest

from tests.codemods.places import place
from tlfix.codemods import Declined, transform

CONVERT = "image = cv2.cvtColor(image, cv2.COLOR_BGR2RGB)\n"


def convert(source: str, *calls: str) -> str:
    places = [place(source, call) for call in calls or ("cv2.imread",)]
    return transform(source, "convert_bgr_to_rgb", {"calls": places})


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (
            "def load(p):\n    image = cv2.imread(p)  # kept\n\n    return image\n",
            f"def load(p):\n    image = cv2.imread(p)  # kept\n    {CONVERT}\n    return image\n",
        ),
        (
            "x = cv2.resize(cv2.imread(p, 1), (9, 9))\n",
            "x = cv2.resize(cv2.cvtColor(cv2.imread(p, 1), cv2.COLOR_BGR2RGB), (9, 9))\n",
        ),
        (
            "x = [cv.imread(p) for p in paths]\n",
            "x = [cv.cvtColor(cv.imread(p), cv.COLOR_BGR2RGB) for p in paths]\n",
        ),
        (
            "for p in q:\n    image = cv2.imread(p)\n    if image is None:\n        continue\n"
            "    use(image)\n",
            "for p in q:\n    image = cv2.imread(p)\n    if image is None:\n        continue\n"
            f"    {CONVERT}    use(image)\n",
        ),
        (
            "for p in q:\n    image = cv2.imread(p)\n    if image is not None:\n"
            "        use(image)\n",
            "for p in q:\n    image = cv2.imread(p)\n    if image is not None:\n"
            f"        {CONVERT}        use(image)\n",
        ),
    ],
)
def test_converts_where_the_image_surely_exists(before: str, after: str) -> None:
    call = "cv.imread" if "cv.imread" in before else "cv2.imread"
    assert convert(before, call) == after
    windows = before.replace("\n", "\r\n")
    assert convert(windows, call) == after.replace("\n", "\r\n")


@pytest.mark.parametrize(
    "source",
    [
        f"image = cv2.imread(p)\n{CONVERT}",
        "image = cv2.cvtColor(cv2.imread(p), cv2.COLOR_BGR2RGB)\n",
        "image = cv2.imread(p)\nif odd(image):\n    report(p)\nelse:\n    use(image)\n",
        "image = cv2.imread(p); use(image)\n",
    ],
)
def test_declines(source: str) -> None:
    with pytest.raises(Declined):
        convert(source)


def test_a_bare_name_is_declined() -> None:
    source = "from cv2 import imread\nimage = imread(p)\n"
    with pytest.raises(Declined):
        convert(source, "imread(p)")


def test_several_calls_and_no_other() -> None:
    source = "a = f(cv2.imread(p))\nbb = f(cv2.imread(q))\nccc = f(cv2.imread(r))\n"
    changed = convert(source, "cv2.imread(p)", "cv2.imread(r)")
    assert changed.count("cvtColor") == 2 and "bb = f(cv2.imread(q))\n" in changed


CONVERT = "image = cv2.cvtColor(image, cv2.COLOR_BGR2RGB)\n"


@pytest.mark.parametrize(
    "test",
    [
        "image = cv2.imread(p)\nprint(p)\nif image is None:\n    raise SystemExit\n",
        "image: object = cv2.imread(p)\nif image is None:\n    raise SystemExit\n",
        "image = cv2.imread(p)\nassert image is not None\n",
    ],
)
def test_an_image_is_tested_before_it_is_converted(test: str) -> None:
    source = f"import cv2\n{test}images.append(image)\n"
    parameters = {"calls": [place(source, "cv2.imread")]}
    after = f"import cv2\n{test}{CONVERT}images.append(image)\n"
    assert transform(source, "convert_bgr_to_rgb", parameters) == after


@pytest.mark.parametrize(
    ("rest", "reason"),
    [
        ("while (image := cv2.imread(next(p))) is not None:\n    use(image)\n", "may test"),
        ("image = cv2.imread(p)\nif image is not None: use(image)\n", "several statements"),
    ],
)
def test_declines_where_the_test_cannot_come_first(rest: str, reason: str) -> None:
    source = f"import cv2\n{rest}"
    with pytest.raises(Declined, match=reason):
        transform(source, "convert_bgr_to_rgb", {"calls": [place(source, "cv2.imread")]})
