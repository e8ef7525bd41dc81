"""An author's mistakes in words that begin with the author's own line."""
import inspect
import os
import traceback

# A record holds the errors of its frames.
SHOWN_CHARACTERS = 2000


def log(text):
    try:
        # Not by sys.stderr, which may be the model's by now. In one write: between a line and its end another process may write.
        os.write(2, f"{text}\n".encode("utf-8", "backslashreplace"))
    except OSError:
        pass  # The model closed it, and there is no other place to say so.


def explain(error, folder, harness):
    """The line of the code in `folder` and the exception; the traceback, without what is the harness's, goes to the log."""
    trace = error.__traceback__
    while trace is not None and (trace.tb_frame.f_code.co_filename in harness or "importlib._bootstrap" in trace.tb_frame.f_code.co_filename):
        trace = trace.tb_next
    log("".join(traceback.format_exception(type(error), error, trace)).rstrip())
    lines = [(frame.filename, frame.lineno) for frame in traceback.extract_tb(trace)]
    if isinstance(error, SyntaxError):
        lines.append((error.filename, error.lineno))
    if hasattr(error, "called"):
        lines.extend(place_of(error.called))
    own = [f"{os.path.relpath(file, folder)}:{line}: " for file, line in lines if is_own(file, folder)]
    return "".join(own[-1:]) + in_words(error)


def place_of(function):
    code = getattr(inspect.unwrap(function), "__code__", None)
    return [] if code is None else [(code.co_filename, code.co_firstlineno)]


def is_own(file, folder):
    """Whether it is the model's code, not a package's in an environment that happens to lie in its folder."""
    path = os.path.abspath(file or "")
    return path.startswith(folder + os.sep) and "site-packages" not in os.path.relpath(path, folder)


def in_words(error):
    """As the last line of a traceback has it."""
    kind = type(error)
    name = kind.__qualname__ if kind.__module__ in ("builtins", "__main__") else f"{kind.__module__}.{kind.__qualname__}"
    text = str(error.msg if isinstance(error, SyntaxError) else error)[:SHOWN_CHARACTERS]
    hint = "\nWhat the model imports must stand in its requirements.txt or lie in its folder." if isinstance(error, ModuleNotFoundError) else ""
    return f"{name}: {text}{hint}" if text else name
