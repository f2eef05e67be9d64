"""Five lessons for the page, each a question, prepared requests, something to do and an answer; and cards of words.

    for lesson in LESSONS:
        lesson.question, lesson.ready, lesson.task, lesson.answer

What the answers say was measured by drawing with the weights that ship: `python -m tests.lessons` does it again. A
prepared request is a link's query, so that it stays readable and is drawn like any other.
"""

from __future__ import annotations

from dataclasses import dataclass

THREE = "objects=red-cube,cyan-sphere,yellow-cylinder"
SIX = "objects=gray-cube,red-cube,blue-sphere,purple-sphere,green-cylinder,yellow-cylinder"


@dataclass(frozen=True)
class Lesson:
    """`ready` are prepared requests: what a button says and the link's query; `spot` is what to look at, as the page's
    scripts find it in the duel."""

    question: str
    ready: tuple[tuple[str, str], ...]
    task: str
    answer: str
    spot: str


@dataclass(frozen=True)
class Card:
    """A word that one may wonder about, and what it means."""

    title: str
    text: str


LESSONS = (
    Lesson(
        "How few steps are enough?",
        tuple((f"{steps} step{'s' * (steps > 1)}", f"{THREE}&seed=12&steps={steps}") for steps in (1, 2, 4, 20)),
        "Draw with 20 steps and read the sentence above the chart. Then draw with 4, 2 and 1, and look for the red "
        "cube.",
        "Here four: with one step and with two the red cube is missing. Of 30 random requests of three objects, the "
        "judge found 14 exact after one step, 27 after two, 27 after four and 28 after twenty. What is there is "
        "decided early; further steps change how it looks. The ACGAN has one pass and cannot spend more.",
        ".chart",
    ),
    Lesson(
        "What does the seed decide?",
        (("Seed 7", f"{THREE}&seed=7&steps=20"), ("Seed 8", f"{THREE}&seed=8&steps=20")),
        "Draw seed 7 again: nothing changes. Then roll one die at a time below the pictures, and put it back by its "
        "cross. Which die moves objects, and which changes the ground?",
        "All that is left to chance, and nothing else. Only the dice of places move objects. Pixels, the DDPM's other "
        "die, changes objects and ground where they are. The ACGAN's noise is sorted: looks changes the objects and "
        "hardly anything around them, light the whole picture smoothly, grain almost nothing that one sees.",
        ".stages",
    ),
    Lesson(
        "Where is it decided where things stand?",
        (("Three objects", f"{THREE}&seed=7&steps=20"),),
        "Go to the first step: the marks wander on the empty scene. Then go to the end and drag an object elsewhere.",
        "Before the first pixel. Both models choose a place for each object first, and paint then. So an object can be "
        "taken and put elsewhere: of 16 that we moved, the judge found 16 within four pixels of their new place, and "
        "all others where they were in 15.",
        ".stages",
    ),
    Lesson(
        "What can one pass not do?",
        (
            ("Nothing is fixed", f"{THREE}&seed=7&steps=20"),
            ("The red cube is fixed", f"{THREE}&seed=7&steps=20&at=red-cube:40:20"),
            ("It is in the way", f"{THREE}&seed=7&steps=20&at=red-cube:27:52"),
        ),
        "Draw them in turn. The red cube is pinned and the models place the rest. Which model looks where it stands?",
        "The ACGAN's single pass does not look. While the red cube is clear of them, its other objects stand exactly "
        "where they stood before, in 40 of 40 draws. Only where one is in the way, it is given other noise, and then "
        "all of them jump. The DDPM places the rest anew around what is fixed, a little at every step. With one of "
        "three objects fixed anywhere, the first try came too near in 34 of 100 draws of the ACGAN, and in 7 of the "
        "DDPM.",
        ".stages",
    ),
    Lesson(
        "When do they fail?",
        (
            ("Six objects", f"{SIX}&seed=2&steps=20"),
            ("Two too near", f"{THREE}&seed=7&steps=20&at=red-cube:30:28,cyan-sphere:30:34"),
            ("On the wall", f"{THREE}&seed=7&steps=20&at=red-cube:6:6"),
        ),
        "Draw them and read what the judge says. Then drag the two apart, or the red cube down from the wall.",
        "Where the training pictures show nothing: they have one to three objects, apart, on the ground. Of 30 random "
        "requests of six objects the DDPM drew 21 exact, in four steps, and the ACGAN 11; of three objects 29 and 28. "
        "Of 20 pairs four pixels apart they drew none; of 20 objects on the wall 14 and five. The worst "
        "failures that were counted stand on the scoreboard.",
        ".verdicts",
    ),
)
CARDS = {
    "ddpm": Card(
        "DDPM: denoising diffusion probabilistic model",
        "Diffusion: noise is added to a picture until nothing is left of it, as ink spreads in water, and a network "
        "learns to take it away again, which is denoising. To draw, it starts from pure noise and takes a little away "
        "at every step. Probabilistic: other noise gives another picture. Here it does so with places first, and with "
        "pixels then.",
    ),
    "acgan": Card(
        "ACGAN: auxiliary classifier generative adversarial network",
        "A GAN learns by a contest: the generator makes pictures of noise, and its adversary, the discriminator, tells "
        "them from real ones; each gets better by the other. The auxiliary classifier names the objects that it sees, "
        "so that what was asked for has to be there. To draw, the generator alone is needed, once.",
    ),
    "seed": Card(
        "What is a seed?",
        "The number from which all noise is made. The same seed gives the same noise, and the same request then the "
        "same picture, to the pixel: that is why a link draws it again. Another seed is another throw of the dice.",
    ),
    "timeline": Card(
        "Why has one a timeline and the other none?",
        "The DDPM draws in steps, and after each it has a guess that one can look at and judge. The ACGAN makes its "
        "picture in one pass: between its noise and its picture there is nothing to show. Its noise can be walked "
        "through instead; that is folded up below.",
    ),
}
