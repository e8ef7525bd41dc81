from contextlib import contextmanager


class DecompressionBombError(Exception):
    pass


class Picture:
    def convert(self, mode):
        return self

    def resize(self, size):
        return self

    def getpixel(self, at):
        return 0


@contextmanager
def open(file):
    with __builtins__["open"](file, "rb") as opened:
        content = opened.read()
    if not (content.startswith(b"\xff\xd8") and content.endswith(b"\xff\xd9")):
        raise OSError("image file is truncated")
    yield Picture()


def new(mode, size):
    return Picture()
