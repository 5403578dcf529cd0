"""Networks whose weights were written down so that they multiply in a group."""

import torch
from clock_network import history

from modgrok import MLP, ModularDataModule
from modgrok.analysis import real_irreps
from modgrok.runs import Snapshot
from modgrok.tasks import make_group


def built(notation: str, *names: str) -> Snapshot:
    """An MLP of neurons u·ρ(a)·v + v·ρ(b)·w through relu, whose logits are read off ρ(a·b) by least squares.

    Each of the irreps ρ has 200 neurons.
    """
    data = ModularDataModule(f"x * y in {notation}", train_fraction=0.6, template=["x", "y"])
    group = make_group(notation)
    generator = torch.Generator().manual_seed(0)
    x, y = data.operands.T
    first, target = [], torch.zeros(len(x), group.order, dtype=torch.float64)
    for name in names:
        rho = torch.from_numpy(next(i for i in real_irreps(group) if i.name == name).matrices)
        u, v, w = torch.randn(3, 200, rho.shape[1], dtype=torch.float64, generator=generator)
        first.append(
            torch.stack([torch.einsum("mi,gij,mj->gm", *each) for each in ((u, rho, v), (v, rho, w))])
        )
        target += torch.einsum("nij,cij->nc", rho[data.pairs.answers], rho)
    W_in = torch.cat(first, dim=2)
    hidden = (W_in[0][x] + W_in[1][y]).relu()
    network = MLP(**data.network_shape, d_mlp=W_in.shape[2], input="two_hot")
    with torch.no_grad():
        network.layers[0].W_in.copy_(W_in)
        network.unembed.W_U.copy_(4 * torch.linalg.lstsq(hidden, target).solution)
    return Snapshot(network.eval(), data, 300, history(300))
