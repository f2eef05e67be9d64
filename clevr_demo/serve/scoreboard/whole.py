"""The whole scoreboard as HTML.

markup(board)                 # sections, each with a conclusion in a sentence
"""

from __future__ import annotations

import html

from clevr_demo.serve.scoreboard.board import Board
from clevr_demo.serve.scoreboard.charts import cost_part, number_part
from clevr_demo.serve.scoreboard.copies import copies_part
from clevr_demo.serve.scoreboard.gallery import failure_part
from clevr_demo.serve.scoreboard.matrices import confusion_part, object_part
from clevr_demo.serve.scoreboard.report import report_part
from clevr_demo.serve.scoreboard.table import table_part

LACKS = "No records of the {title}'s weights {mark} lie beside them. This makes them: <code>{command}</code>"
COMMAND = "python -m train.measure scores --model {name} --data DIR --device cpu"


def lacking(board: Board) -> str:
    """What makes the records that are not there."""
    told = ""
    for side in board.lacking:
        command = COMMAND.format(name=html.escape(side.name))
        words = LACKS.format(title=html.escape(side.title), mark=html.escape(side.mark), command=command)
        told += f'<p class="board-lacks">{words}</p>'
    return told


def markup(board: Board) -> str:
    """The whole board; what there are no records for is left out, with a sentence on what makes them."""
    parts = [table_part, cost_part, number_part, object_part, confusion_part, failure_part] if board.drawn else []
    drawn = "".join(part(board) for part in parts if part is not cost_part or board.costs)
    return lacking(board) + drawn + copies_part(board.copies) + report_part(board)
