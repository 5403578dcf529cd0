"""Files that a person would rather not open, by what is wrong with them."""

import copy
import io
import os
import pickle
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import torch


class Call:
    """Unpickles as what a function returns."""

    def __init__(self, function: Callable, *arguments: object) -> None:
        self.function, self.arguments = function, arguments

    def __reduce__(self):
        return self.function, self.arguments


def zipped(records: dict[str, bytes], **options: int) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", **options) as zip_file:
        for name, content in records.items():
            zip_file.writestr(f"archive/{name}", content)
    return file.getvalue()


def archive(content: object, protocol: int = 2) -> bytes:
    """A file as torch.save writes it, around any pickle."""
    return zipped({"data.pkl": pickle.dumps(content, protocol), "version": b"3\n"})


def saved(content: object) -> bytes:
    file = io.BytesIO()
    torch.save(content, file)
    return file.getvalue()


def bomb() -> bytes:
    """A terabyte that the directory of a small file declares."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as zip_file:
        zip_file.writestr("archive/data.pkl", pickle.dumps({}, 2))
        zip_file.writestr("archive/data/0", b"1234")
        zip_file.filelist[-1].file_size = zip_file.filelist[-1].compress_size = 1 << 40
    return file.getvalue()


def files(marker: Path) -> dict[str, bytes]:
    """Whole files, wrong whichever program wrote them. The first ones would make a marker if they were executed."""
    make_marker = Call(open, str(marker), "w")
    run_command = Call(os.system, f"touch {marker}")
    return {
        "a pickle that opens a file": pickle.dumps(make_marker),
        "a pickle that runs a command": pickle.dumps({"state_dict": run_command}),
        "an archive that opens a file": saved({"state_dict": make_marker}),
        "an archive that runs a command": archive({"modgrok": run_command}, protocol=4),
        "an archive that runs a command as a record": saved({"modgrok": {"format": run_command}}),
        "evaluated code": archive({"w": Call(eval, f"open({str(marker)!r}, 'w')")}),
        "executed code": archive({"w": Call(exec, f"open({str(marker)!r}, 'w')")}),
        "a class of ours": archive({"w": Call(Path, "x")}),
        "compressed zeros": zipped({"data.pkl": bytes(300_000_000)}, compression=zipfile.ZIP_DEFLATED),
        "a directory that declares a terabyte": bomb(),
        "no pickle": zipped({"version": b"3\n"}),
        "an archive of nothing": zipped({}),
        "a file cut short": saved({"state_dict": {"w": torch.ones(1000)}})[:700],
        "zeros": bytes(1000),
        "noise": zlib.compress(bytes(range(256)) * 40),
        "nothing": b"",
    }


def changed(whole: dict, changes: dict[str, Callable[[dict], object]]) -> dict[str, bytes]:
    """A checkpoint with one thing changed, by what it is."""
    built = {}
    for name, change in changes.items():
        content = copy.deepcopy(whole)
        change(content)
        built[name] = saved(content)
    return built


def checkpoints(whole: dict) -> dict[str, bytes]:
    """Checkpoints that contradict themselves."""
    embedding = "network.embed.W_E"
    changes: dict[str, Callable[[dict], object]] = {
        "another class": lambda c: c["modgrok"]["network"].update(class_path="subprocess.Popen"),
        "a class that is no text": lambda c: c["modgrok"]["network"].update(
            class_path=["modgrok.Transformer"]
        ),
        "a record that is a list": lambda c: c.update(modgrok=[1, 2]),
        "another format": lambda c: c["modgrok"].update(format={"format": 1}),
        "an unknown field of the network": lambda c: c["modgrok"]["network"]["config"].update(
            hook="os.system"
        ),
        "a size that is text": lambda c: c["modgrok"]["network"]["config"].update(d_model="32"),
        "an unknown field of the data": lambda c: c["modgrok"]["data"].update(file="/etc/passwd"),
        "no modulus": lambda c: c["modgrok"]["data"].pop("modulus"),
        "a modulus of 10^9": lambda c: c["modgrok"]["data"].update(modulus=10**9),
        "another modulus": lambda c: c["modgrok"]["data"].update(modulus=7),
        "a task that is code": lambda c: c["modgrok"]["data"].update(task="__import__('os').getcwd()"),
        "another split": lambda c: c["modgrok"].update(split="0" * 64),
        "no history": lambda c: c["modgrok"].pop("history"),
        "a history of text": lambda c: c["modgrok"].update(history="long"),
        "no weights": lambda c: c.pop("state_dict"),
        "weights that are numbers": lambda c: c.update(state_dict={embedding: 1.0}),
        "a weight less": lambda c: c["state_dict"].pop(embedding),
        "a weight more": lambda c: c["state_dict"].update({"network.extra": torch.ones(3)}),
        "a weight of another shape": lambda c: c["state_dict"].update({embedding: torch.ones(3)}),
        "a weight that is NaN": lambda c: c["state_dict"][embedding].fill_(float("nan")),
    }
    return changed(whole, changes)


def optimizers(whole: dict) -> dict[str, bytes]:
    """Checkpoints that are sound for `test` and cannot be resumed."""

    def of(c: dict) -> dict:
        return c["optimizer_states"][0]

    changes: dict[str, Callable[[dict], object]] = {
        "a moment of one number": lambda c: of(c)["state"][0].update(exp_avg=torch.zeros(1)),
        "a moment shown often": lambda c: of(c)["state"][0].update(exp_avg=torch.zeros(()).expand(12, 32)),
        "a moment of no tensor": lambda c: of(c)["state"][0].update(exp_avg="large"),
        "a weight less": lambda c: of(c)["param_groups"][0]["params"].pop(),
        "no groups": lambda c: of(c).pop("param_groups"),
        "no optimizer": lambda c: c.update(optimizer_states=[]),
    }
    return changed(whole, changes)


def state_dicts(published: dict[str, torch.Tensor]) -> dict[str, dict]:
    """Other people's weights with one thing changed, in the published format and as a HookedTransformer's."""
    changes: dict[str, object] = {
        "embed.W_E": torch.ones(3),
        "blocks.0.attn.W_Q": torch.ones(2, 2),
        "blocks.0.attn.W_V": torch.tensor(1.0),
        "blocks.one.mlp.W_in": torch.ones(1, 1),
        "unembed.W_U": torch.full((16, 12), float("nan")),
    }
    built = {name: published | {name: weight} for name, weight in changes.items()}
    built["not a tensor"] = {**published, "embed.W_E": "text"}
    built["a name that is no text"] = {**published, 5: torch.ones(1)}
    built["no tensors"] = {}
    return built
