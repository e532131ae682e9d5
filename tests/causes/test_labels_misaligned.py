from __future__ import annotations

import pytest

from tests.causes.scaling_cases import cure, findings
from tests.traces import UNIT, backbone, data, door, evaluation, fit, probe, trace
from tlfix.causes.labels_misaligned import CAUSE
from tlfix.probe.trace import FeaturesSeen, NeighboursSeen, PermutationSeen, Trace

SICK, WELL = CAUSE.examples.sick, CAUSE.examples.healthy
SHUFFLE = "np.random.shuffle(images)\n"
CHANCE = 0.125  # eight classes of one size


def measured(
    agreement: float = CHANCE,
    accuracy: float = CHANCE,
    *,
    trained: float | None = 0.12,
    n: int = 240,
    status: str = "pretrained",
    similarity: float = 0.45,
    near: int = 256,
    **other: object,
) -> Trace:
    """Labels that have nothing to do with the images, unless told otherwise. The deviation of the
    agreement of shuffled labels is 0.011, as measured."""
    fields: dict[str, object] = {
        "neighbours": NeighboursSeen(
            n=near, k=5, agreement=agreement, shuffled_mean=CHANCE, shuffled_std=0.011
        ),
        "features": (FeaturesSeen(n=64, dimensions=1280, similarity=similarity, constant=0.0),),
        "probes": (
            probe("as-is", accuracy, n=n, train_accuracy=trained),
            probe("expected", accuracy, n=n, train_accuracy=trained),
        ),
        "doors": (door(),),
    }
    return trace(fit(**(fields | other)), backbones=(backbone(weights_status=status),))


def test_measured_and_read_is_proven() -> None:
    (finding,) = findings(CAUSE, SICK, measured())
    assert (finding.severity, finding.confidence) == ("error", "certain")
    assert {e.source for e in finding.evidence} == {"static", "probe"}
    assert finding.site is not None and finding.site.line == 5
    assert cure(CAUSE, SICK, measured()) == CAUSE.examples.cured


def test_measured_alone_may_be_a_task_that_the_images_do_not_tell() -> None:
    (finding,) = findings(CAUSE, WELL, measured())
    assert (finding.severity, finding.confidence) == ("warning", "possible")
    assert finding.remedy is None and finding.advice
    names = [m.name for e in finding.evidence for m in e.measured]
    assert "agreement_shuffled" in names and "p" in names


def test_read_alone_is_possible() -> None:
    (finding,) = findings(CAUSE, SICK)
    assert (finding.severity, finding.confidence) == ("warning", "possible")


@pytest.mark.parametrize(
    "seen",
    [
        # Hard labels: neighbours agree a little more often than shuffled ones do.
        measured(agreement=CHANCE + 0.04),
        measured(agreement=0.78, accuracy=0.80, trained=0.93),
        # The trained model does better than chance.
        measured(evaluations=(evaluation("validation", 0.40),)),
        # The probe does, whatever the neighbours say.
        measured(accuracy=0.30),
    ],
)
def test_labels_that_fit_their_images_refute_the_source(seen: Trace) -> None:
    together = [f for f in findings(CAUSE, SICK, seen) if f.severity == "error"]
    assert together == []
    assert findings(CAUSE, WELL, seen) == []


def test_neighbours_that_agree_silence_the_source() -> None:
    assert findings(CAUSE, SICK, measured(agreement=CHANCE + 0.04)) == []


@pytest.mark.parametrize(
    "seen",
    [
        measured(status="random"),
        measured(status="missing"),
        measured(neighbours=None),
        measured(near=40),
        measured(features=()),
        measured(similarity=0.999),
        # Leave-one-out on training images is far above chance.
        measured(trained=0.60),
        # So few images that a real accuracy of .25 would look the same.
        measured(n=24),
        # Wrongly scaled, and the right scaling was not tried.
        measured(doors=(door(UNIT),), probes=(probe("as-is", CHANCE, n=240),)),
    ],
)
def test_says_nothing_where_it_cannot_tell(seen: Trace) -> None:
    assert findings(CAUSE, WELL, seen) == []


def test_wrong_scaling_with_the_right_one_at_chance_too() -> None:
    (finding,) = findings(CAUSE, WELL, measured(doors=(door(UNIT),)))
    assert finding.severity == "warning"


def test_validation_labels_alone() -> None:
    none = PermutationSeen(mapping=tuple(range(8)), accuracy=CHANCE, renamed=CHANCE, n=240)
    (finding,) = findings(CAUSE, WELL, measured(agreement=0.78, trained=0.90, permutation=none))
    assert (finding.severity, finding.confidence) == ("warning", "possible")
    # Another numbering of the classes is another cause.
    other = none.model_copy(update={"renamed": 0.9})
    assert findings(CAUSE, WELL, measured(agreement=0.78, trained=0.9, permutation=other)) == []


def test_a_later_stage_that_learns_clears_the_labels() -> None:
    seen = measured()
    learned = fit(index=1, evaluations=(evaluation("validation", 0.60),))
    both = seen.model_copy(update={"fits": (*seen.fits, learned)})
    assert len(findings(CAUSE, WELL, seen)) == 1
    assert findings(CAUSE, WELL, both) == []
    assert findings(CAUSE, SICK, both) == []


def test_the_largest_class_is_chance() -> None:
    skewed = data("training", histogram={0: 400, 1: 56, 2: 56})
    seen = measured(agreement=CHANCE, accuracy=CHANCE, trained=0.78, training=skewed)
    (finding,) = findings(CAUSE, WELL, seen)
    assert finding.severity == "warning"


# From the source -------------------------------------------------------------------------------


def program(body: str, given: str = "images, labels") -> str:
    head, rest = SICK.split("images, labels = np.load", 1)
    rest = rest.split("\n\n", 1)[1].replace("images, labels, validation_split", given + ", epochs")
    return f"{head}{body}\n\n{rest}".replace(", epochs=0.2, epochs=5", ", epochs=5")


ARRAYS = 'images, labels = np.load("images.npy"), np.load("labels.npy")\n'
LISTS = """\
images, labels = [], []
for path in sorted(glob.glob("data/*/*")):
    images.append(read(path))
    labels.append(int(path.split("/")[1]))
"""
TOGETHER = (
    "order = np.random.permutation(len(images))\nimages, labels = images[order], labels[order]\n"
)


@pytest.mark.parametrize(
    ("body", "cured"),
    [
        (f"{ARRAYS}np.random.shuffle(images)\n", f"{ARRAYS}{TOGETHER}"),
        (f"{ARRAYS}np.random.shuffle(labels)\n", f"{ARRAYS}{TOGETHER}"),
        (
            f"{ARRAYS}np.random.shuffle(images)\nnp.random.shuffle(labels)\n",
            f"{ARRAYS}{TOGETHER}",
        ),
        (
            f"{ARRAYS}images = shuffle(images)\nimages = images / 127.5 - 1\n",
            f"{ARRAYS}images, labels = shuffle(images, labels)\nimages = images / 127.5 - 1\n",
        ),
        (
            f"{LISTS}random.shuffle(images)\n",
            f"{LISTS}pairs = list(zip(images, labels))\nrandom.shuffle(pairs)\n"
            "images, labels = map(list, zip(*pairs))\n",
        ),
        (
            f"{ARRAYS}np.random.shuffle(images)\nimages /= 255.0\n",
            f"{ARRAYS}{TOGETHER}images /= 255.0\n",
        ),
    ],
)
def test_one_is_shuffled_without_the_other(body: str, cured: str) -> None:
    assert cure(CAUSE, program(body)) == program(cured)
    assert findings(CAUSE, program(cured)) == []


def test_before_a_split() -> None:
    split = "x, xv, y, yv = train_test_split(images, labels, test_size=0.2)\n"
    given = "x, y, validation_data=(xv, yv)"
    body = f"{ARRAYS}np.random.shuffle(images)\n{split}"
    assert cure(CAUSE, program(body, given)) == program(f"{ARRAYS}{TOGETHER}{split}", given)


@pytest.mark.parametrize(
    "given", ["images[order], labels[order]", "images[:800], labels[:800]", "x=images, y=labels"]
)
def test_parts_of_both_are_followed(given: str) -> None:
    body = f"{ARRAYS}np.random.shuffle(images)\norder = np.argsort(sizes)\n"
    assert len(findings(CAUSE, program(body, given))) == 1


def test_labels_mixed_up_on_purpose() -> None:
    body = f"{ARRAYS}random_labels = labels[:]\nnp.random.shuffle(random_labels)\n"
    assert findings(CAUSE, program(body, "images, random_labels")) == []


def test_programs_without_a_backbone_are_not_read_for_it() -> None:
    text = SICK.replace("tf.keras.applications.MobileNetV2(", "make_backbone(")
    assert findings(CAUSE, text) == []


def test_an_order_that_only_one_is_indexed_by() -> None:
    body = f"{ARRAYS}order = np.random.permutation(len(images))\nimages = images[order]\n"
    (finding,) = findings(CAUSE, program(body))
    assert finding.severity == "warning" and finding.remedy is None and finding.advice


@pytest.mark.parametrize(
    "body",
    [
        ARRAYS,
        f"{ARRAYS}images, labels = shuffle(images, labels)\n",
        f"{ARRAYS}order = np.random.permutation(len(labels))\n"
        "images = images[order]\nlabels = labels[order]\n",
        # The same seed before each gives both the same order.
        f"{ARRAYS}np.random.seed(7)\nnp.random.shuffle(images)\n"
        "np.random.seed(7)\nnp.random.shuffle(labels)\n",
        f"{ARRAYS}images = shuffle(images, random_state=3)\n"
        "labels = shuffle(labels, random_state=3)\n",
        f"{ARRAYS}state = np.random.get_state()\nnp.random.shuffle(images)\n"
        "np.random.set_state(state)\nnp.random.shuffle(labels)\n",
        # Files are shuffled before anything is read from them.
        'paths = glob.glob("data/*/*")\nrandom.shuffle(paths)\n'
        "images = np.array([read(p) for p in paths])\n"
        "labels = np.array([int(p[5]) for p in paths])\n",
        # Labels are made from the shuffled list.
        "images = glob.glob('*')\nrandom.shuffle(images)\nlabels = [int(p[5]) for p in images]\n",
        # Pairs are shuffled.
        "pairs = load()\nrandom.shuffle(pairs)\nimages = np.array([p[0] for p in pairs])\n"
        "labels = np.array([p[1] for p in pairs])\n",
        # One class is shuffled among itself.
        "cats, dogs = load('cats'), load('dogs')\nnp.random.shuffle(cats)\n"
        "images = np.concatenate([cats, dogs])\nlabels = np.array([0] * 100 + [1] * 100)\n",
        # Other arrays, and what happens only under a condition.
        f"{ARRAYS}np.random.shuffle(others)\n",
        f"{ARRAYS}if demo:\n    np.random.shuffle(images)\n",
    ],
)
def test_says_nothing_of_what_keeps_the_pairs(body: str) -> None:
    assert findings(CAUSE, program(body)) == []
