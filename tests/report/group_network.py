"""Networks whose weights were written down so that they multiply in a group."""

import torch
from clock_network import history

from modgrok import MLP, ModularDataModule
from modgrok.analysis import real_irreps
from modgrok.runs import Snapshot
from modgrok.tasks import make_group


def built(notation: str, name: str) -> Snapshot:
    """An MLP of neurons u·ρ(a)·v + v·ρ(b)·w through relu, whose logits are read off ρ(a·b) by least squares."""
    data = ModularDataModule(f"x * y in {notation}", train_fraction=0.6, template=["x", "y"])
    group = make_group(notation)
    rho = torch.from_numpy(next(i for i in real_irreps(group) if i.name == name).matrices)
    generator = torch.Generator().manual_seed(0)
    u, v, w = torch.randn(3, 200, rho.shape[1], dtype=torch.float64, generator=generator)
    network = MLP(**data.network_shape, d_mlp=200, input="two_hot")
    W_in = torch.stack([torch.einsum("mi,gij,mj->gm", u, rho, v), torch.einsum("mi,gij,mj->gm", v, rho, w)])
    x, y = data.operands.T
    hidden = (W_in[0][x] + W_in[1][y]).relu()
    target = torch.einsum("nij,cij->nc", rho[data.pairs.answers], rho)
    with torch.no_grad():
        network.layers[0].W_in.copy_(W_in)
        network.unembed.W_U.copy_(4 * torch.linalg.lstsq(hidden, target).solution)
    return Snapshot(network.eval(), data, 300, history(300))
