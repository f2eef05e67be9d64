"""The page's own components: `gr.HTML` with a template and scripts out of assets/, and plain data for a value."""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any, ClassVar

import gradio as gr

from clevr_demo.models import Contender
from clevr_demo.objects import COLOURS, MAX_TRAINED, OBJECTS, SHAPES, parse
from clevr_demo.request import SOURCES
from clevr_demo.serve import showcase, starts
from clevr_demo.serve.lessons import CARDS, LESSONS, Lesson
from clevr_demo.serve.wording import SOURCES_OWN

ASSETS = Path(__file__).parent / "assets"


def asset(*names: str) -> str:
    """The text of files in assets/, joined in order. Modules of the engine's may stand among them, behind what they
    import: a component's script is one function's body, in which nothing is imported or exported."""
    text = "\n".join((ASSETS / name).read_text(encoding="utf-8") for name in names)
    return re.sub(r"^import [^;]*;\n|^export ", "", text, flags=re.MULTILINE)


def in_browser(event: Any, script: str, inputs: Any = None, outputs: Any = None) -> Any:
    """Lets a script alone answer an event: it makes the outputs' values of the inputs'."""
    return event(None, inputs, outputs, js=script, api_visibility="private")


class Html(gr.HTML):
    """Its value is plain data that its script draws; what a subclass does not say otherwise is an object.

    `template` is its HTML, `script` what runs once that is there, and `nothing` the value that shows nothing.
    """

    template: ClassVar[str] = "<span hidden></span>"
    script: ClassVar[str] = ""
    nothing: ClassVar[Any] = {}

    def __init__(self, value: Any = None, **arguments: Any) -> None:
        """`arguments` are those of `gr.HTML`, whose props are what else the template and the script read."""
        own: dict[str, Any] = {"html_template": self.template, "js_on_load": self.script, "apply_default_css": False}
        super().__init__(value=self.fresh() if value is None else value, **own | arguments)

    @classmethod
    def fresh(cls) -> Any:
        """A value that shows nothing."""
        return copy.deepcopy(cls.nothing)

    def preprocess(self, payload: Any) -> Any:
        """What the browser sent, or nothing where that is of another kind."""
        return payload if isinstance(payload, type(self.nothing)) else self.fresh()

    def postprocess(self, value: Any) -> Any:
        return value or self.fresh()


class Note(Html):
    """A message beside a control: a live region, so that a screen reader says it when it fills.

    Its value is a list of plain sentences; none hides it. The browser sets them as text, never as markup.
    """

    script = asset("note/note.js")
    nothing: ClassVar[list[str]] = []

    def __init__(self, name: str, tone: str = "fault", **arguments: Any) -> None:
        body = f'<div class="note-body {tone}" role="status"></div>'
        super().__init__(html_template=body, elem_id=f"note-{name}", elem_classes="note", **arguments)

    def postprocess(self, value: Any) -> list[str]:
        return [value] if isinstance(value, str) and value else list(value or [])


def _cell(colour: str, shape: str) -> str:
    name = f"{colour} {shape}"
    return (
        f'<td role="gridcell"><label class="cell colour-{colour}" title="{name}">'
        f'<input type="checkbox" value="{name}" aria-label="{name}" tabindex="-1">'
        f'<svg class="object" aria-hidden="true"><use href="#object-{shape}"></use></svg></label></td>'
    )


def _rows() -> str:
    rows = []
    for shape in SHAPES:
        cells = "".join(_cell(colour, shape) for colour in COLOURS)
        rows.append(f'<tr role="row"><th scope="row" role="rowheader">{shape}s</th>{cells}</tr>')
    return "".join(rows)


class Picker(Html):
    """24 boxes in a grid, shapes down, colours across, one tab stop with arrow keys. Its value is the list of ticked
    names, in index order."""

    script = asset("picker/picker.js")
    nothing: ClassVar[list[str]] = []

    def __init__(self, value: Sequence[str] = (), **arguments: Any) -> None:
        heads = "".join(f'<th scope="col" role="columnheader"><span>{colour}</span></th>' for colour in COLOURS)
        table = asset("picker/picker.html").replace("@heads", heads).replace("@rows", _rows())
        super().__init__(list(value), html_template=table, most=MAX_TRAINED, **arguments)

    def preprocess(self, payload: Any) -> list[str]:
        return [name for name in super().preprocess(payload) if isinstance(name, str)]

    def postprocess(self, value: Any) -> list[str]:
        return [OBJECTS[index] for index in parse(value)] if value else []


def sources_told(names: Iterable[str]) -> list[dict[str, str]]:
    """Sources of noise as the page's dice have them: name, title and what each owns."""
    return [{"name": name, "title": name.capitalize(), "owns": SOURCES_OWN[name]} for name in names]


class Duel(Html):
    """Both pictures, the timeline with its scrubber, and the judge's verdict along it. Its value is a run's payload;
    scrubbing happens in the browser alone."""

    template = asset("duel/duel.html")
    script = asset(
        "engine/numbers.js", "engine/words.js", "page/storage.js", "history/model.js", "hands/request.js",
        "engine/mersenne.js", "engine/noise.js", "engine/walk.js", "duel/model.js", "duel/parts.js", "duel/chart.js",
        "duel/marks.js", "duel/dice.js", "duel/race.js", "duel/start.js", "duel/view.js", "duel/wipe.js",
        "duel/duel.js",
    )  # fmt: skip

    def __init__(self, contenders: Iterable[Contender], address: bool = False, **arguments: Any) -> None:
        """Of the contenders the first two draw what names no others. With `address`, a result goes into the browser's
        address, which draws it again, and into the history."""
        known = [
            {
                "name": one.name, "title": one.title, "costs": one.model.costs, "steps": one.model.has_steps,
                "sources": sources_told(one.model.sources), "card": one.kind if one.kind in CARDS else "",
                "noise": one.noise(),
            }
            for one in contenders
        ]  # fmt: skip
        super().__init__(names=list(OBJECTS), contenders=known, address=address, **arguments)


class Hands(Html):
    """Lets the visitor take the objects of the duel's pictures; its bar does so without dragging, and undoes.

    Its value is what was settled: {"values": the controls', "draw": whether to draw them}.
    """

    template = asset("hands/hands.html")
    script = asset(
        "engine/needs.js", "engine/client.js", "hands/request.js", "hands/undo.js", "hands/lane.js", "hands/model.js",
        "hands/marks.js", "hands/own.js", "hands/busy.js", "hands/scene.js", "hands/dice.js", "hands/who.js",
        "hands/bar.js", "hands/pointer.js", "hands/pick.js", "hands/keys.js",
    )  # fmt: skip

    def __init__(self, usual: Sequence[Any], answer: Callable[[Any], dict[str, Any]], **arguments: Any) -> None:
        """`usual` are the controls' values when the page opens; `answer` repaints a scene while it is moved."""

        def repaint(asked: Any) -> dict[str, Any]:
            return answer(asked)

        told = sources_told(SOURCES)
        super().__init__(names=list(OBJECTS), usual=list(usual), sources=told, server_functions=[repaint], **arguments)


class Walk(Html):
    """A walk's frames with a scrubber of its own, which asks the server nothing."""

    template = asset("walk/walk.html")
    script = asset(
        "engine/numbers.js", "engine/words.js", "duel/model.js", "duel/parts.js", "duel/marks.js", "walk/walk.js"
    )

    def __init__(self, title: str, **arguments: Any) -> None:
        """`title` is who walks."""
        super().__init__(names=list(OBJECTS), title=title, **arguments)


class Learning(Html):
    """Both models' pictures at moments of their training, under one slider; fetched when they are first seen."""

    template, script = asset("learning/learning.html"), asset("learning/model.js", "learning/learning.js")

    def __init__(self, sheets: Callable[[Any], dict[str, Any]], **arguments: Any) -> None:
        """`sheets` gives what `serve.learning` found."""
        super().__init__(server_functions=[sheets], **arguments)


class Luck(Html):
    """Many seeds of one request by both models; its value is a tally's payload."""

    template, script = asset("luck/luck.html"), asset("luck/luck.js")


class Scoreboard(Html):
    """The scoreboard's figures, fetched when they are first seen; its value is the one that was chosen: {"choice"}."""

    template, script = asset("scoreboard/scoreboard.html"), asset("scoreboard/scoreboard.js")

    def __init__(self, board: Callable[[Any], dict[str, str]], **arguments: Any) -> None:
        """`board` gives its figures: {"html", "csv"}."""
        super().__init__(server_functions=[board], **arguments)


class Pictures(Html):
    """A table of judged pictures; its value is a table's payload."""

    template = asset("table/table.html")


class Starts(Html):
    """Grids to begin with; its value is the chosen one: {"form": the grid's fields, "objects": for where none are
    ticked}."""

    script = asset("table/starts.js")

    def __init__(self, contenders: Mapping[str, Contender], **arguments: Any) -> None:
        forms = [
            [plan.rows.kind, plan.rows.text, plan.columns.kind, plan.columns.text, plan.model]
            for _, plan in starts.plans(contenders)
        ]
        buttons = starts.markup(contenders, showcase.thumbnails())
        template = asset("table/starts.html").replace("@starts", buttons)
        super().__init__(html_template=template, forms=forms, objects=list(showcase.REQUEST.names), **arguments)


class Entries(Html):
    """This visitor's last results, kept by the browser; its value is the chosen one: {"run", "query", "words"}."""

    script = asset("page/storage.js", "history/model.js", "history/history.js")

    def __init__(self, example: Iterable[str], **arguments: Any) -> None:
        """`example` are pictures for the first place, while there are none."""
        pair = "".join(f'<img src="{source}" alt="">' for source in example)
        first = (
            f'<span class="history-slot">{pair}<b>Example</b></span>' if pair else '<span class="history-slot"></span>'
        )
        slots = first + 11 * '<span class="history-slot"></span>'
        super().__init__(html_template=asset("history/history.html").replace("@slots", slots), **arguments)


class Guess(Html):
    """ "Guess first": names and verdicts are hidden until the visitor has guessed; the browser keeps the score."""

    template = asset("guess/guess.html")
    script = asset("page/storage.js", "page/reveal.js", "guess/model.js", "guess/guess.js")


def _lesson(lesson: Lesson) -> str:
    said = {name: escape(getattr(lesson, name)) for name in ("question", "task", "answer", "spot")}
    ready = "".join(
        f'<button type="button" data-query="{escape(query)}">{escape(title)}</button>'
        f'<span class="lesson-link" data-link="{escape(query)}"></span>'
        for title, query in lesson.ready
    )
    return (
        f'<article data-spot="{said["spot"]}" hidden><h3>{said["question"]}</h3>'
        f'<div class="lesson-ready" role="group" aria-label="Draw">{ready}</div><p>{said["task"]}</p>'
        "<details><summary><span>Uncover the answer</span><span>The answer</span></summary>"
        f"<p>{said['answer']}</p></details></article>"
    )


class Lessons(Html):
    """Five lessons that drive the real page, and cards for words that one may wonder about: whatever has `data-card`
    opens one. Its value is the query of the request that a lesson prepared."""

    script = asset("page/reveal.js", "lessons/lessons.js")
    nothing: ClassVar[Any] = ""

    def __init__(self, **arguments: Any) -> None:
        questions = "".join(
            f'<button type="button" data-lesson="{place}" aria-pressed="false" title="{escape(lesson.question)}">'
            f"{place + 1}</button>"
            for place, lesson in enumerate(LESSONS)
        )
        template = asset("lessons/lessons.html").replace("@questions", questions)
        template = template.replace("@lessons", "".join(map(_lesson, LESSONS)))
        cards = {name: {"title": card.title, "text": card.text} for name, card in CARDS.items()}
        super().__init__(html_template=template, cards=cards, **arguments)


class Word(Html):
    """A small button that opens a card."""

    def __init__(self, card: str, **arguments: Any) -> None:
        title = escape(CARDS[card].title)
        super().__init__(
            html_template=f'<button type="button" class="word-button" data-card="{card}">{title}</button>', **arguments
        )


class Presentation(Html):
    """The duel alone on the whole screen, larger, with a key for everything; a button and the bar of keys."""

    template, script = asset("presentation/presentation.html"), asset("presentation/presentation.js")


class Address(Html):
    """The browser's Back and Forward: its value is the query of the address that one comes back to; shows nothing."""

    script = asset("page/storage.js", "address/address.js", "address/left.js")
    nothing: ClassVar[Any] = ""
