"""Plots of what was measured: stages, topics, committee; each with its table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator, PercentFormatter

from nightschool.report.estimates import counted, guessed, size_of, spoken
from nightschool.report.proof import Committee, Estimate
from nightschool.report.stage import Stage
from nightschool.report.student import topics_table
from nightschool.report.svg import THEME, Plot, canvas, inline, stage_colour, stage_marker, table
from nightschool.report.text import percent, plain, points, probability
from nightschool.report.topics import MOST_TOPICS, largest, left_out
from nightschool.report.voted import share

# As wide as a phone's column, so that text keeps its size there.
WIDTH = 400


def accuracy(stages: Sequence[Stage], baselines: dict[str, Estimate]) -> Plot:
    """Accuracy of every stage with its interval, beside what guessing reaches."""
    height = 46 * len(stages) + 52
    names = [_short(stage.name) for stage in stages]
    overs = [f"over {_short(stage.gain.over)}" if stage.gain else "" for stage in stages]
    # 7.5 and 5.7 pixels a letter; never so little on the left that the first tick's label is cut.
    left, right = max(42, 14 + 7.5 * max(map(len, names))), 14 + 5.7 * max(8, *map(len, overs))
    with canvas(WIDTH, height, left=left, right=right, top=20, bottom=32) as axes:
        axes.tick_params(axis="y", pad=10)
        share_axis(axes, len(stages))
        baselines_drawn(axes, baselines)
        for place, stage in enumerate(stages):
            interval(axes, stage.accuracy, place, stage_colour(stage.name, place), stage_marker(place))
            _beside(axes, stage.accuracy, place)
            if stage.gain:
                axes.text(1.04, place - 0.08, points(stage.gain.value), va="center", weight="bold", size=13)
                axes.text(1.04, place + 0.26, overs[place], va="center", color=THEME["muted"], size=10.5)
        axes.set_yticks(range(len(stages)), names, color=THEME["ink"], size=13)
        words = ", then ".join(f"{stage.name} {spoken(stage.accuracy)}" for stage in stages)
        svg = inline(axes, name="accuracy", title="Accuracy of the student by stage", description=f"{words}.")
    rows = [
        (stage.name, spoken(stage.accuracy), f"{stage.accuracy.n:,}", *_gain_cells(stage), spoken(stage.valid))
        for stage in stages
    ]
    rows += [(plain(name), spoken(found), f"{found.n:,}", "", "", "") for name, found in baselines.items()]
    head = ("stage", "accuracy (95% interval)", "answers", "gain in points (95% interval)", "p", "valid")
    n = stages[0].accuracy.n
    questions = f"{n:,} answer{'' if n == 1 else 's'} to held-out questions per stage"
    return Plot("Accuracy", svg, f"Held-out accuracy with 95% intervals; {questions}.", *table(head, rows))


def topics(stages: Sequence[Stage], baselines: Mapping[str, Mapping[str, Estimate]]) -> Plot | None:
    """Accuracy by topic, one mark per stage, beside what guessing reaches there; None where there are no two topics."""
    counts = {topic: found.n for stage in stages for topic, found in stage.per_topic.items()}
    names = largest(counts)
    if len(names) < 2:
        return None
    with canvas(WIDTH, 44 * len(names) + 62, left=108, right=16, top=30, bottom=32) as axes:
        share_axis(axes, len(names))
        for place, stage in enumerate(stages):
            shift = (place - (len(stages) - 1) / 2) * 0.24
            colour, marker = stage_colour(stage.name, place), stage_marker(place)
            for line, topic in enumerate(names):
                if topic in stage.per_topic:
                    interval(axes, stage.per_topic[topic], line + shift, colour, marker, small=True)
            axes.plot([], [], marker=marker, color=colour, linestyle="none", markersize=6, label=stage.name)
        guesses = [
            (line, found.value) for line, topic in enumerate(names) for found in baselines.get(topic, {}).values()
        ]
        for line, guess in guesses:
            axes.plot(
                [guess, guess], [line - 0.42, line + 0.42], color=THEME["muted"], linewidth=1, linestyle=(0, (2, 2))
            )
        axes.set_yticks(range(len(names)), [plain(name) for name in names], color=THEME["ink"], size=12)
        legend(axes, len(stages))
        words = "; ".join(f"{plain(topic)}: {_by_stage(stages, topic)}" for topic in names)
        svg = inline(axes, name="topics", title="Accuracy by topic and stage", description=f"{words}.")
    return Plot(
        "Accuracy by topic",
        svg,
        f"Held-out questions, with 95% intervals{'; dotted: what guessing reaches there' if guesses else ''}."
        f"{left_out(len(counts))}",
        *table(*topics_table(stages, baselines, MOST_TOPICS)),
    )


def committee(found: Committee) -> Plot:
    """The committee beside each teacher alone, on the rows that it accepted."""
    own, labels = found.labelled, {teacher.name: found.alone(teacher) for teacher in found.teachers}
    svg = _labels("committee", "Right labels on the accepted rows, by who gives them", labels, own)
    topics_found = largest({topic: one.n for teacher in found.teachers for topic, one in teacher.per_topic.items()})
    rows = [
        (
            teacher.name,
            spoken(labels[teacher.name]),
            spoken(share(round(teacher.coverage * found.asked), found.asked)),
            size_of(own),
            *(counted(teacher.per_topic.get(name)) for name in topics_found),
        )
        for teacher in found.teachers
    ]
    rows.append(("committee", spoken(own), "", size_of(own), *("" for _ in topics_found)))
    rows += [
        (name, spoken(one), "", size_of(one), *("" for _ in topics_found)) for name, one in guessed(found.baselines)
    ]
    head = ("who", "right (95% interval)", "answered", "rows", *(plain(name) for name in topics_found))
    by = "votes and solver" if found.verifier == "solver" else "votes"
    return Plot(
        "Accepted rows", svg, f"Right labels on the {found.rows:,} rows that {by} accepted.", *table(head, rows)
    )


def vote(found: Committee) -> Plot | None:
    """The vote alone beside each teacher alone, on the rows that the vote decided; None when it decided none."""
    own = found.voted
    if own is None:
        return None
    labels = {teacher.name: teacher.on_vote for teacher in found.teachers if teacher.on_vote}
    svg = _labels("vote", "Right labels on the rows that the vote decided, by who gives them", labels, own)
    rows = [(name, spoken(one), size_of(one)) for name, one in {**labels, "vote": own}.items()]
    caption = f"Right labels on the {found.vote_rows:,} rows that the vote alone decided."
    return Plot("Votes alone", svg, caption, *table(("who", "right (95% interval)", "rows"), rows))


def legend(axes: Axes, columns: int) -> None:
    """Names of the series above the plot, in a row from the left."""
    axes.legend(
        loc="lower left",
        bbox_to_anchor=(0, 1),
        ncols=columns,
        frameon=False,
        handletextpad=0.3,
        columnspacing=1.4,
        borderaxespad=0.2,
        borderpad=0,
        labelcolor=THEME["ink"],
    )


def _labels(name: str, title: str, teachers: dict[str, Estimate], own: Estimate) -> Markup:
    """One line per teacher and one, in colour, for the committee (or its vote)."""
    lines = [*teachers.items(), (name, own)]
    lowest = min(estimate.low for _, estimate in lines)
    with canvas(WIDTH, 34 * len(lines) + 40, left=94, right=56, top=8, bottom=32) as axes:
        share_axis(axes, len(lines), start=max(0.0, int(lowest * 10 - 0.5) / 10))
        for place, (who, estimate) in enumerate(lines):
            ours = who == name
            interval(axes, estimate, place, THEME["accent" if ours else "base"], "D" if ours else "o")
            axes.annotate(
                percent(estimate.value),
                (1, place),
                xycoords=("axes fraction", "data"),
                xytext=(10, 0),
                textcoords="offset points",
                va="center",
                weight="bold" if ours else "normal",
                size=12.5,
            )
        axes.set_yticks(range(len(lines)), [_short(who) for who, _ in lines], color=THEME["ink"], size=12)
        axes.get_yticklabels()[-1].set_fontweight("bold")
        words = ", ".join(f"{who} {spoken(estimate)}" for who, estimate in lines)
        return inline(axes, name=name, title=title, description=f"{words}.")


def share_axis(axes: Axes, lines: int, *, start: float = 0.0) -> None:
    """Shares from left to right, a line of the plot for each thing."""
    axes.set_xlim(start, 1)
    axes.set_ylim(lines - 0.5, -0.5)
    axes.xaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    axes.xaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 2.5, 5, 10]))
    axes.grid(axis="x", color=THEME["line"], linewidth=1)
    axes.spines["bottom"].set_visible(False)


def interval(axes: Axes, estimate: Estimate, place: float, colour: str, marker: str, *, small: bool = False) -> None:
    """A value as a mark on its interval."""
    axes.plot(
        [estimate.low, estimate.high],
        [place, place],
        color=colour,
        linewidth=2 if small else 5,
        alpha=0.45,
        solid_capstyle="round",
        clip_on=False,
    )
    axes.plot(
        [estimate.value],
        [place],
        marker=marker,
        color=colour,
        markersize=6 if small else 9,
        markeredgecolor=THEME["card"],
        markeredgewidth=1,
        clip_on=False,
    )


def baselines_drawn(axes: Axes, baselines: dict[str, Estimate]) -> None:
    """What needs no student: one dotted line each, all named in one line of text."""
    for found in baselines.values():
        axes.axvline(found.value, color=THEME["muted"], linewidth=1, linestyle=(0, (2, 3)))
    if baselines:
        middle = sum(found.value for found in baselines.values()) / len(baselines)
        names = ", ".join(f"{plain(name)} {percent(found.value, 0)}" for name, found in baselines.items())
        axes.text(middle, -0.66, names, ha="center", color=THEME["muted"], size=11)


def _beside(axes: Axes, estimate: Estimate, place: int) -> None:
    """The value next to its interval, on the side that has room; above it where neither has."""
    if estimate.high <= 0.78:
        at, shift, align = estimate.high, (9, 0), "left"
    elif estimate.low >= 0.2:
        at, shift, align = estimate.low, (-9, 0), "right"
    else:
        at, shift, align = (estimate.low + estimate.high) / 2, (0, 11), "center"
    axes.annotate(
        percent(estimate.value), (at, place), shift, "data", "offset points", ha=align, va="center",
        weight="bold", size=14, bbox={"facecolor": THEME["paper"], "edgecolor": "none", "pad": 1.5},
    )  # fmt: skip


def _by_stage(stages: Sequence[Stage], topic: str) -> str:
    return ", ".join(f"{s.name} {percent(s.per_topic[topic].value)}" for s in stages if topic in s.per_topic)


def _gain_cells(stage: Stage) -> tuple[str, str]:
    gain = stage.gain
    if gain is None:
        return "", ""
    return f"{points(gain.value)} over {gain.over} ({points(gain.low)} to {points(gain.high)})", probability(gain.p)


def _short(name: str) -> str:
    return name if len(name) <= 14 else f"{name[:13]}…"
