"""Files that a person would rather not open, by what is wrong with them."""

import copy
import io
import math
import os
import pickle
import zipfile
import zlib
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path

import torch


class Call:
    """Unpickles as what a function returns."""

    def __init__(self, function: Callable, *arguments: object) -> None:
        self.function, self.arguments = function, arguments

    def __reduce__(self):
        return self.function, self.arguments


class Storage:
    """Stands for a storage of so many float32, whatever its record holds."""

    def __init__(self, numbers: int) -> None:
        self.numbers = numbers


def tensor(numbers: int, shape: tuple[int, ...], stride: tuple[int, ...]) -> Call:
    return Call(torch._utils._rebuild_tensor_v2, Storage(numbers), 0, shape, stride, False, OrderedDict())


def archive(pickled: object, records: dict[str, bytes], protocol: int = 2) -> bytes:
    """A file as torch.save writes it, of a pickle and records that need not belong together."""
    if not isinstance(pickled, bytes):
        stream = io.BytesIO()
        pickler = pickle.Pickler(stream, protocol)
        pickler.persistent_id = lambda it: (
            ("storage", torch.FloatStorage, "0", "cpu", it.numbers) if isinstance(it, Storage) else None
        )
        pickler.dump(pickled)
        pickled = stream.getvalue()
    return zipped({"data.pkl": pickled, "version": b"3\n", **{f"data/{k}": v for k, v in records.items()}})


def zipped(records: dict[str, bytes], **options: int) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", **options) as zip_file:
        for name, content in records.items():
            zip_file.writestr(f"archive/{name}", content)
    return file.getvalue()


def saved(content: object) -> bytes:
    file = io.BytesIO()
    torch.save(content, file)
    return file.getvalue()


def bomb(directory_says: int | None = None) -> bytes:
    """300 MB of zeros in 1 MB, or a directory that declares any number of bytes for a record of four."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as zip_file:
        content = {"w": tensor((directory_says or 300_000_000) // 4, (1,), (1,))}
        with zipfile.ZipFile(io.BytesIO(archive(content, {}))) as whole:
            for name in whole.namelist():
                zip_file.writestr(name, whole.read(name), zipfile.ZIP_STORED)
        if directory_says:
            zip_file.writestr("archive/data/0", b"1234", zipfile.ZIP_STORED)
            zip_file.filelist[-1].file_size = zip_file.filelist[-1].compress_size = directory_says
        else:
            with zip_file.open("archive/data/0", "w") as record:
                for _ in range(300):
                    record.write(bytes(1_000_000))
    return file.getvalue()


def repeated(levels: int) -> list[object]:
    """A list of two lists that are one, and so on: 2^levels parts to walk through."""
    part: list[object] = []
    for _ in range(levels):
        part = [part, part]
    return part


def files(marker: Path) -> dict[str, bytes]:
    """Whole files, wrong whichever program wrote them."""
    make_marker = Call(open, str(marker), "w")
    run_command = Call(os.system, f"touch {marker}")
    hashed_for_ever = b"\x80\x02})q\x00" + b"h\x00h\x00\x86q\x00" * 60 + b"K\x01s."
    deep = b"\x80\x02" + b"]" * 50_000 + b"a" * 49_999 + b"."
    return {
        "a pickle that opens a file": pickle.dumps(make_marker),
        "a pickle that runs a command": pickle.dumps({"state_dict": run_command}),
        "an archive that opens a file": saved({"state_dict": make_marker}),
        "an archive that runs a command": archive({"modgrok": run_command}, {}, protocol=4),
        "evaluated code": archive({"w": Call(eval, f"open({str(marker)!r}, 'w')")}, {}),
        "a class of ours": archive({"w": Call(Path, "x")}, {}),
        "compressed zeros": bomb(),
        "a directory that declares a terabyte": bomb(1 << 40),
        "a tensor of a terabyte": archive({"w": tensor(1 << 38, (1 << 38,), (1,))}, {"0": b"1234"}),
        "a tensor beyond its storage": archive({"w": tensor(1, (1000,), (1,))}, {"0": b"1234"}),
        "a tensor of negative size": archive({"w": tensor(1, (-5,), (1,))}, {"0": b"1234"}),
        "a sparse tensor": saved({"w": torch.sparse_coo_tensor([[0], [0]], [1.0], (10**9, 10**9))}),
        "a function that makes bytes": archive({"w": [Call(bytearray, 10**10)] * 9}, {}),
        "lists inside lists": archive(deep, {}),
        "lists that repeat": archive({"modgrok": repeated(60)}, {}),
        "a key that is hashed for ever": archive(hashed_for_ever, {}),
        "too many lists": archive(b"\x80\x02(" + b"]" * 250_000 + b"t.", {}),
        "two records of one name": archive({}, {"x": b"1", "X": b"2"}),
        "an instruction cut short": archive(b"\x80\x02X\xff\xff\xff\x7fabc", {}),
        "a stack of nothing": archive(b"\x80\x02R.", {}),
        "no pickle": zipped({"version": b"3\n"}),
        "an archive of nothing": zipped({}),
        "a compressed archive": zipped({"data.pkl": pickle.dumps({}, 2)}, compression=zipfile.ZIP_DEFLATED),
        "zeros": bytes(1000),
        "noise": zlib.compress(bytes(range(256)) * 40),
        "nothing": b"",
    }


def checkpoints(whole: dict) -> dict[str, bytes]:
    """A checkpoint with one thing changed, by what it is."""
    changes: dict[str, Callable[[dict], object]] = {
        "another class": lambda c: c["modgrok"]["network"].update({"class": "Popen"}),
        "a class that is no text": lambda c: c["modgrok"]["network"].update({"class": ["Transformer"]}),
        "a record that is a list": lambda c: c.update(modgrok=[1, 2]),
        "another format": lambda c: c["modgrok"].update(format={"format": 1}),
        "a negative update": lambda c: c["modgrok"].update(update=-1),
        "an unknown field of the network": lambda c: c["modgrok"]["network"]["config"].update(
            hook="os.system"
        ),
        "an unknown field of the data": lambda c: c["modgrok"]["data"].update(file="/etc/passwd"),
        "no modulus": lambda c: c["modgrok"]["data"].pop("modulus"),
        "a modulus of 10^9": lambda c: c["modgrok"]["data"].update(modulus=10**9),
        "a modulus of 10^4": lambda c: c["modgrok"]["data"].update(modulus=10**4),
        "a modulus of 5,000 digits": lambda c: c["modgrok"]["data"].update(modulus=10**600),
        "another modulus": lambda c: c["modgrok"]["data"].update(modulus=7),
        "a task that is no text": lambda c: c["modgrok"]["data"].update(task=5),
        "a task that is code": lambda c: c["modgrok"]["data"].update(task="__import__('os').getcwd()"),
        "a thousand words": lambda c: c["modgrok"]["data"].update(template=["x", "y"] + ["="] * 1000),
        "a seed without end": lambda c: c["modgrok"]["data"].update(split_seed=2**200),
        "another split": lambda c: c["modgrok"].update(split="0" * 64),
        "d_model 10^6": lambda c: c["modgrok"]["network"]["config"].update(d_model=10**6),
        "d_mlp 10^15": lambda c: c["modgrok"]["network"]["config"].update(d_mlp=10**15),
        "a billion layers": lambda c: c["modgrok"]["network"]["config"].update(n_layers=10**9),
        "no heads": lambda c: c["modgrok"]["network"]["config"].update(n_heads=0),
        "a size that is text": lambda c: c["modgrok"]["network"]["config"].update(d_model="32"),
        "a longer context": lambda c: c["modgrok"]["network"]["config"].update(context_length=10**9),
        "no history": lambda c: c["modgrok"].pop("history"),
        "a history of NaN": lambda c: c["modgrok"]["history"]["train_loss"].append(math.nan),
        "a NaN in the history": lambda c: c["modgrok"]["history"]["train_loss"].__setitem__(0, math.nan),
        "a history of text": lambda c: c["modgrok"]["history"].update(update=["0"]),
        "no weights": lambda c: c.pop("state_dict"),
        "weights that are numbers": lambda c: c.update(state_dict={"network.embed.W_E": 1.0}),
        "a weight less": lambda c: c["state_dict"].pop("network.embed.W_E"),
        "a weight more": lambda c: c["state_dict"].update({"network.extra": torch.ones(3)}),
        "a weight of another shape": lambda c: c["state_dict"].update({"network.embed.W_E": torch.ones(3)}),
        "a weight of integers": lambda c: c["state_dict"].update(
            {"network.embed.W_E": torch.ones(12, 32, dtype=torch.int64)}
        ),
        "a weight that is NaN": lambda c: c["state_dict"]["network.embed.W_E"].fill_(math.nan),
        "a number that is shown 10^12 times": expand,
    }
    built = {}
    for name, change in changes.items():
        content = copy.deepcopy(whole)
        change(content)
        built[name] = saved(content)
    for name in ("format", "update", "network", "data", "split", "history"):
        for wrong in (None, b"x", [], {}):
            content = copy.deepcopy(whole)
            content["modgrok"][name] = wrong
            built[f"{name} {wrong!r}"] = saved(content)
    return built


def expand(checkpoint: dict) -> None:
    """A network of d_model 10^6 and d_mlp 10^6 whose every weight is one stored number."""
    config = checkpoint["modgrok"]["network"]["config"]
    config |= {"d_model": 10**6, "d_mlp": 10**6}
    for name, weight in checkpoint["state_dict"].items():
        shape = [10**6 if size in (32, 64) else size for size in weight.shape]
        shape = [250_000 if size == 8 else size for size in shape]
        checkpoint["state_dict"][name] = torch.zeros(()).expand(shape)


def state_dicts(published: dict[str, torch.Tensor]) -> dict[str, dict]:
    """Other people's weights with one thing changed, in the published format and as a HookedTransformer's."""
    changes: dict[str, object] = {
        "embed.W_E": torch.ones(3),
        "blocks.0.attn.W_Q": torch.ones(2, 2),
        "blocks.0.attn.W_O": torch.ones(16, 7),
        "blocks.0.attn.W_V": torch.tensor(1.0),
        "blocks.0.mlp.W_in": torch.ones(0, 0),
        "blocks.999999999.mlp.W_in": torch.ones(1, 1),
        "blocks.one.mlp.W_in": torch.ones(1, 1),
        "blocks." + "9" * 5000 + ".mlp.W_in": torch.ones(1, 1),
        "blocks": torch.ones(1),
        "unembed.W_U": torch.full((16, 12), math.nan),
        "unembed.b_U": torch.ones(12, dtype=torch.int64),
        "pos_embed.W_pos": torch.zeros(()).expand(3, 10**12),
    }
    built = {f"{name[:40]}": published | {name: weight} for name, weight in changes.items()}
    built["weights of 10^30"] = {name: 1e30 * weight for name, weight in published.items()}
    built["not a tensor"] = {**published, "embed.W_E": "text"}
    built["a name that is no text"] = {**published, 5: torch.ones(1)}
    built["no tensors"] = {}
    built["one shown often"] = {
        name: torch.zeros(()).expand([10**5 * size for size in weight.shape])
        for name, weight in published.items()
    }
    return built


def optimizers(whole: dict) -> dict[str, bytes]:
    """A checkpoint that is sound for `test` and not to go on from."""

    def of(c: dict) -> dict:
        return c["optimizer_states"][0]

    changes: dict[str, Callable[[dict], object]] = {
        "a moment of one number": lambda c: of(c)["state"][0].update(exp_avg=torch.zeros(1)),
        "a moment shown often": lambda c: of(c)["state"][0].update(exp_avg=torch.zeros(()).expand(12, 32)),
        "a moment of float64": lambda c: of(c)["state"][0].update(exp_avg=torch.zeros(12, 32).double()),
        "no moments of a weight": lambda c: of(c)["state"].pop(0),
        "moments in another order": swap_moments,
        "a learning rate of text": lambda c: of(c)["param_groups"][0].update(lr="fast"),
        "AMSGrad": lambda c: of(c)["param_groups"][0].update(amsgrad=True),
        "no schedule": lambda c: c.pop("lr_schedulers"),
        "a schedule without a step": lambda c: c["lr_schedulers"][0].update(step=None),
        "no optimizer": lambda c: c.pop("optimizer_states"),
        "no loops": lambda c: c.pop("loops"),
    }
    built = {}
    for name, change in changes.items():
        content = copy.deepcopy(whole)
        change(content)
        built[name] = saved(content)
    return built


def swap_moments(checkpoint: dict) -> None:
    """The moments of the first two weights change places, and so do the weights in the file."""
    weights, (optimizer,) = checkpoint["state_dict"], checkpoint["optimizer_states"]
    first, second, *others = weights
    checkpoint["state_dict"] = {name: weights[name] for name in (second, first, *others)}
    state = optimizer["state"]
    state[0], state[1] = state[1], state[0]
