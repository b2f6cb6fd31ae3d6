"""Losses against references in float64 that are written from the papers' formulas, gradients included."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.bare_trl import bare_trainer
from nightschool.recipe.preference import Preference
from tests.integration import tiny_training
from tests.integration.tiny_training import make_job, run, trainer_of, turns_seen

pytestmark = pytest.mark.integration
text_only = pytest.fixture(scope="module", autouse=True)(tiny_training.text_only)

Pair = tuple[float, float, float]
RATIOS = st.lists(
    st.tuples(st.floats(-30, 30), st.floats(-30, 30), st.sampled_from([0.0, 0.5, 1.0, 2.0])), min_size=1, max_size=8
)
HOW = st.builds(
    Preference,
    beta=st.floats(0.01, 1.0),
    cal=st.sampled_from(["none", "paper", "center"]),
    cal_weight=st.floats(0.1, 2.0),
    robust=st.sampled_from(["none", "paper", "drop", "both"]),
    robust_beta=st.floats(0.3, 5.0),
)


def reference(pairs: list[Pair], how: Preference, centre: float) -> tuple[float, list[tuple[float, float]]]:
    """The formulas term by term in plain float64: the loss, and its derivatives by a and b of each pair, by hand."""
    kept = [place for place, pair in enumerate(pairs) if pair[2]]
    gradient = [(0.0, 0.0)] * len(pairs)
    if not kept:
        return 0.0, gradient
    terms, slopes = {}, {}
    for place in kept:
        gap = pairs[place][0] - pairs[place][1]
        scale = 1.0 if how.cal == "paper" else how.beta
        inner = scale * (gap - (centre if how.cal == "center" else 0.0))
        terms[place] = float(np.logaddexp(0.0, -inner))  # -log sigmoid
        slopes[place] = -scale * float(np.exp(-np.logaddexp(0.0, inner)))  # by the gap: -scale (1 - sigmoid)
    if how.robust in ("paper", "both"):
        least = min(terms.values())
        odds = {place: pairs[place][2] * math.exp((least - terms[place]) / how.robust_beta) for place in kept}
        total = sum(odds.values())
        loss = least - how.robust_beta * math.log(total / sum(pairs[place][2] for place in kept))
        shares = {place: odds[place] / total for place in kept}
    else:
        shares = {place: pairs[place][2] / len(kept) for place in kept}
        loss = sum(shares[place] * terms[place] for place in kept)
    for place in kept:
        slope = shares[place] * slopes[place]
        gradient[place] = (slope, -slope)
        if how.cal == "paper":
            a, b, weight = pairs[place]
            far, factor = (a - 1 / (2 * how.beta), b + 1 / (2 * how.beta)), how.cal_weight * weight / len(kept)
            loss += factor * (far[0] ** 2 + far[1] ** 2)
            gradient[place] = (slope + 2 * factor * far[0], -slope + 2 * factor * far[1])
    return loss, gradient


@given(pairs=RATIOS, how=HOW, centre=st.floats(-5, 5))
def test_value_and_gradient_are_those_of_the_formulas(pairs: list[Pair], how: Preference, centre: float) -> None:
    from nightschool.training.losses import preference_loss

    ratios = torch.tensor([pair[:2] for pair in pairs], dtype=torch.float64, requires_grad=True)
    weights = torch.tensor([pair[2] for pair in pairs], dtype=torch.float64)
    loss = preference_loss(ratios[:, 0], ratios[:, 1], weights, how, centre=centre)
    value, slopes = reference(pairs, how, centre)
    assert loss.item() == pytest.approx(value, rel=1e-6, abs=1e-6)
    (gradient,) = torch.autograd.grad(loss, ratios)
    for found, wanted in zip(gradient.tolist(), slopes, strict=True):
        assert found == pytest.approx(wanted, rel=1e-6, abs=1e-6)


def test_the_centre_is_never_differentiated() -> None:
    from nightschool.training.losses import pair_losses

    a = torch.tensor([1.0, 2.0], requires_grad=True)
    how = Preference(cal="center")
    through = torch.autograd.grad(pair_losses(a, a.detach() * 0, how, centre=a.mean()).sum(), a)[0]
    fixed = torch.autograd.grad(pair_losses(a, a.detach() * 0, how, centre=1.5).sum(), a)[0]
    assert torch.equal(through, fixed)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tiny_training.write_school(tmp_path_factory.mktemp("losses"))
    run(make_job(root, "sft", output=str(root / "sft")))
    return root


@pytest.mark.slow
def test_our_own_way_to_the_loss_is_trls_step_for_step(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from nightschool.training.preference import Dpo

    job = make_job(folder, "dpo", adapter=str(folder / "sft"), epochs=2)
    theirs = bare_trainer(job)
    theirs.train()
    plain, _ = trainer_of(job)
    plain.train()
    monkeypatch.setattr(Preference, "plain", property(lambda self: False))
    ours, _ = trainer_of(job)
    assert isinstance(ours, Dpo)
    ours.train()
    kept = ("loss", "grad_norm", "rewards/margins", "rewards/accuracies", "num_tokens")
    histories = [one.state.log_history[:-1] for one in (theirs, plain, ours)]
    assert [len(history) for history in histories] == [12] * 3
    for wanted, *mine in zip(*histories, strict=True):
        for one in mine:
            assert [one[name] for name in kept] == pytest.approx([wanted[name] for name in kept], rel=1e-4, abs=1e-6)


@pytest.mark.slow
def test_sft_is_trls_step_for_step(folder: Path) -> None:
    job = make_job(folder, "sft", epochs=2, accumulation=2)
    theirs, (ours, _) = bare_trainer(job), trainer_of(job)
    for one in (theirs, ours):
        one.train()
    kept = ("loss", "grad_norm", "learning_rate", "num_tokens", "mean_token_accuracy")
    pairs = zip(ours.state.log_history[:-1], theirs.state.log_history[:-1], strict=True)
    for mine, wanted in pairs:
        assert [mine[name] for name in kept] == pytest.approx([wanted[name] for name in kept], rel=1e-5, abs=1e-7)


@pytest.mark.slow
def test_plan_002s_schedule_is_what_the_loss_sees(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = turns_seen(monkeypatch)
    schedule = [
        {"epochs": 1, "beta": 0.05},
        {"epochs": 2, "cal": "center"},
        {"epochs": 1, "cal": "center", "robust": "drop"},
    ]
    trainer, _ = trainer_of(make_job(folder, "dpo", adapter=str(folder / "sft"), epochs=4, schedule=schedule))
    trainer.train()
    steps = 6  # 48 pairs in batches of 8
    assert seen == [
        *[(0.05, "none", "none")] * steps, *[(0.1, "center", "none")] * 2 * steps, *[(0.1, "center", "drop")] * steps
    ]  # fmt: skip
    assert list(trainer.dropped) == [3]
    assert len(trainer.dropped[3]) == 7  # 15% of 48
    assert trainer.centre is not None


@pytest.mark.slow
def test_flipped_pairs_are_dropped_first(folder: Path, tmp_path: Path) -> None:
    rows = [json.loads(line) for line in (folder / "dpo.jsonl").read_text().splitlines()]
    flipped = {3, 7, 20, 33}
    for index in flipped:
        rows[index]["chosen"], rows[index]["rejected"] = rows[index]["rejected"], rows[index]["chosen"]
    file = tmp_path / "flipped.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    schedule = [{"epochs": 2}, {"epochs": 1, "robust": "drop"}]
    job = make_job(folder, "dpo", rows=str(file), epochs=3, schedule=schedule, drop_share=4 / 48, learning_rate=3e-3)
    trainer, _ = trainer_of(job)
    trainer.train()
    assert set(trainer.dropped[2]) == {f"d{index}" for index in flipped}


@pytest.mark.slow
def test_pairs_that_the_teachers_doubt_are_dropped_before_the_model_has_learned_anything(
    folder: Path, tmp_path: Path
) -> None:
    rows = [json.loads(line) for line in (folder / "dpo.jsonl").read_text().splitlines()]
    doubted = {5: 0.5, 11: 1.0, 40: 0.75}
    file = tmp_path / "doubted.jsonl"
    file.write_text(
        "".join(json.dumps(row | {"disagreement": doubted.get(n, 0.25)}) + "\n" for n, row in enumerate(rows))
    )
    job = make_job(folder, "dpo", rows=str(file), robust="drop", drop_by="committee", drop_share=3 / 48)
    trainer, _ = trainer_of(job)
    trainer.train()
    assert trainer.dropped == {0: ["d11", "d40", "d5"]}


@pytest.mark.slow
def test_a_row_of_weight_two_is_as_good_as_two_rows(folder: Path, tmp_path: Path) -> None:
    """SFT in one batch: the sum over rows is the same, and it is divided by the tokens of the rows that are there."""
    rows = [json.loads(line) for line in (folder / "sft.jsonl").read_text().splitlines()][:4]
    heavy = [{**row, "weight": 2.0 if place == 0 else 1.0} for place, row in enumerate(rows)]
    twice = [rows[0], *rows]
    twice[0] = {**rows[0], "id": "again"}
    losses = {}
    for name, chosen in (("plain", rows), ("heavy", heavy), ("twice", twice)):
        file = tmp_path / f"{name}.jsonl"
        file.write_text("".join(json.dumps(row) + "\n" for row in chosen))
        trainer, _ = trainer_of(make_job(folder, "sft", rows=str(file)))
        trainer.train()
        losses[name] = trainer.state.log_history[0]["loss"]
    assert losses["heavy"] > 1.1 * losses["plain"]
    assert losses["heavy"] * 4 == pytest.approx(losses["twice"] * 5, rel=1e-4)


@pytest.mark.slow
def test_a_pair_of_weight_two_counts_twice(folder: Path, tmp_path: Path) -> None:
    rows = [json.loads(line) for line in (folder / "dpo.jsonl").read_text().splitlines()][:4]
    losses = []
    for weight in (1.0, 2.0):
        file = tmp_path / f"{weight}.jsonl"
        file.write_text("".join(json.dumps({**row, "weight": weight}) + "\n" for row in rows))
        trainer, _ = trainer_of(make_job(folder, "dpo", rows=str(file)))
        trainer.train()
        losses.append(trainer.state.log_history[0]["loss"])
    assert losses == pytest.approx([math.log(2), 2 * math.log(2)])


@pytest.mark.parametrize("weight", [0.0, -1.0])
def test_a_weight_that_is_none_is_refused(folder: Path, tmp_path: Path, weight: float) -> None:
    from nightschool.errors import DataError
    from nightschool.training.rows import read_rows

    row = json.loads((folder / "sft.jsonl").read_text().splitlines()[0])
    file = tmp_path / "rows.jsonl"
    file.write_text(json.dumps({**row, "weight": weight}))
    with pytest.raises(DataError, match=r"rows\.jsonl:1.*weight is"):
        read_rows(file, "sft")
