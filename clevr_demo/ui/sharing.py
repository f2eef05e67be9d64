"""What goes out carries its request, and what comes back restores it: links, downloads, and pictures dropped here."""

from __future__ import annotations

from typing import Any

import gradio as gr

from clevr_demo.pictures import query_in
from clevr_demo.request import FIELDS, query_of
from clevr_demo.serve.addresses import home, page_of
from clevr_demo.serve.downloads import SHELVES, Shelf, contents, kinds
from clevr_demo.serve.drawing import MOST_FRAMES
from clevr_demo.serve.payload import Run
from clevr_demo.serve.wording import asked
from clevr_demo.ui.events import AT_ONCE, OWN, QUIET, Drawing, Updates, visitor
from clevr_demo.ui.widgets import Note, asset, in_browser

KNOWN = set(FIELDS)
"""Fields by which an address is known for one of ours."""
READ = [".png", ".webp", ".gif", ".jpg", ".jpeg"]
"""The kinds of pictures that may know their request."""
ANOTHER = "() => [[], '', { __type__: 'update', visible: 'hidden' }]"


def _tells(title: str, elem_id: str, script: str) -> gr.Button:
    """A button that says for two seconds what its script did."""
    button = gr.Button(title, size="sm", elem_id=elem_id)
    done = in_browser(button.click, script, None, button)
    back = f"() => new Promise((done) => setTimeout(() => done({title!r}), 2000))"
    in_browser(done.then, back, None, button)
    return button


def copy_button(elem_id: str = "copy-link", shown: str = "#duel .duel") -> gr.Button:
    """Copies the link to what is shown; `shown` is the selector of what carries its query."""
    script = asset("address/copy.js").replace("@home", home()).replace("@shown", shown)
    return _tells("Copy link", elem_id, script)


def picture_button() -> gr.Button:
    """Copies both pictures of the duel as one; where the browser forbids that, it shows it to be copied by hand."""
    return _tells("Copy picture", "copy-picture", asset("duel/pair.js"))


class Sharing:
    """The page's address, downloads of the last result, and settings out of a dropped picture."""

    def __init__(self, drawing: Drawing) -> None:
        self.drawing, self.shelf = drawing, Shelf(SHELVES)
        self.query, self.left = gr.Textbox(visible="hidden"), gr.Textbox(visible="hidden")
        self.buttons: list[gr.DownloadButton] = []

    def build_downloads(self) -> None:
        """The download menu: of the last run that ended. Its files are made when it opens."""
        opener = gr.Button("Download", size="sm", elem_id="download")
        with gr.Column(elem_id="download-menu", min_width=200):
            self.buttons = [
                gr.DownloadButton(title, size="sm", elem_id=f"get-{kind}", interactive=False)
                for kind, title in kinds(self.drawing.studio.pair).items()
            ]
        self.drawing.more += self.buttons
        self.drawing.at_start.append(self.none)
        in_browser(opener.click, asset("downloads/downloads.js"))
        opener.click(self.prepare, [self.drawing.result, self.drawing.own], self.buttons, js=OWN, **AT_ONCE)

    def none(self) -> Updates:
        return {button: gr.DownloadButton(value=None, interactive=False) for button in self.buttons}

    def prepare(self, request: gr.Request, run: Run | None, own: str = "") -> Updates:
        """The download buttons' files: of the pictures that are finished, also where the run was stopped later. What
        the browser itself has drawn, of a query of its `own`, is drawn here once more.

        While something new is drawn there are none: they would be of what was shown before.
        """
        wanted = self.drawing.asked_for(None, own) if own else None
        if wanted and wanted.objects and wanted.steps <= MOST_FRAMES:
            *_, run = self.drawing.shared.follow(wanted, lambda: False)
        if run is None or not run.finished or not self.drawing.runs.idle(visitor(request)):
            return self.none()
        studio, address = self.drawing.studio, page_of(request.headers)
        made = contents(self.drawing.shared.whole(run), studio.query(run.request.single(0)), address)
        files = {f"{run.request.stem}_{name}": content for name, content in made.values()}
        paths, called = self.shelf.put(run.key, files), kinds(run.contenders).values()
        return {
            button: gr.DownloadButton(title, value=path, interactive=True)
            for button, title, path in zip(self.buttons, called, paths, strict=True)
        }

    def look(self, path: str | None) -> tuple[list[str], str]:
        """(note, query) of a dropped picture: what it says, without touching any setting; no query, nothing to load."""
        if not path:
            return [], ""
        query = query_in(path)
        if query is None:
            return ["This file carries no request: only pictures downloaded here do."], ""
        request, notes = self.drawing.studio.read(query_of(query))
        return ([asked(request), *notes], query) if request.objects else (notes, "")

    def load(self, request: gr.Request, query: str) -> Updates:
        """The settings that a query names, drawn again."""
        wanted, notes = self.drawing.studio.read(query_of(query))
        drawing = self.drawing
        return {drawing.note: notes, **drawing.controls.show(wanted), **drawing.ask(request, wanted)}

    def build_drop_place(self) -> None:
        """Where a picture is dropped; it shows how it was drawn, and a button loads that."""
        with gr.Row(elem_id="drop-place"):
            drop = gr.UploadButton("Open a picture made here", file_types=READ, size="sm", elem_id="drop")
            button = gr.Button("Load these settings", size="sm", visible="hidden", elem_id="load-dropped")
            another = gr.Button("", visible="hidden", elem_id="drop-another")
        gr.Markdown("Or drop it anywhere on the page: it shows how it was drawn.", elem_id="drop-hint")
        note = Note("drop", "hint")

        def dropped(path: str | None) -> Updates:
            sentences, query = self.look(path)
            return {note: sentences, self.query: query, button: gr.Button(visible=True if query else "hidden")}

        # The page presses it whenever a file is given: what the one before said goes, also where this one is refused.
        in_browser(another.click, ANOTHER, None, [note, self.query, button])
        drop.upload(dropped, drop, [note, self.query, button], queue=False, **QUIET)
        self.load_on(button.click, self.query)

    def restore(self, request: gr.Request, left: str | None = None) -> Updates:
        """Puts the request of the page's address into the controls and asks for it.

        `left` is what the browser kept of a page that it loads again: the query of what stood in the controls and, on a
        second line, of what was being drawn. That is drawn, and the controls are as they were.
        """
        drawing = self.drawing
        stood, _, unfinished = (left or "").partition("\n")
        query = query_of(unfinished or str(request.query_params))
        before = drawing.controls.show(drawing.studio.read(query_of(stood))[0]) if stood else {}
        if not KNOWN & set(query):
            return {drawing.note: gr.skip(), **before}
        wanted, notes = drawing.studio.read(query)
        asked = drawing.ask(request, wanted) if wanted.objects and "grid" not in query else {}
        return {drawing.note: notes, **drawing.controls.show(wanted), **before, **asked}

    @property
    def _loaded(self) -> list[Any]:
        """What settings that are loaded may change."""
        return list(dict.fromkeys([*self.drawing.asked, *self.drawing.controls.request]))

    def load_on(self, event: Any, query: Any) -> None:
        """Lets an event, such as a button's click, load the settings of a query, and draw them."""
        self.drawing.then_draw(event(self.load, query, self._loaded, **AT_ONCE))

    def restore_on(self, demo: gr.Blocks) -> None:
        """Lets the page open with what its address names, drawn."""
        again = f"() => {{\n{asset('page/storage.js', 'address/again.js')}}}"
        self.drawing.then_draw(demo.load(self.restore, self.left, self._loaded, js=again, queue=False, **QUIET))
