"""The figures as a table, and as the document in `docs/`."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterable, Sequence
from itertools import groupby

from lifeline_bench import peers
from lifeline_bench.figure import Figure, number
from lifeline_bench.rows import ROWS
from lifeline_bench.site import Site

_HEADINGS = ("what", "ours", "peer", "ratio", "goal", "met")


def table(figures: Sequence[Figure], *, end: bool = True) -> str:
    """For a terminal. end: with how many goals were met."""
    cells = [_HEADINGS, *(_cells(figure) for figure in figures)]
    widths = [max(len(row[at]) for row in cells) for at in range(len(_HEADINGS))]
    lines = (
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in cells
    )
    if not end:
        return "\n".join(lines)
    met = sum(figure.met is True for figure in figures)
    judged = sum(figure.met is not None for figure in figures)
    return "\n".join([*lines, "", f"{met} of {judged} goals met"])


def document(figures: Sequence[Figure], site: Site) -> str:
    """`docs/performance.md`."""
    met = sum(figure.met is True for figure in figures)
    judged = sum(figure.met is not None for figure in figures)
    parts = [
        "# Performance",
        "Written by `cargo xtask bench`, from one run. Each figure is a median; ours and its peer "
        "were measured in turn. A ratio says how many times better ours is.",
        f"{_machine()} Peers: {', '.join(peers.versions(site))}. **{met} of {judged} goals met.**",
    ]
    for name, group in groupby(figures, key=lambda figure: figure.row):
        parts += [f"## {ROWS[name].TITLE}", *_section(list(group))]
    return "\n\n".join(parts) + "\n"


def _section(figures: Sequence[Figure]) -> Iterable[str]:
    rows = ["| what | ours | peer | ratio | goal | met |", "|---|---|---|---|---|---|"]
    rows += ["| " + " | ".join(_cells(figure)) + " |" for figure in figures]
    yield "\n".join(rows)
    seen: set[str] = set()
    for figure in figures:
        told = [figure.note]
        if figure.met is False:
            told.append(f"**Missed:** {figure.miss or 'why is not known yet.'}")
        for text in told:
            if text and text not in seen:
                seen.add(text)
                yield text


def _cells(figure: Figure) -> tuple[str, ...]:
    unit = f" {figure.unit}" if figure.unit else ""
    ours = f"{number(figure.ours)}{unit}"
    if figure.spread is not None:
        low, high = figure.spread
        ours += f" ({number(low)} – {number(high)})"
    peer = "–"
    if figure.peer is not None:
        peer = f"{number(figure.peer)}{unit}, {figure.peer_name}"
    ratio = "–" if figure.ratio is None else f"{number(figure.ratio)}×"
    met = {True: "yes", False: "no", None: "–"}[figure.met]
    return figure.what, ours, peer, ratio, figure.goal_text() or "–", met


def _machine() -> str:
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return (
        f"Machine: {os.cpu_count()} cores, {memory:.0f} GiB, Linux "
        f"{platform.release().split('-')[0]}; Blender on a virtual display, drawn by software."
    )
