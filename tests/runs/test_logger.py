"""The events of a run, read back as TensorBoard reads them."""

import re

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.plugins.custom_scalar.layout_pb2 import Layout
from tensorboard.plugins.custom_scalar.metadata import CONFIG_SUMMARY_TAG

from modgrok.runs.logger import RunLogger


def charts(directory):
    """The tags of each chart of the layout, of those that were logged, in the order of the page."""
    events = EventAccumulator(str(directory)).Reload()
    (event,) = events.Tensors(CONFIG_SUMMARY_TAG)
    layout = Layout.FromString(event.tensor_proto.string_val[0])
    logged = events.Tags()["scalars"]
    return [
        (chart.title, {tag for tag in logged if any(re.search(one, tag) for one in chart.multiline.tag)})
        for category in layout.category
        for chart in category.chart
    ]


def test_both_sides_stand_in_one_chart_and_norms_and_finals_come_last(tmp_path):
    logger = RunLogger(tmp_path)
    scores = ("accuracy", "loss", "accuracy/x + y")
    for update in (0, 100):
        logger.log_metrics(
            {f"{side}/{score}": 1.0 for side in ("train", "heldout") for score in scores}, update
        )
    others = ("heldout/accuracy_new", "norm/total", "norm_l1/embed.W_E", "final/heldout_accuracy")
    logger.log_metrics(dict.fromkeys((*others, "final/train_loss", "final/grokked_at"), 1.0), 100)
    logger.finalize("success")
    assert charts(logger.log_dir) == [
        ("accuracy", {"train/accuracy", "heldout/accuracy", "heldout/accuracy_new"}),
        ("loss", {"train/loss", "heldout/loss"}),
        ("L2", {"norm/total"}),
        ("L1", {"norm_l1/embed.W_E"}),
        ("accuracy", {"final/heldout_accuracy"}),
        ("loss", {"final/train_loss"}),
        ("first update at the threshold", {"final/grokked_at"}),
    ]
