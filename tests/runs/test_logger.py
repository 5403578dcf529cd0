"""The events of a run, read back as TensorBoard reads them."""

import re

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.plugins.custom_scalar.layout_pb2 import Layout
from tensorboard.plugins.custom_scalar.metadata import CONFIG_SUMMARY_TAG

from modgrok.runs.logger import RunLogger


def charts(directory):
    """The tags of each chart of the layout, of those that were logged."""
    events = EventAccumulator(str(directory)).Reload()
    (event,) = events.Tensors(CONFIG_SUMMARY_TAG)
    layout = Layout.FromString(event.tensor_proto.string_val[0])
    return {
        chart.title: {
            tag for tag in events.Tags()["scalars"] if any(re.match(one, tag) for one in chart.multiline.tag)
        }
        for chart in layout.category[0].chart
    }


def test_both_sides_stand_in_one_chart(tmp_path):
    logger = RunLogger(tmp_path)
    scores = ("accuracy", "loss", "accuracy/x + y")
    for update in (0, 100):
        logger.log_metrics(
            {f"{side}/{score}": 1.0 for side in ("train", "heldout") for score in scores}, update
        )
    logger.log_metrics({"heldout/accuracy_new": 1.0, "norm/total": 1.0}, 100)
    logger.finalize("success")
    assert charts(logger.log_dir) == {
        "accuracy": {"train/accuracy", "heldout/accuracy", "heldout/accuracy_new"},
        "loss": {"train/loss", "heldout/loss"},
    }
