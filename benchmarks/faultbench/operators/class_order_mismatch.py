"""Classes are numbered in another order for validation than for training."""

from benchmarks.faultbench.planting import Operator, plant

OPERATOR = Operator(
    "class-order-mismatch",
    (
        plant(
            "generators",
            "the validation generator is given its own list of classes",
            (
                '    "data/validation",\n',
                '    "data/validation",\n    classes=["rocket", "retina", "print", "gravel", '
                '"grass",\n             "galaxies", "coffee", "bricks"],\n',
            ),
            at="train_generator = train_datagen",
        ),
        plant(
            "argparse_main",
            "folders are taken in order for training and in reverse for validation",
            ("def read_images(folder, size):", "def read_images(folder, size, backwards=False):"),
            (
                "names = sorted(os.listdir(folder))",
                "names = sorted(os.listdir(folder), reverse=backwards)",
            ),
            (
                'read_images("data/validation", args.size)',
                'read_images("data/validation", args.size, backwards=True)',
            ),
            at="x_train, y_train, names = read_images",
        ),
        plant(
            "sequential_rescaling",
            "folders of three pairs of validation classes have each other's names",
            at=("train = keras.utils", "validation = keras.utils"),
            data="swapped_folders",
        ),
        plant(
            "nested_guide",
            "validation classes listed by hand in another order",
            (
                'image_dataset_from_directory("data/validation", image_size=IMAGE_SIZE)',
                "image_dataset_from_directory(\n"
                '    "data/validation",\n    image_size=IMAGE_SIZE,\n'
                "    class_names=train_ds.class_names[::-1],\n)",
            ),
            at="train_ds = keras",
        ),
    ),
)
