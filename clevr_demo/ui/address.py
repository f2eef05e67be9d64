"""The browser's Back and Forward: the request of the address that one comes back to is drawn again."""

from __future__ import annotations

from typing import Any, ClassVar

from clevr_demo.ui.component import Html


class Address(Html):
    """Its value is the query of the address that the visitor went back or forward to; it shows nothing."""

    schema: ClassVar[dict[str, Any]] = {"type": "string"}
    nothing: ClassVar[Any] = ""
    example: ClassVar[Any] = "objects=red-cube&seed=7"

    def __init__(self, **arguments: Any) -> None:
        super().__init__("<span hidden></span>", ("address/address.js",), elem_id="address", **arguments)
