"""The dictionaries that the field's notebooks save, whatever their keys."""

import sys
import types

import pytest
import torch

from modgrok import ModularDataModule, Transformer
from modgrok.analysis import analyze_network
from modgrok.cli import main
from modgrok.errors import InputError
from modgrok.interop import Reading, read_weights
from modgrok.interop.hooked import from_transformer, hooked_config

WORDS = ["x", "y", "="]
TOLD = Reading(WORDS, "relu", "none")
EPOCHS = [9, 19, 29]


def state(seed: int, **variant) -> dict[str, torch.Tensor]:
    torch.manual_seed(seed)
    data = ModularDataModule("x + y", 11)
    return from_transformer(Transformer(**data.network_shape, d_model=16, n_heads=2, d_mlp=20, **variant))


def demo(**changes) -> dict:
    """What the Grokking demo saves."""
    order = torch.randperm(121, generator=torch.Generator().manual_seed(598))
    network = Transformer(12, 11, 3, d_model=16, n_heads=2, d_mlp=20)
    return {
        "model": state(3),
        "config": hooked_config(network),
        "checkpoints": [state(seed) for seed in (1, 2, 3)],
        "checkpoint_epochs": EPOCHS,
        "train_losses": [1.0] * 30,
        "test_losses": [2.0] * 30,
        "train_indices": order[:36],
        "test_indices": order[36:],
        **changes,
    }


def test_the_checkpoints_are_the_time_axis_and_the_indices_the_split(tmp_path) -> None:
    content = demo()
    torch.save(content, tmp_path / "demo.pth")
    run = read_weights(tmp_path / "demo.pth", "x + y", 11, TOLD)
    assert run.snapshot.update == 30
    assert run.snapshot.history.update == [10, 20, 30]
    assert [one.update for one in run.earlier] == [10, 20]
    assert run.snapshot.split_known
    data = run.snapshot.data
    assert data.training_index.tolist() == sorted(content["train_indices"].tolist())
    for one, weights in zip(run.earlier, content["checkpoints"], strict=False):
        assert torch.equal(one.network.embed.W_E, weights["embed.W_E"])
    found = analyze_network(run.snapshot, "demo", earlier=run.earlier)
    assert [moment.update for moment in found.tasks[0].moments] == [10, 20, 30]
    last = found.tasks[0].last
    assert last.heldout_accuracy_new == run.snapshot.history.heldout_accuracy_new[-1]
    assert last.heldout_accuracy_known == pytest.approx(run.snapshot.history.heldout_accuracy_known[-1])
    assert found.tasks[0].last.train_accuracy == pytest.approx(run.snapshot.history.train_accuracy[-1])


def test_the_report_of_a_demo_file_is_written_through_the_command_line(tmp_path, capsys) -> None:
    torch.save(demo(), tmp_path / "demo.pth")
    main(
        [
            *("analyze", str(tmp_path / "demo.pth"), "--formula", "x + y", "--modulus", "11"),
            *("--tokens", "x", "y", "="),
        ]
    )
    assert "Read with tokens x y =; activation relu" in capsys.readouterr().out
    rows = (tmp_path / "demo-report" / "measures.csv").read_text().splitlines()
    assert len(rows) == 4


class Config:
    """Stands for the config class of the library that the notebook used; it is not there when the file is read."""

    def __init__(self, said: dict) -> None:
        vars(self).update(said)


def save_with_class(content: dict, file, monkeypatch) -> None:
    module = types.ModuleType("a_library")
    module.HookedTransformerConfig = type("HookedTransformerConfig", (Config,), {"__module__": "a_library"})
    monkeypatch.setitem(sys.modules, "a_library", module)
    content["config"] = module.HookedTransformerConfig({**content["config"], "dtype": torch.float32})
    torch.save(content, file)
    monkeypatch.delitem(sys.modules, "a_library")


def test_a_pickled_config_class_is_kept_inert_and_believed(tmp_path, monkeypatch) -> None:
    file = tmp_path / "demo.pth"
    save_with_class(demo(), file, monkeypatch)
    assert read_weights(file, "x + y", 11, Reading(WORDS)).snapshot.update == 30
    assert "a_library" not in sys.modules
    with pytest.raises(InputError, match="its config says relu, and the command line says gelu"):
        read_weights(file, "x + y", 11, Reading(WORDS, "gelu"))


@pytest.mark.parametrize(
    "wrap",
    [
        lambda weights: weights,
        lambda weights: {"state_dict": weights, "epoch": 4},
        lambda weights: {"any": {"name": {f"model.{name}": weight for name, weight in weights.items()}}},
        lambda weights: {"model": weights, "average": state(9)},
        lambda weights: {"state_dicts": [state(1), weights], "epochs": [0, 100]},
        lambda weights: {"model": weights, "config": {"eps": torch.ones(3), "act_fn": "relu"}},
        lambda weights: {**weights, "x_embed": weights["embed.W_E"].clone()},
        lambda weights: {"model": weights, "optimizer": {"state": {0: {"step": torch.ones(())}}}},
    ],
)
def test_a_network_is_found_by_what_it_is(wrap, tmp_path) -> None:
    weights = state(5)
    torch.save(wrap(weights), tmp_path / "wrapped.pth")
    run = read_weights(tmp_path / "wrapped.pth", "x + y", 11, TOLD)
    assert torch.equal(run.snapshot.network.embed.W_E, weights["embed.W_E"])
    assert run.snapshot.update in (0, 5, 101)
    copies = [note for note in run.notes if "x_embed, a copy of embed.W_E" in note]
    assert len(copies) == ("x_embed" in wrap(weights))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            demo(train_indices=[0, 121], test_indices=None),
            "train_indices: 121 is not the number of a pair, 0 to 120",
        ),
        (demo(train_indices=[-1, 3], test_indices=None), "train_indices: -1 is not the number of a pair"),
        (demo(train_indices=[3, 3], test_indices=[4]), "share a pair, or repeat one"),
        (demo(train_indices=[3, 4], test_indices=[4]), "share a pair, or repeat one"),
        (demo(train_indices=list(range(121)), test_indices=None), "leave one side of the split empty"),
        (demo(checkpoint_epochs=[9, 19]), "has 3 checkpoints and 2 checkpoint_epochs"),
        (demo(checkpoint_epochs=[9, 19, 19]), "checkpoint_epochs must be ascending from 0"),
        (demo(checkpoint_epochs=None), "3 checkpoints and no list of their epochs"),
        (
            demo(checkpoints=[state(1, d_head=3), *demo()["checkpoints"][1:]]),
            "after 10 updates has other shapes",
        ),
        (demo(checkpoints=[state(1)] * 10_001), r"has 10,001 checkpoints; at most 10,000 are read"),
        (demo(train_indices=[0.5, 1.0]), "train_indices must be a list of whole numbers"),
        (demo(train_indices=torch.ones(3, 3)), "train_indices must be a list of whole numbers"),
        (demo(config={"act_fn": "solu"}), "'solu' is not one of relu, gelu"),
        ({"a": state(1), "b": state(2)}, "holds several state dicts: a, b"),
        ({"losses": [1.0]}, "holds no state dict of a network"),
        ([1, 2], "holds no state dict of a network"),
        ({"W_a": torch.ones(2)}, "has weights W_a"),
        (
            {
                "W_x": torch.ones(3, 2),
                "W_y": torch.ones(3, 2),
                "W": torch.ones(3, 5),
                "W_U": torch.ones(5, 3),
            },
            "fit",
        ),
    ],
)
def test_what_cannot_be_read_is_said_in_a_line(content, message, tmp_path) -> None:
    torch.save(content, tmp_path / "demo.pth")
    with pytest.raises(InputError, match=message) as refused:
        read_weights(tmp_path / "demo.pth", "x + y", 11, Reading(WORDS))
    assert "\n" not in str(refused.value)


def test_a_checkpoint_of_our_own_needs_no_formula(small_run) -> None:
    checkpoint = next((small_run / "checkpoints").glob("*.ckpt"))
    with pytest.raises(InputError, match="leave out --formula"):
        read_weights(checkpoint, "x + y", 11)


def test_an_option_of_other_peoples_weights_needs_a_formula(small_run, capsys) -> None:
    with pytest.raises(SystemExit):
        main(["analyze", str(small_run), "--activation", "gelu"])
    assert "--activation describes other people's weights" in capsys.readouterr().err
