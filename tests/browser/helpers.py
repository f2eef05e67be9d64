"""Steps that several browser tests share."""

from __future__ import annotations

from typing import Any


def tick(page: Any, *names: str) -> None:
    for name in names:
        page.locator("#picker").get_by_role("checkbox", name=name, exact=True).check()


def set_number(page: Any, label: str, value: int) -> None:
    field = page.locator("#ask").get_by_label(label, exact=True)
    field.fill(str(value))
    field.blur()


def wait_for_state(page: Any, state: str) -> None:
    page.wait_for_selector(f'#duel .duel[data-state="{state}"]')
    page.locator("#generate").wait_for(state="visible")


def generate(page: Any, *names: str, steps: int = 8) -> None:
    """Ticks, draws and waits for the end."""
    tick(page, *names)
    set_number(page, "Steps", steps)
    page.locator("#generate").click()
    wait_for_state(page, "done")


def pictures(page: Any) -> list[str]:
    """The two large pictures' data, DDPM first."""
    return page.locator("#duel .picture").evaluate_all("(all) => all.map((one) => one.src)")


def step_shown(page: Any) -> int:
    return int(page.locator("#duel .scrub").input_value())
