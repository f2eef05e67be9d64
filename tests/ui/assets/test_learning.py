"""Moments of two runs on one axis."""

from __future__ import annotations

from tests.ui.assets.node import in_node

MODEL = "learning/model.js"


def test_each_run_shows_its_newest_moment_up_to_the_slider() -> None:
    runs = "[{ moments: [10, 100, 1000] }, { moments: [50, 1000, 20000] }]"
    assert in_node(f"allMoments({runs})", MODEL) == [10, 50, 100, 1000, 20000]
    program = f"allMoments({runs}).map((seen) => {runs}.map(({{ moments }}) => momentAt(moments, seen)))"
    assert in_node(program, MODEL) == [[0, 0], [0, 0], [1, 0], [2, 1], [2, 2]]


def test_the_axis_is_logarithmic_and_its_ends_are_the_stops() -> None:
    assert in_node("[1000, 10000, 100000, 5, 1e9].map((seen) => alongLog(seen, 1000, 100000))", MODEL) == [
        0, 0.5, 1, 0, 1,
    ]  # fmt: skip
    assert in_node("[powersOf(1000, 250000), powersOf(1500, 9000)]", MODEL) == [[1000, 10000, 100000], []]
    assert in_node("[0, 0.4, 0.9].map((share) => nearestStop([1000, 10000, 100000], share))", MODEL) == [0, 1, 2]
    assert in_node("[500, 1000, 20000, 3e6].map(shortOf)", MODEL) == ["500", "1k", "20k", "3M"]


def test_words_and_values_are_the_newest_so_far() -> None:
    looks = "[{ at: 10, text: 'first' }, { at: 100, text: 'then' }]"
    assert in_node(f"[1, 10, 99, 100].map((seen) => lookAt({looks}, seen))", MODEL) == ["first"] * 3 + ["then"]
    assert in_node("[1, 5, 50].map((seen) => valueAt([[5, 0.9], [50, 0.1]], seen))", MODEL) == [0.9, 0.9, 0.1]
