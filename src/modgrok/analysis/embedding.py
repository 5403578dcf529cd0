"""The shape of the embedding: its singular values and its principal components."""

from dataclasses import dataclass

import torch
from torch import Tensor


def singular_values(matrix: Tensor, seed: int = 0) -> tuple[Tensor, Tensor]:
    """The singular values of a matrix, and of a random one to hold them against.

    Nanda et al. 2023, section 4.1: the embedding of a grokked network has rank about twice its number of key
    frequencies. The random matrix has the same shape and Frobenius norm and independent normal entries.

    Args:
        matrix: (p, d).
        seed: the seed of the random matrix.

    Returns:
        Two tensors of shape (min(p, d),), float64, descending.

    Example:
        >>> import torch
        >>> from modgrok.analysis import singular_values
        >>> ours, random = singular_values(torch.eye(3))
        >>> ours.tolist()
        [1.0, 1.0, 1.0]
    """
    values = torch.linalg.svdvals(matrix.double())
    generator = torch.Generator().manual_seed(seed)
    random = torch.linalg.svdvals(torch.randn(matrix.shape, generator=generator, dtype=torch.float64))
    return values, random.to(values.device) * (values.norm() / random.norm())


def on_plane(matrix: Tensor, plane: Tensor) -> Tensor:
    """Where the rows of a matrix stand on the plane that a frequency spans in their space.

    The cosine and the sine of a frequency, as functions of the symbol, each pick a direction out of an embedding;
    where the frequency is alone on its plane, the symbols stand on a circle there (Nanda et al. 2023, section 4.1).

    Args:
        matrix: (s, d), an embedding.
        plane: (2, s), the frequency's plane in a basis of the symbols: `Basis.planes[k]`.

    Returns:
        (s, 2) float64, coordinates along the cosine's direction and across it.

    Example:
        >>> import torch
        >>> from modgrok.analysis import additive_clock, characters, on_plane
        >>> plane = characters(additive_clock(5)).planes[1]
        >>> torch.allclose(on_plane(plane.T, plane), plane.T)  # cosines and sines stand where they are
        True
    """
    rows = matrix.double()
    cosine, sine = plane.to(rows.device) @ rows
    along = cosine / cosine.norm().clamp(min=torch.finfo(torch.float64).tiny)
    across = sine - (sine @ along) * along
    across = across / across.norm().clamp(min=torch.finfo(torch.float64).tiny)
    return torch.stack([rows @ along, rows @ across], dim=1)


@dataclass(frozen=True, eq=False)
class PrincipalComponents:
    """The principal components of a matrix's rows.

    Attributes:
        scores: (p, r) float64, each row's coordinates, r = min(p, d); a column's largest entry is positive.
        variance_explained: (r,) float64, descending; all 0 where the rows are all equal.
        center: (d,) float64, the mean of the rows.
        directions: (d, r) float64, orthonormal.

    Example:
        >>> import torch
        >>> from modgrok.analysis import principal_components
        >>> components = principal_components(torch.tensor([[1.0, 0.0], [-1.0, 0.0], [0.0, 0.5], [0.0, -0.5]]))
        >>> [round(float(share), 6) for share in components.variance_explained]
        [0.8, 0.2]
    """

    scores: Tensor
    variance_explained: Tensor
    center: Tensor
    directions: Tensor

    def project(self, rows: Tensor) -> Tensor:
        """The coordinates, (n, r), of other rows, (n, d)."""
        return (rows.double() - self.center) @ self.directions


def principal_components(matrix: Tensor) -> PrincipalComponents:
    """The principal components of the rows of (p, d), centered over the rows.

    Example:
        >>> import torch
        >>> from modgrok.analysis import principal_components
        >>> principal_components(torch.eye(4)[:, :2]).scores.shape
        torch.Size([4, 2])
    """
    center = matrix.double().mean(dim=0)
    left, values, right = torch.linalg.svd(matrix.double() - center, full_matrices=False)
    scores = left * values
    # a singular vector's sign is arbitrary; fixed, so that the same weights draw the same picture everywhere
    largest = scores.gather(0, scores.abs().argmax(dim=0, keepdim=True))
    signs = torch.where(largest < 0, -1.0, 1.0)  # (1, r)
    squares = values.square()
    return PrincipalComponents(
        scores * signs,
        squares / squares.sum().clamp(min=torch.finfo(torch.float64).tiny),
        center,
        right.T * signs,
    )
