"""Every loss by its name, as the trainer computes it, against float64 written from the papers; gradients included."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from tests.integration import tiny_training
from tests.integration.tiny_training import make_job, trainer_of

pytestmark = [pytest.mark.integration, pytest.mark.slow]
text_only = pytest.fixture(scope="module", autouse=True)(tiny_training.text_only)

BETA, EPSILON, TAU = 0.3, 0.1, 0.05
PAIRS, LENGTHS = 5, ((3, 6), (6, 2), (4, 4), (2, 5), (6, 1))
Sides = tuple[np.ndarray, np.ndarray]


def softplus(x: Any) -> Any:
    return np.logaddexp(0.0, x)


def sigmoid(x: Any) -> Any:
    return np.exp(-softplus(-x))


def sorted_gap(one: np.ndarray, other: np.ndarray) -> Any:
    gap = BETA * (np.sort(one) - np.sort(other))
    return (1 - EPSILON) * softplus(-gap) + EPSILON * softplus(gap)


def exo(gap: Any) -> Any:
    """Eq. 16 of arXiv 2402.00856 for two answers: the divergence of what is believed from what is labelled."""
    p = sigmoid(gap)
    return p * (np.log(p) - math.log(1 - EPSILON)) + (1 - p) * (np.log(1 - p) - math.log(EPSILON))


def discopop(gap: Any) -> Any:
    """Eq. 5 of arXiv 2406.08414."""
    share = sigmoid(gap / TAU)
    return softplus(-gap) * (1 - share) + np.exp(-gap) * share


# By a and b, log pi - log pi_ref of both sides summed over their tokens, and n and m, how many tokens they have.
FORMULAS: dict[str, Callable[..., Any]] = {
    "sigmoid": lambda a, b, n, m: softplus(-BETA * (a - b)),  # arXiv 2305.18290, eq. 7
    "hinge": lambda a, b, n, m: np.maximum(0, 1 - BETA * (a - b)),  # arXiv 2305.10425 on the gap (arXiv 2309.06657)
    "ipo": lambda a, b, n, m: (a / n - b / m - 1 / (2 * BETA)) ** 2,  # arXiv 2310.12036, eq. 17, by token
    "exo_pair": lambda a, b, n, m: exo(BETA * (a - b)),
    "nca_pair": lambda a, b, n, m: (  # arXiv 2402.05369
        softplus(-BETA * a) + 0.5 * softplus(BETA * a) + 0.5 * softplus(BETA * b)
    ),
    "robust": lambda a, b, n, m: (  # arXiv 2403.00409
        ((1 - EPSILON) * softplus(-BETA * (a - b)) - EPSILON * softplus(BETA * (a - b))) / (1 - 2 * EPSILON)
    ),
    "bco_pair": lambda a, b, n, m: softplus(-BETA * a) + softplus(BETA * b),  # arXiv 2404.04656, without its shift
    "sppo_hard": lambda a, b, n, m: (a - 0.5 / BETA) ** 2 + (b + 0.5 / BETA) ** 2,  # arXiv 2405.00675
    "aot_unpaired": lambda a, b, n, m: sorted_gap(a, b),  # arXiv 2406.05882
    "apo_zero": lambda a, b, n, m: 1 - sigmoid(BETA * a) + sigmoid(BETA * b),  # arXiv 2408.06266, eq. 7
    "apo_down": lambda a, b, n, m: sigmoid(BETA * a) + 1 - sigmoid(BETA * (a - b)),  # the same, eq. 8
    "discopop": lambda a, b, n, m: discopop(BETA * (a - b)),
    "sigmoid_norm": lambda a, b, n, m: softplus(-BETA * (a / n - b / m)),
}
SMOOTHED = ("robust", "exo_pair", "aot", "aot_unpaired")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_training.write_school(tmp_path_factory.mktemp("names"))


class Drawn:
    """A batch of random log-probabilities in float64, in place of what a model would say of it."""

    def __init__(self, seed: int) -> None:
        draw = torch.Generator().manual_seed(seed)
        width = 1 + max(max(pair) for pair in LENGTHS)
        mask = torch.zeros(2 * PAIRS, width, dtype=torch.long)
        for place, (chosen, rejected) in enumerate(LENGTHS):
            mask[place, 1 : 1 + chosen] = mask[PAIRS + place, 1 : 1 + rejected] = 1
        self.own = (-3 * torch.rand(2 * PAIRS, width - 1, generator=draw, dtype=torch.float64)).requires_grad_()
        references = -9 * torch.rand(2, PAIRS, generator=draw, dtype=torch.float64)
        self.mask, self.chosen, self.rejected = mask[:, 1:], references[0], references[1]
        ids = torch.ones(2 * PAIRS, width, dtype=torch.long)
        self.inputs = {
            "input_ids": ids, "attention_mask": ids, "completion_mask": mask,
            "ref_chosen_logps": self.chosen, "ref_rejected_logps": self.rejected,
        }  # fmt: skip

    def __call__(self, **_: Any) -> Any:
        plain = torch.zeros_like(self.own)
        return SimpleNamespace(log_probs=self.own * self.mask, entropy=plain, mean_logits=plain, is_top1=plain.bool())


def reference(name: str, drawn: Drawn) -> Callable[[np.ndarray], float]:
    """The loss by the log-probabilities of all tokens, as a flat array."""
    mask = drawn.mask.numpy()
    lengths = mask.sum(axis=1)
    n, m = lengths[:PAIRS], lengths[PAIRS:]
    held = drawn.chosen.numpy(), drawn.rejected.numpy()

    def loss(flat: np.ndarray) -> float:
        each = flat.reshape(mask.shape) * mask
        chosen, rejected = each.sum(axis=1)[:PAIRS], each.sum(axis=1)[PAIRS:]
        if name == "sft":
            return float(-each[:PAIRS].sum() / n.sum())
        if name == "aot":  # arXiv 2406.05882: the policy's gaps and the reference's, each in order
            return float(np.mean(sorted_gap(chosen - rejected, held[0] - held[1])))
        return float(np.mean(FORMULAS[name](chosen - held[0], rejected - held[1], n, m)))

    return loss


def slopes(loss: Callable[[np.ndarray], float], at: np.ndarray) -> np.ndarray:
    """Derivatives by five points, exact to 1e-9 here."""
    found, step = np.zeros_like(at), 1e-3
    for place in range(len(at)):

        def moved(by: float, place: int = place) -> float:
            there = at.copy()
            there[place] += by * step
            return loss(there)

        found[place] = (moved(-2) - 8 * moved(-1) + 8 * moved(1) - moved(2)) / (12 * step)
    return found


@pytest.mark.parametrize("name", [*FORMULAS, "aot", "sft"])
def test_a_loss_is_its_papers(folder: Path, name: str) -> None:
    smoothing = {"label_smoothing": EPSILON} if name in SMOOTHED else {}
    trainer, _ = trainer_of(make_job(folder, "dpo", loss=[name], beta=BETA, epochs=2, batch_size=PAIRS, **smoothing))
    trainer.model.eval()  # the whole batch's mean, not its part in a step
    for seed in range(3):
        drawn = Drawn(seed)
        trainer._rows = list(range(PAIRS))
        loss = trainer._compute_loss(drawn, dict(drawn.inputs), False)
        wanted, at = reference(name, drawn), drawn.own.detach().numpy().ravel()
        assert loss.item() == pytest.approx(wanted(at), rel=1e-6, abs=1e-6)
        (gradient,) = torch.autograd.grad(loss, drawn.own)
        assert np.allclose(gradient.numpy().ravel(), slopes(wanted, at), rtol=1e-6, atol=1e-6)


def test_all_names_are_trained_and_none_is_left_out(folder: Path) -> None:
    from typing import get_args

    from nightschool.recipe.preference import LossName

    assert set(get_args(LossName)) == {*FORMULAS, "aot", "sft"}
    both = ["exo_pair", "sft"]
    trainer, _ = trainer_of(make_job(folder, "dpo", loss=both, loss_weights=[1.0, 0.5], label_smoothing=1e-3))
    trainer.train()
    losses = [entry["loss"] for entry in trainer.state.log_history if "loss" in entry]
    assert losses[-1] < losses[0]
