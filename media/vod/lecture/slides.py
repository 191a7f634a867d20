"""The slides of the sample lecture, drawn with the design's tokens.

The lowest sixth of the picture stays empty: that is where captions stand. `marks[i]` is when the i-th
caption of the slide is spoken; what a caption speaks of appears with it.
"""

import ass
import script
from ass import Canvas, polygon

PAPER, CARD, INK, SOFT, LINE = "#fbfaf7", "#ffffff", "#1c2024", "#5a6169", "#e3dfd7"
ACCENT, ACCENT_SOFT, WARM, WARM_SOFT = "#0b6b63", "#d9ece9", "#b4541a", "#f8e7d8"
STAGE, RAIL, FILLED = "#14181a", "#3b4246", "#2fa39a"  # the player is dark in both themes

LEFT, RIGHT = 96, ass.WIDTH - 96


def draw(spans, seconds):
    """All slides as one ASS script. `spans`: begin, end and marks of each."""
    events = []
    for number, ((begin, end, marks), slide) in enumerate(zip(spans, SLIDES, strict=True)):
        end = seconds + 1 if number == len(spans) - 1 else end
        canvas = Canvas(begin, end)
        if number > 0:
            head(canvas, number)
        slide(canvas, marks)
        events += canvas.events
    return ass.HEADER + "\n".join(events) + "\n"


def head(canvas, number):
    logo(canvas, LEFT, 50, 1)
    canvas.text(LEFT + 38, 47, "Lectern", 30, INK, bold=True)
    count = len(script.SLIDES) - 1
    width, gap = 44, 8
    x = RIGHT - count * (width + gap) + gap
    for i in range(count):
        color = ACCENT if i < number else LINE
        canvas.box(x + i * (width + gap), 62, width, 6, color, 3)


def logo(canvas, x, y, scale):
    """The post and the foot of a lectern."""
    s = scale
    canvas.box(x + 9.5 * s, y, 4 * s, 17 * s, INK, 0)
    canvas.box(x, y + 16 * s, 23 * s, 8 * s, ACCENT, 2.5 * s)


def title(canvas, words, y=124):
    canvas.text(LEFT, y, words, 62, INK, bold=True)


def welcome(canvas, marks):
    logo(canvas, 604, 150, 3.2)
    canvas.text(640, 262, script.TITLE, 92, INK, bold=True, align="center")
    canvas.text(640, 374, "a lecture about lectures", 40, SOFT, align="center", at=marks[1])
    ribbon(canvas, 340, 474, 600, 14, marks[2], 4)
    canvas.text(640, 510, "1 min 30 s", 28, SOFT, align="center", at=marks[2])


def upload(canvas, marks):
    title(canvas, "Add a lecture")
    canvas.box(LEFT, 236, 408, 312, CARD, 12, LINE)
    dashes(canvas, LEFT + 24, 260, 360, 264)
    canvas.box(LEFT + 156, 304, 96, 112, ACCENT_SOFT, 10)
    canvas.shape(LEFT + 188, 330, polygon((0, 0), (44, 28), (0, 56)), ACCENT)
    canvas.text(LEFT + 204, 440, "Drop a film here", 32, INK, bold=True, align="center")
    canvas.text(LEFT + 204, 480, "lecture.mp4", 26, SOFT, align="center", at=marks[0] + 1.2)

    x, y = 560, 236
    row(canvas, x, y, "Playable now", "after a few seconds", ACCENT, ACCENT_SOFT, marks[1])
    at = marks[2]
    for i, (name, width) in enumerate([("720p", 392), ("480p", 312), ("360p", 232), ("240p", 168)]):
        top = y + 112 + i * 34
        canvas.text(x + 4, top - 8, name, 26, SOFT, at=at)
        canvas.box(x + 84, top, width, 14, LINE, 7, at=at)
        canvas.growing(x + 84, top, width, 14, FILLED, 7, at + 0.15 * i, 2.4 + 0.3 * i)
    row(canvas, x, y + 256, "Connection lost?", "the upload goes on", WARM, WARM_SOFT, marks[3])


def row(canvas, x, y, words, more, color, soft, at):
    """A chip and the words beside it."""
    canvas.box(x, y, 624, 76, soft, 12, at=at)
    canvas.box(x, y, 8, 76, color, 4, at=at)
    canvas.text(x + 32, y + 20, words, 32, color, bold=True, at=at)
    canvas.text(x + 592, y + 22, more, 28, INK, align="right", at=at)


def dashes(canvas, x, y, width, height):
    step, dash = 20, 11
    for i in range(int(width / step)):
        canvas.box(x + 4 + i * step, y, dash, 2.5, SOFT)
        canvas.box(x + 4 + i * step, y + height, dash, 2.5, SOFT)
    for i in range(int(height / step)):
        canvas.box(x, y + 5 + i * step, 2.5, dash, SOFT)
        canvas.box(x + width, y + 5 + i * step, 2.5, dash, SOFT)


def watch(canvas, marks):
    title(canvas, "Watch")
    x, y = LEFT, 236
    canvas.box(x, y, 600, 318, STAGE, 12)
    canvas.box(x + 40, y + 36, 300, 16, "#485157", 8)
    canvas.box(x + 40, y + 70, 220, 16, "#485157", 8)
    canvas.box(x + 40, y + 104, 260, 16, "#485157", 8)
    canvas.shape(x + 390, y + 32, polygon((0, 96), (0, 60), (46, 40), (92, 70), (150, 0), (150, 96)), FILLED)
    canvas.box(x + 130, y + 176, 340, 44, "#000000", 6, at=marks[1])
    canvas.text(x + 300, y + 182, "Captions stand here", 28, "#ffffff", align="center", at=marks[1])
    canvas.box(x + 24, y + 244, 552, 10, RAIL, 5)
    canvas.growing(x + 24, y + 244, 330, 10, FILLED, 5, marks[0], 7)
    canvas.shape(x + 28, y + 275, polygon((0, 0), (20, 12), (0, 24)), "#ffffff")
    canvas.text(x + 64, y + 270, "0:34 / 1:30", 26, "#ffffff")
    canvas.text(x + 576, y + 270, "CC    1.25×    Full", 26, "#ffffff", align="right")

    keys(canvas, 736, y, marks[0])
    x = 736
    canvas.box(x, y + 92, 448, 162, CARD, 12, LINE, at=marks[1])
    lines = [("0:12", "It can be watched after"), ("0:34", "Captions stand here"), ("0:41", "On any device")]
    for i, (time, words) in enumerate(lines):
        top = y + 110 + i * 46
        if i == 1:
            canvas.box(x, top - 8, 448, 46, ACCENT_SOFT, 0, at=marks[2])
            canvas.box(x, top - 8, 4, 46, ACCENT, 0, at=marks[2])
        canvas.text(x + 24, top, time, 26, SOFT, at=marks[1])
        canvas.text(x + 104, top, words, 26, INK, at=marks[1])
    canvas.text(x + 2, y + 274, "Go on where you left,\non any device.", 28, ACCENT, bold=True, at=marks[4])


def keys(canvas, x, y, at):
    for i, (key, meaning) in enumerate([("k", "play"), ("j l", "seek"), ("f", "full")]):
        left = x + i * 152
        canvas.box(left, y, 56, 56, CARD, 10, LINE, at=at)
        canvas.text(left + 28, y + 11, key, 30, INK, bold=True, align="center", at=at)
        canvas.text(left + 68, y + 12, meaning, 28, SOFT, at=at)


def the_ribbon(canvas, marks):
    title(canvas, "The ribbon")
    x, y, width = LEFT, 262, RIGHT - LEFT
    canvas.box(x, y, width, 30, LINE, 15)
    canvas.growing(x, y, 500, 30, ACCENT, 15, marks[0], 2.2)
    canvas.growing(x + 760, y, 210, 30, ACCENT, 0, marks[0] + 2.2, 1.2)
    canvas.growing(x + 190, y, 170, 30, WARM, 0, marks[2], 1)
    for i, time in enumerate(["0:00", "15:00", "30:00", "45:00", "60:00"]):
        align = ["left", "center", "center", "center", "right"][i]
        canvas.text(x + i * width / 4, y + 42, time, 24, SOFT, align=align)
    for i, (color, words) in enumerate(
        [(ACCENT, "watched"), (WARM, "watched again"), (LINE, "skipped")]
    ):
        left = x + [0, 300, 700][i]
        canvas.box(left, y + 124, 56, 24, color, 12, at=marks[i + 1])
        canvas.text(left + 74, y + 116, words, 34, INK, at=marks[i + 1])
    canvas.text(x, y + 204, "65 % watched: 0:00–27:35, 41:55–53:30", 32, SOFT, at=marks[3])


def recorded(canvas, marks):
    title(canvas, "What is recorded")
    width = 528
    canvas.box(LEFT, 228, width, 328, CARD, 12, LINE)
    canvas.text(LEFT + 28, 248, "Recorded", 30, ACCENT, bold=True)
    items = [
        (1, "which seconds were played"),
        (1, "when, and how fast"),
        (2, "page hidden, sound off"),
        (3, "your instructor sees the parts"),
    ]
    for i, (mark, words) in enumerate(items):
        top = 306 + i * 58
        tick(canvas, LEFT + 28, top + 6, marks[mark])
        canvas.text(LEFT + 68, top, words, 29, INK, at=marks[mark])
    x = LEFT + width + 32
    canvas.box(x, 228, width, 328, CARD, 12, LINE)
    canvas.text(x + 28, 248, "Not recorded", 30, WARM, bold=True)
    for i, (mark, words) in enumerate(
        [(4, "your name, only a number"), (5, "your camera"), (6, "whether you learned it")]
    ):
        top = 306 + i * 58
        cross(canvas, x + 28, top + 6, marks[mark])
        canvas.text(x + 68, top, words, 29, INK, at=marks[mark])


def tick(canvas, x, y, at):
    points = (0, 12), (4, 8), (9, 14), (21, 1), (25, 5), (9.5, 22)
    canvas.shape(x, y, polygon(*points), ACCENT, at)


def cross(canvas, x, y, at):
    points = (0, 4), (4, 0), (11, 7), (18, 0), (22, 4), (15, 11), (22, 18), (18, 22), (11, 15), (4, 22), (0, 18), (7, 11)
    canvas.shape(x, y, polygon(*points), WARM, at)


def your_turn(canvas, marks):
    title(canvas, "Your turn", 190)
    canvas.text(LEFT, 286, "Look at the ribbon below this film.", 38, SOFT, at=marks[0])
    ribbon(canvas, LEFT, 364, RIGHT - LEFT, 26, marks[1], 2.5)
    canvas.box(LEFT, 444, 430, 76, ACCENT, 12, at=marks[2])
    canvas.text(LEFT + 215, 462, "Add your own lecture", 32, "#ffffff", bold=True, align="center", at=marks[2])


def ribbon(canvas, x, y, width, height, at, seconds):
    canvas.box(x, y, width, height, LINE, height / 2, at=at)
    canvas.growing(x, y, width, height, ACCENT, height / 2, at, seconds)


SLIDES = [welcome, upload, watch, the_ribbon, recorded, your_turn]
