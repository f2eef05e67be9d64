"""What the browser keeps of the last results."""

from __future__ import annotations

from typing import Any

import pytest

from tests.ui.assets.node import in_node


def test_two_tabs_add_to_one_history() -> None:
    program = """(() => {
        const kept = {};
        const storage = { get: (key) => kept[key] ?? null, set: (key, text) => { kept[key] = text; return true; } };
        const run = (key, query) => ({ key, query, seed: 7, steps: 4, pairs: [{ seed: 7, ddpm: side, acgan: side }] });
        remember(storage, run('a', 'one tab'));
        remember(storage, run('b', 'another tab'));
        remember(storage, run('b', 'another tab'));
        remember(storage, run('c', 'one tab'));
        return recalled(kept[HISTORY_KEY]).map(({ key, pairs }) => [key, pairs[0].ddpm.frames.length]);
    })()"""
    assert in_node(program, "history/model.js") == [["c", 0], ["b", 0]]


def kept_of(local_storage: str) -> Any:
    """The keys of the history after three runs, in a browser whose localStorage is this."""
    program = f"""(() => {{
        Object.defineProperty(globalThis, 'localStorage', {{ get: () => {local_storage} }});
        for (const key of ['a', 'b', 'c']) {{
            remember(storage, {{ key, query: key, pairs: [{{ seed: 1, ddpm: side, acgan: side }}] }});
        }}
        return recalled(storage.get(HISTORY_KEY)).map(({{ key }}) => key);
    }})()"""
    return in_node(program, "page/storage.js", "history/model.js")


def test_a_full_or_broken_memory_costs_the_oldest_entries_alone() -> None:
    room = """(globalThis.room ??= {
        text: '{broken',
        getItem() { return this.text; },
        setItem(key, text) { if (JSON.parse(text).length > 2) throw new Error('full'); this.text = text; },
    })"""
    assert kept_of(room) == ["c", "b"]


@pytest.mark.parametrize(
    "denied",
    ["(() => { throw new Error('SecurityError'); })()", "null", "undefined",
     "({ getItem: () => null, setItem() { throw new Error('quota of nothing'); } })"],
)  # fmt: skip
def test_where_storage_is_denied_the_page_remembers_all(denied: str) -> None:
    assert kept_of(denied) == ["c", "b", "a"]
