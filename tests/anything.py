"""What the property tests hand in: any value, objects whose every use fails, damaged files."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from typing import TypeVar

import numpy as np
import torch
from hypothesis import strategies as st

from clevr_demo.objects import OBJECTS, InputError

T = TypeVar("T")

HASHABLE = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.complex_numbers(), st.text(), st.binary(),
    st.fractions(), st.dates(), st.sampled_from(OBJECTS), st.integers(0, 23),
)  # fmt: skip
SCALARS = st.sampled_from(
    [np.bool_(True), np.float32(1), np.int64(3), torch.tensor(3), torch.tensor(True), np.array("red cube")]
)
BITS = st.lists(st.sampled_from([0, 1, 0.0, 1.0, True, np.bool_(True), torch.tensor(1.0)]), min_size=24, max_size=24)


def containers(inner: st.SearchStrategy[object]) -> st.SearchStrategy[object]:
    return st.one_of(
        st.lists(inner), st.tuples(inner), st.dictionaries(st.text(), inner), st.frozensets(HASHABLE, max_size=3)
    )


ANYTHING: st.SearchStrategy[object] = st.recursive(HASHABLE | st.decimals() | SCALARS | BITS, containers, max_leaves=30)


class Hostile:
    """An object whose every use fails."""

    def __repr__(self) -> str:
        raise RuntimeError("no repr")

    def __iter__(self) -> Iterator[str]:
        raise RuntimeError("no iteration")


def attempt(call: Callable[[], T]) -> T | InputError:
    """What the call returns, or the InputError that it raised."""
    try:
        return call()
    except InputError as error:
        return error


def mutated(content: bytes, pick: random.Random) -> bytes:
    """A file's content with some bytes changed, cut out, put in or doubled, or its end missing."""
    data = bytearray(content)
    for _ in range(pick.randint(1, 8)):
        at = pick.randrange(len(data) + 1)
        way = pick.randrange(5)
        if way == 0:
            data[at : at + 1] = bytes([pick.randrange(256)])
        elif way == 1:
            del data[at : at + pick.randint(1, 40)]
        elif way == 2:
            data[at:at] = pick.randbytes(pick.randint(1, 40))
        elif way == 3:
            data[at:at] = data[at : at + pick.randint(1, 200)]
        else:
            del data[at:]
    return bytes(data)
