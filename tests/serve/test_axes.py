"""A grid's axes, cells, batches and link: plain Python, no browser, no network."""

from __future__ import annotations

from urllib.parse import parse_qsl

import pytest

from clevr_demo.models import usual_pair
from clevr_demo.objects import InputError, index_of
from clevr_demo.request import GenerationRequest, from_query
from clevr_demo.serve import axes
from clevr_demo.serve.axes import MOST, Axis, Plan

REQUEST = GenerationRequest.of(["red cube", "blue sphere"], seed=5, steps=12)
CONTENDERS = {one.name: one for one in usual_pair()}


def plan(rows: tuple[str, str], columns: tuple[str, str], model: str = "ddpm") -> Plan:
    return Plan.of(REQUEST, model, rows, columns, CONTENDERS)


@pytest.mark.parametrize(
    ("kind", "text", "values"),
    [
        ("seed", "7, 9,11", (7, 9, 11)),
        ("seed", "7-9, 20", (7, 8, 9, 20)),
        ("steps", "4, 4, 8", (4, 8)),
        ("sampler", "dpm, DDIM", ("dpm", "ddim")),
        ("model", "acgan, ddpm", ("acgan", "ddpm")),
        ("object", "Cyan-Sphere, nothing", ("cyan sphere", "nothing")),
    ],
)
def test_an_axis_reads_what_a_person_types(kind: str, text: str, values: tuple[object, ...]) -> None:
    assert Axis.of(kind, text, CONTENDERS).values == values


@pytest.mark.parametrize(
    ("kind", "text", "told"),
    [
        ("seed", "", "write the values"),
        ("seed", "1, many", "'many' is not a whole number"),
        ("seed", "9-7", "run backwards"),
        ("seed", "0-4000000000", f"at most {MOST}"),
        ("seed", "1-5, 11-15", f"at most {MOST}"),
        ("seed", "-1", "'-1' is not a whole number"),
        ("steps", "0", "between 1 and 1200"),
        ("steps", "1201", "between 1 and 1200"),
        ("steps", ",".join(map(str, range(1, MOST + 2))), f"at most {MOST}"),
        ("sampler", "euler", "unknown sampler 'euler'"),
        ("model", "vae", "unknown model 'vae'"),
        ("object", "red cub", "red cub"),
        ("guidance", "1", "unknown axis 'guidance'"),
    ],
)
def test_a_bad_axis_names_the_culprit_beside_the_grid(kind: str, text: str, told: str) -> None:
    with pytest.raises(InputError) as error:
        Axis.of(kind, text, CONTENDERS)
    assert error.value.field == "grid"
    assert told in str(error.value)


def test_every_pair_of_axes_makes_its_cells() -> None:
    values = {"seed": "1, 2", "steps": "3, 4", "sampler": "dpm, ddim", "model": "ddpm, acgan", "object": "gray cube"}
    for rows in values:
        for columns in values:
            if rows == columns:
                with pytest.raises(InputError, match="choose two things"):
                    plan((rows, values[rows]), (columns, values[columns]))
                continue
            made = plan((rows, values[rows]), (columns, values[columns]))
            assert len(made.cells) == len(made.rows.values) * len(made.columns.values)
            assert len({(cell.contender, cell.request) for cell in made.cells}) == len(made.cells)


def test_a_cell_holds_both_axes_values_and_the_rest_of_the_request() -> None:
    cell = plan(("object", "nothing, gray cube"), ("steps", "4, 8")).cell(1, 0)
    assert cell.request.objects == tuple(sorted((*REQUEST.objects, index_of("gray cube"))))
    assert (cell.request.steps, cell.request.seed, cell.request.sampler) == (4, 5, "dpm")


def test_an_object_that_is_ticked_already_is_told() -> None:
    with pytest.raises(InputError, match="red cube is ticked already"):
        plan(("object", "red cube"), ("seed", "1"))


def test_steps_are_no_axis_for_the_acgan_alone() -> None:
    with pytest.raises(InputError, match="one pass"):
        plan(("seed", "1"), ("steps", "4, 8"), model="acgan")
    plan(("model", "ddpm, acgan"), ("steps", "4, 8"), model="acgan")


def test_pictures_fill_every_cell_once() -> None:
    pictures = plan(("seed", "1-4"), ("model", "ddpm, acgan")).pictures()
    assert sorted(place for places in pictures for place in places) == list(range(8))


def test_the_acgans_picture_is_drawn_once_for_all_numbers_of_steps() -> None:
    made = plan(("model", "acgan, ddpm"), ("steps", "4, 8, 20"))
    assert made.pictures()[0] == [0, 1, 2]
    assert len(made.pictures()) == 4
    assert made.passes == 1 + 4 + 8 + 20


@pytest.mark.parametrize(
    ("rows", "columns", "model"),
    [
        (("seed", "7, 8"), ("steps", "4, 8"), "ddpm"),
        (("object", "cyan sphere, nothing"), ("model", "acgan, ddpm"), "acgan"),
        (("sampler", "dpm, unipc"), ("seed", "0"), "ddpm"),
    ],
)
def test_a_link_gives_the_grid_back(rows: tuple[str, str], columns: tuple[str, str], model: str) -> None:
    made = plan(rows, columns, model)
    fields = dict(parse_qsl(made.query(REQUEST.query({"ddpm": "1a2b3c4d"}))))
    request, notes, _ = from_query(fields)
    assert notes == []
    again, notes = axes.from_query(fields, request, CONTENDERS)
    assert (again, notes) == (made, [])


def test_a_broken_grid_link_says_so_and_a_plain_link_is_no_grid() -> None:
    assert axes.from_query({"objects": "red-cube"}, REQUEST, CONTENDERS) == (None, [])
    none, notes = axes.from_query({"grid": "ddpm", "rows": "seed:1", "columns": "steps:x"}, REQUEST, CONTENDERS)
    assert none is None
    assert notes == [
        "The link's grid cannot be drawn: 'x' is not a whole number; write the steps as 5, 10, 20 or as 7-12."
    ]


def test_the_title_names_what_does_not_vary() -> None:
    assert plan(("seed", "1"), ("steps", "4")).title == "Seed by steps. red cube, blue sphere; DDPM; DPM-Solver++ 2M"
    assert (
        plan(("object", "gray cube"), ("seed", "4"), "acgan").title
        == "One object more by seed. red cube, blue sphere; ACGAN"
    )
