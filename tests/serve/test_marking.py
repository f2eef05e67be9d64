"""Somebody else's pictures are marked as the judge marks ours, or refused with a sentence."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from clevr_demo import __main__ as command
from clevr_demo.checkpoints import folder_of
from clevr_demo.cutting import cells
from clevr_demo.judge.evaluator import Evaluator, load_evaluator
from clevr_demo.objects import OBJECTS, InputError
from clevr_demo.serve import marking
from clevr_demo.serve.marking import Asked, Marks, mark, matched, opened, prompts_in

SHEET = folder_of("ddpm") / "test.png"  # 32 scenes of three objects or fewer


@pytest.fixture(scope="module")
def judge() -> Evaluator:
    return load_evaluator(device="cpu")


@pytest.fixture(scope="module")
def seen(judge: Evaluator) -> list[tuple[int, ...]]:
    """What the judge sees in each picture of the sheet: prompts that it would call exact, doubles aside."""
    with Image.open(SHEET) as sheet:
        verdicts = judge.judge(cells(sheet), [0])
    return [tuple(OBJECTS.index(name) for name in one.seen) for one in verdicts]


def test_a_grid_is_marked_picture_by_picture(judge: Evaluator, seen: list[tuple[int, ...]]) -> None:
    wrong = [*seen[:30], (0, 1, 2, 3), (4, 5, 6, 7)]
    marks = mark(judge, opened([SHEET], 32), Asked(tuple(wrong)))
    assert [one.source for one in marks.pictures[:2]] == ["test.png #1", "test.png #2"]
    exact = [one.verdict.exact for one in marks.pictures]
    assert not any(exact[30:])
    assert marks.exact.mean == sum(exact) / 32
    assert 0.7 < marks.exact.mean < 0.95
    assert 0 <= marks.exact.low < marks.exact.mean < marks.exact.high <= 1
    assert [one.verdict.exact for one in marks.failures_first] == sorted(exact)
    rows = list(csv.DictReader(io.StringIO(marks.csv())))
    assert [row["exact"] == "1" for row in rows] == exact
    assert rows[30]["asked"] == "gray cube; red cube; blue cube; green cube"
    assert set(rows[30]["missing"].split("; ")) <= set(rows[30]["asked"].split("; "))


def test_zips_come_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    with Image.open(SHEET) as sheet:
        scenes = cells(sheet)[:12]
    path = tmp_path / "mine.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for number, scene in reversed(list(enumerate(scenes))):
            buffer = io.BytesIO()
            scene.save(buffer, format="PNG")
            archive.writestr(f"out/{number}.png", buffer.getvalue())
        archive.writestr("notes.txt", "not a picture")
    found = opened([path])
    assert [source for source, _ in found] == [f"out/{number}.png" for number in range(12)]
    assert all(
        np.array_equal(np.asarray(one), np.asarray(scene)) for (_, one), scene in zip(found, scenes, strict=True)
    )


def test_prompts_are_one_each_or_one_for_all_or_the_same_for_every_grid() -> None:
    four = [f"{name}.png #{number}" for name in "ab" for number in (1, 2)]
    assert matched(four, Asked(((1,), (2,)))) == [(1,), (2,), (1,), (2,)]
    assert matched(four, Asked(((5,),))) == [(5,)] * 4
    for sources in (["a.png", "b.png", "c.png", "d.png"], [f"a.png #{number}" for number in range(4)]):
        with pytest.raises(InputError, match="4 pictures and 2 prompts: there must be one prompt a picture, or one f"):
            matched(sources, Asked(((1,), (2,))))


def test_prompts_that_name_their_pictures_go_to_these() -> None:
    asked = Asked(((1,), (2,)), ("b.png", "a.png"))
    assert matched(["out/a.png", "b.png"], asked) == [(2,), (1,)]
    assert matched(["a.png"], asked) == [(2,)]
    assert matched(["grid.png #1", "grid.png #2"], asked) == [(1,), (2,)], "no name fits, so the order does"
    with pytest.raises(InputError, match="no prompt is named c.png"):
        matched(["a.png", "c.png"], asked)


def test_files_come_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    with Image.open(SHEET) as sheet:
        scene = cells(sheet)[0]
    paths = [tmp_path / f"{number}.png" for number in (1, 10, 2)]
    for path in paths:
        scene.save(path)
    assert [source for source, _ in opened(paths)] == ["1.png", "2.png", "10.png"]


def written(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


def liar(path: Path) -> Path:
    """A zip that holds a picture of more bytes than its directory says."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.png", b"\0" * 4096)
    data = path.read_bytes()
    for size in (data.rindex(b"PK\x01\x02") + 24, data.index(b"PK\x03\x04") + 22):
        data = data[:size] + (16).to_bytes(4, "little") + data[size + 4 :]
    return written(path, data)


FAULTS: dict[str, tuple[Callable[[Path], Path], str]] = {
    "text": (lambda folder: written(folder / "a.txt", b"hello"), "a.txt: neither a picture"),
    "empty": (lambda folder: written(folder / "a.png", b""), "a.png: no picture that can be read"),
    "broken": (lambda folder: written(folder / "a.png", SHEET.read_bytes()[:4000]), "a.png: no picture that can be"),
    "no zip": (lambda folder: written(folder / "a.zip", b"PK"), "a.zip: no zip that can be read"),
    "damaged": (lambda folder: damaged(folder / "a.zip", zipfile.ZIP_DEFLATED), "a.zip: no zip that can be read"),
    "lzma": (lambda folder: damaged(folder / "a.zip", zipfile.ZIP_LZMA), "a.zip: no zip that can be read"),
    "bzip2": (lambda folder: damaged(folder / "a.zip", zipfile.ZIP_BZIP2), "a.zip: no zip that can be read"),
    "wide": (lambda folder: plain(folder / "a.png", 5000), "a.png: the picture has 5000x5000 pixels; at most 16 milli"),
    "liar": (lambda folder: liar(folder / "a.zip"), "a.zip: "),
    "large": (lambda folder: written(folder / "a.png", b"\0" * (9 * 2**20)), "the files have 9.0 MB; at most 8 are"),
    "small": (lambda folder: plain(folder / "a.png", 9), "a.png: the picture has 9x9 pixels"),
}


def plain(path: Path, side: int) -> Path:
    Image.new("RGB", (side, side)).save(path)
    return path


def damaged(path: Path, how: int) -> Path:
    """A zip whose directory is whole and whose data is not."""
    with zipfile.ZipFile(path, "w", how) as archive:
        archive.writestr("a.png", np.random.default_rng(0).bytes(4096))
    data = bytearray(path.read_bytes())
    data[50:90] = b"\xff" * 40
    return written(path, bytes(data))


@pytest.mark.parametrize("fault", FAULTS)
def test_what_cannot_be_read_is_one_sentence(fault: str, tmp_path: Path) -> None:
    make, told = FAULTS[fault]
    with pytest.raises(InputError, match="^" + told):
        opened([make(tmp_path)])


def test_a_zip_that_unpacks_to_too_much_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(marking, "MOST_UNPACKED", 1000)
    path = tmp_path / "bomb.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.png", b"\0" * 2000)
    with pytest.raises(InputError, match="unpacks to more than"):
        opened([path])


def test_many_large_pictures_are_refused_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(marking, "MOST_PIXELS_IN_ALL", 3 * 10**6)
    paths = [plain(tmp_path / f"{number}.png", 1000) for number in range(4)]
    with pytest.raises(InputError, match="3.png: too much with what came before; at most 3 million pixels"):
        opened(paths)


def test_a_grid_of_as_many_pictures_as_are_promised_is_read(tmp_path: Path) -> None:
    scene = np.random.default_rng(0).integers(0, 255, (64, 64, 3), dtype=np.uint8)
    cell = np.pad(scene, ((0, 2), (0, 2), (0, 0)))
    grid = np.pad(np.tile(cell, (marking.MOST_PICTURES // 8, 8, 1)), ((2, 0), (2, 0), (0, 0)))
    path = tmp_path / "grid.png"
    Image.fromarray(grid).save(path, compress_level=9)
    assert len(opened([path])) == marking.MOST_PICTURES


def test_what_is_shown_is_counted_without_passes_and_without_what_is_not_there(judge: Evaluator) -> None:
    with Image.open(SHEET) as sheet:
        pictures = [(str(number), one) for number, one in enumerate(cells(sheet)[:7])]
    payload = marking.shown(mark(judge, pictures, Asked(((0,),)))).payload()
    assert payload["status"] == "Done: 7 of 7 pictures"
    assert len(payload["cells"]) == payload["total"] == 7
    assert payload["rows"] == ["1\u20135", "6\u20137"]


def test_too_many_pictures_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(marking, "MOST_PICTURES", 31)
    with pytest.raises(InputError, match="more than 31 pictures"):
        opened([SHEET])


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[", "no JSON that can be read"), ("[]", "a list of lists"), ("3", "a list of lists"),
        ('[["red cube"], ["red cone"]]', "prompt 2: unknown object 'red cone'"), ("[[]]", "prompt 1: no object"),
    ],
)  # fmt: skip
def test_a_wrong_prompt_file_is_one_sentence(text: str, told: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=told):
        prompts_in(written(tmp_path / "prompts.json", text.encode()))


def test_prompts_by_picture_are_read_as_the_course_lists_them(tmp_path: Path) -> None:
    file = written(tmp_path / "train.json", json.dumps({"a.png": ["red cube"], "b.png": ["gray cube"]}).encode())
    assert prompts_in(file) == Asked(((1,), (0,)), ("a.png", "b.png"))


def test_a_file_name_is_no_formula(judge: Evaluator) -> None:
    with Image.open(SHEET) as sheet:
        marks = mark(judge, [("=1+1.png", cells(sheet)[0])], Asked(((0,),)))
    assert isinstance(marks, Marks)
    assert marks.csv().splitlines()[1].startswith("'=1+1.png")


def test_the_command_line_marks_a_grid(
    seen: list[tuple[int, ...]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    prompts = written(tmp_path / "p.json", json.dumps([[OBJECTS[i] for i in one] for one in seen]).encode())
    table = tmp_path / "verdicts.csv"
    command.main(["judge", str(SHEET), "--prompts", str(prompts), "--csv", str(table)])
    told = capsys.readouterr().out
    assert told.startswith("32 pictures\nCounted exact: ")
    assert "The judge itself counts" in told
    assert len(table.read_text().splitlines()) == 33
    command.main(["judge", str(SHEET), "--objects", "red cube", "--json"])
    assert json.loads(capsys.readouterr().out)["pictures"] == 32


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["judge", "nowhere.png", "--objects", "red cube"], "nowhere.png: no such file"),
        (["judge", str(SHEET), "--objects", "red cone"], "unknown object 'red cone'"),
    ],
)
def test_a_command_that_cannot_be_done_is_one_line(words: list[str], told: str) -> None:
    with pytest.raises(SystemExit, match=f"^clevr-duel: error: {told}"):
        command.main(words)
