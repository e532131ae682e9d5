"""The line of a message or of an output that tells a reader something."""

from __future__ import annotations

import pytest

from tlfix.probe import last_words

GRAPH = """\
Graph execution error:

Detected at node compile_loss/sparse/SparseSoftmaxCrossEntropyWithLogits defined at (most recent \
call last):
  File "/p/train.py", line 9, in <module>

  File "/lib/keras/src/utils/traceback_utils.py", line 117, in error_handler

Received a label value of 7 which is outside the valid range of [0, 3).  Label values: 1 1 7 2
\t [[{{node compile_loss/sparse/SparseSoftmaxCrossEntropyWithLogits}}]] \
[Op:__inference_multi_step_on_iterator_356]"""

ROOTS = """\
Graph execution error:

2 root error(s) found.
  (0) INVALID_ARGUMENT:  Input size should match (header_size + row_size * abs_height)
\t [[{{node decode_image/DecodeImage}}]]
\t [[IteratorGetNext]]
  (1) INVALID_ARGUMENT:  Input size should match (header_size + row_size * abs_height)
\t [[{{node decode_image/DecodeImage}}]]
0 successful operations.
0 derived errors ignored. [Op:__inference_train_function_1]"""

CALLING = """\
Exception encountered when calling Sequential.call().

\x1b[1mInput 0 of layer 'dense_1' is incompatible with the layer\x1b[0m

Arguments received by Sequential.call():
  • training=None"""


@pytest.mark.parametrize(
    ("message", "told"),
    [
        ("", ""),
        ("plain\nmore", "plain"),
        (
            GRAPH,
            "Received a label value of 7 which is outside the valid range of [0, 3).  "
            "Label values: 1 1 7 2",
        ),
        (
            ROOTS,
            "INVALID_ARGUMENT:  Input size should match (header_size + row_size * abs_height)",
        ),
        ("Graph execution error:\n", "Graph execution error:"),
        (CALLING, "Input 0 of layer 'dense_1' is incompatible with the layer"),
    ],
    ids=["empty", "plain", "graph", "roots", "graph without a reason", "layer"],
)
def test_what_a_message_says(message: str, told: str) -> None:
    assert last_words.message(message) == told


def test_an_output_without_the_libraries_logs() -> None:
    printed = """\
loading images
WARNING: All log messages before absl::InitializeLog() is called are written to STDERR
I0000 00:00:1795268630.528852   29825 cudart_stub.cc:31] Could not find cuda drivers
2025-01-01 10:00:00.123456: I tensorflow/core/platform/cpu_feature_guard.cc:210] This TensorFlow
To enable the following instructions: AVX2 FMA, in other operations, rebuild TensorFlow
WARNING:tensorflow:5 out of the last 5 calls
W0000 00:00:1795268636.084618   29868 local_rendezvous.cc:412] Local rendezvous is aborting
\t [[{{function_node __inference_one_step_on_data_340}}{{node compile_loss}}]]
usage: train.py --data DATA
"""
    assert last_words.output(printed) == ["loading images", "usage: train.py --data DATA"]
    assert last_words.output("") == []
