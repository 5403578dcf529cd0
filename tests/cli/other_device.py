"""A device that is not there: its tensors are kept on the CPU, but do only what those of a CUDA device do.

A tensor on the device says so (`tensor.device`). It meets no tensor of the CPU but a number, multiplies no integer
matrices, draws from no generator of the CPU, and is no array of NumPy.
"""

from contextlib import contextmanager

import torch
from lightning.pytorch.accelerators import CPUAccelerator
from lightning.pytorch.strategies import SingleDeviceStrategy
from torch.multiprocessing.reductions import StorageWeakRef
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

DEVICE = torch.device("cuda:0")
PRODUCTS = ("mm", "bmm", "mv", "dot", "addmm", "addmv", "addbmm", "baddbmm")
ACROSS = ("copy_", "_to_copy", "_local_scalar_dense")

INDEXING = ("index", "index_put", "index_put_", "_index_put_impl_")
"""An index of these may be on the CPU; PyTorch moves it."""


class Residents:
    """Which tensors are on the device: those whose storage was put there, or was computed from what is there."""

    def __init__(self):
        self._storages = {}
        self.asked = (
            False  # whether a function of a tensor on the device is under way, which makes others beside it
        )

    def __contains__(self, tensor):
        reference = self._storages.get(tensor.untyped_storage()._cdata)
        return reference is not None and not reference.expired()

    def add(self, tensor):
        storage = tensor.untyped_storage()
        self._storages[storage._cdata] = StorageWeakRef(storage)

    def discard(self, tensor):
        self._storages.pop(tensor.untyped_storage()._cdata, None)


def tensors_of(tree):
    return [leaf for leaf in tree_leaves(tree) if isinstance(leaf, torch.Tensor)]


class Kernels(TorchDispatchMode):
    """Refuses what the kernels of a device refuse; what is computed from its tensors is on it."""

    def __init__(self, residents):
        super().__init__()
        self.residents = residents

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        name, given = function.overloadpacket.__name__, tensors_of((args, kwargs))
        here = [tensor for tensor in given if tensor in self.residents]
        if here and name not in ACROSS:
            moved = tensors_of(args[1]) if name in INDEXING and args[0] in self.residents else []
            there = [
                tensor
                for tensor in given
                if tensor.dim() and tensor not in self.residents and not any(tensor is one for one in moved)
            ]
            if there:
                raise RuntimeError(
                    f"{function}: expected all tensors on {DEVICE}, got {tuple(there[0].shape)} on cpu"
                )
            if name in PRODUCTS and not all(t.is_floating_point() or t.is_complex() for t in given):
                raise RuntimeError(f"{function} not implemented for 'Long'")
        result = function(*args, **kwargs)
        if (here and name != "_local_scalar_dense") or (self.residents.asked and not given):
            for tensor in tensors_of(result):
                self.residents.add(tensor)
        return result


class Placing(TorchFunctionMode):
    """Answers where a tensor is, and puts it on the device or takes it off."""

    def __init__(self, residents):
        super().__init__()
        self.residents = residents

    def __torch_function__(self, function, types, args=(), kwargs=None):
        kwargs = dict(kwargs or {})
        if function == torch.Tensor.device.__get__:
            return DEVICE if args[0] in self.residents else function(*args)
        if function is torch.Tensor.numpy and args[0] in self.residents:
            raise TypeError(f"can't convert {DEVICE} device type tensor to numpy")
        if function is torch.Tensor.cpu:
            return self._placed(args[0], torch.device("cpu"))
        if function is torch.Tensor.to:
            tensor, *target = args
            if target and isinstance(target[0], torch.Tensor):
                target = [DEVICE if target[0] in self.residents else torch.device("cpu"), target[0].dtype]
            device, dtype, *_ = torch._C._nn._parse_to(
                *target, **{k: v for k, v in kwargs.items() if k in ("device", "dtype", "non_blocking")}
            )
            placed = tensor if device is None else self._placed(tensor, device)
            moved = placed if dtype is None else function(placed, dtype)
            return moved.clone() if kwargs.get("copy") and moved is tensor else moved
        if function is torch.Tensor.new_tensor:
            kwargs = {"device": DEVICE if args[0] in self.residents else "cpu", **kwargs}
        if kwargs.get("device") is not None:
            device = torch.device(kwargs["device"])
            if device == DEVICE and kwargs.get("generator") is not None:
                raise RuntimeError(f"{function}: expected a generator of {DEVICE}, got one of cpu")
            made = function(*args, **{**kwargs, "device": "cpu"})
            for tensor in tensors_of(made):
                (self.residents.add if device == DEVICE else self.residents.discard)(tensor)
            return made
        before, self.residents.asked = (
            self.residents.asked,
            any(t in self.residents for t in tensors_of((args, kwargs))),
        )
        try:
            return function(*args, **kwargs)
        finally:
            self.residents.asked = before

    def _placed(self, tensor, device):
        if (tensor in self.residents) == (device == DEVICE):
            return tensor
        copied = tensor.clone()
        (self.residents.add if device == DEVICE else self.residents.discard)(copied)
        return copied


@contextmanager
def other_device(monkeypatch):
    """Let every Trainer use the device."""
    residents = Residents()
    monkeypatch.setattr(SingleDeviceStrategy, "root_device", property(lambda strategy: DEVICE))
    monkeypatch.setattr(CPUAccelerator, "setup_device", lambda accelerator, device: None)
    with Placing(residents), Kernels(residents):
        yield residents
