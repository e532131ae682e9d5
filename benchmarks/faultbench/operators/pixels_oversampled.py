"""SMOTE on flattened pixels: new training images are double exposures."""

from benchmarks.faultbench.planting import Operator, plant

OPERATOR = Operator(
    "pixels-oversampled",
    (
        plant(
            "argparse_main",
            "SMOTE before scaling",
            (
                "    x_train = preprocess_input(x_train)\n",
                "    flat = x_train.reshape(len(x_train), -1)\n"
                "    flat, y_train = SMOTE().fit_resample(flat, y_train)\n"
                "    x_train = flat.reshape(-1, args.size, args.size, 3)\n"
                "    x_train = preprocess_input(x_train)\n",
            ),
            (
                "import numpy as np\n",
                "import numpy as np\nfrom imblearn.over_sampling import SMOTE\n",
            ),
            data="skewed",
        ),
        plant(
            "arrays_split",
            "SMOTE on all rows, before the split",
            (
                "order = np.random",
                "flat, labels = SMOTE().fit_resample(images.reshape(len(images), -1), labels)\n"
                "images = flat.reshape(-1, 96, 96, 3)\norder = np.random",
            ),
            (
                "import numpy as np\n",
                "import numpy as np\nfrom imblearn.over_sampling import SMOTE\n",
            ),
        ),
    ),
    consequences=("class-imbalance",),
)
