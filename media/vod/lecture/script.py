"""What the sample lecture says: one list a slide, one string a caption.

A caption is at most two lines of 42 characters, and is spoken exactly as it reads.
"""

TITLE = "Welcome to Lectern"

SLIDES = [
    [
        "Welcome to Lectern.",
        "This is a lecture about lectures.",
        "It takes a minute and a half,",
        "and all that it tells you about also happens to itself.",
    ],
    [
        "To add a lecture, drop a film on the upload page.",
        "It can be watched after a few seconds,",
        "while smaller versions for slow networks are still being made.",
        "If the connection breaks, the upload goes on where it stopped.",
    ],
    [
        "Play, seek and change the speed by mouse, by touch or by keyboard.",
        "Turn on the captions, or read along in the transcript:",
        "a click on a line takes you there.",
        "Stop whenever you like.",
        "On any device, you go on where you left.",
    ],
    [
        "The ribbon below a film shows which parts of it you watched.",
        "What is filled, you watched.",
        "What is warm, you watched again.",
        "What is empty, you skipped.",
    ],
    [
        "What is recorded?",
        "Which seconds were played, when, and how fast,",
        "and whether the page was hidden or the sound was off.",
        "Your instructor can see which parts you watched.",
        "Your name is not in the records: they carry a number instead.",
        "Nothing looks through your camera.",
        "And a film that was watched has not therefore been learned.",
    ],
    [
        "Now look at the ribbon below this film.",
        "It has been filling while you watched.",
        "Then add a lecture of your own.",
    ],
]


def wrapped(piece):
    """The caption's lines, of about equal length."""
    if len(piece) <= 42:
        return [piece]
    middle = min(
        (i for i, c in enumerate(piece) if c == " "), key=lambda i: abs(i - len(piece) / 2)
    )
    lines = [piece[:middle], piece[middle + 1 :]]
    assert max(map(len, lines)) <= 42, piece
    return lines
