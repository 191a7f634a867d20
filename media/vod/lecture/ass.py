"""Shapes and text in ASS, the subtitle format whose drawing commands ffmpeg's libass renders.

Positions are pixels of a 1280 x 720 picture, times seconds. A `Canvas` collects events; later ones lie
above earlier ones.
"""

WIDTH, HEIGHT = 1280, 720
FADE_MS = 240

HEADER = f"""[Script Info]
ScriptType: v4.00+
PlayResX: {WIDTH}
PlayResY: {HEIGHT}
WrapStyle: 2
ScaledBorderAndShadow: yes
YCbCr Matrix: None

[V4+ Styles]
Format: Name, Fontname, Fontsize, PrimaryColour, SecondaryColour, OutlineColour, BackColour, Bold, \
Italic, Underline, StrikeOut, ScaleX, ScaleY, Spacing, Angle, BorderStyle, Outline, Shadow, Alignment, \
MarginL, MarginR, MarginV, Encoding
Style: D,DejaVu Sans,30,&H00000000,&H00000000,&H00000000,&H00000000,0,0,0,0,100,100,0,0,1,0,0,7,0,0,0,1

[Events]
Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text
"""

ALIGN = {"left": 7, "center": 8, "right": 9}
ROUND = 0.5523  # of the radius: a quarter circle as a Bezier curve


class Canvas:
    """Draws while a slide is shown; each shape from `at` to the slide's end."""

    def __init__(self, begin, end):
        self.begin, self.end, self.events = begin, end, []

    def text(self, x, y, words, size=30, color="#1c2024", bold=False, align="left", at=None):
        tags = rf"\an{ALIGN[align]}\fs{size}\b{int(bold)}\pos({x},{y}){paint(color)}"
        self.event(tags, words.replace("\n", r"\N"), at)

    def box(self, x, y, width, height, color, radius=0, line=None, at=None, until=None):
        """A rectangle with round corners, filled, with a hair line around it where `line` is given."""
        if line:
            self.shape(x - 1.5, y - 1.5, rounded(width + 3, height + 3, radius + 1.5), line, at, until)
        self.shape(x, y, rounded(width, height, radius), color, at, until)

    def shape(self, x, y, path, color, at=None, until=None, extra=""):
        tags = rf"\an7\pos({x},{y}){paint(color)}{extra}\p1"
        self.event(tags, path, at, until)

    def growing(self, x, y, width, height, color, radius, at, seconds):
        """A box that fills from left to right."""
        full = rf"\clip({x},{y},{x + width},{y + height})"
        clip = rf"\clip({x},{y},{x},{y + height})\t(0,{int(seconds * 1000)},{full})"
        self.shape(x, y, rounded(width, height, radius), color, at, extra=clip)

    def event(self, tags, body, at=None, until=None):
        at = self.begin if at is None else at
        until = self.end if until is None else until
        fade = rf"\fad({FADE_MS},{FADE_MS})"
        self.events.append(f"Dialogue: 0,{clock(at)},{clock(until)},D,,0,0,0,,{{{tags}{fade}}}{body}")


def paint(color):
    red, green, blue = color[1:3], color[3:5], color[5:7]
    return rf"\1c&H{blue}{green}{red}&"


def rounded(width, height, radius):
    r = min(radius, width / 2, height / 2)
    if r <= 0:
        return path(("m", 0, 0), ("l", width, 0), ("l", width, height), ("l", 0, height))
    k = r * (1 - ROUND)
    w, h = width, height
    return path(
        ("m", r, 0), ("l", w - r, 0), ("b", w - k, 0, w, k, w, r),
        ("l", w, h - r), ("b", w, h - k, w - k, h, w - r, h),
        ("l", r, h), ("b", k, h, 0, h - k, 0, h - r),
        ("l", 0, r), ("b", 0, k, k, 0, r, 0),
    )  # fmt: skip


def polygon(*points):
    first, *rest = points
    return path(("m", *first), *(("l", *point) for point in rest))


def path(*commands):
    return " ".join(f"{name} " + " ".join(f"{n:.2f}" for n in numbers) for name, *numbers in commands)


def clock(seconds):
    centis = round(seconds * 100)
    return f"{centis // 360000}:{centis // 6000 % 60:02}:{centis // 100 % 60:02}.{centis % 100:02}"
