"""Runs a model's own Python file as a Lookout runner: python harness.py <entry.py> <setup JSON>.

Needs Python 3.9 and nothing else. What the file may define is told in ../README.md.
"""
import importlib.util
import json
import os
import sys
import time
from types import SimpleNamespace

PROTOCOL = 1
MAX_MESSAGE = 16 * 1024 * 1024


def main():
    entry, setup = os.path.abspath(sys.argv[1]), json.loads(sys.argv[2])
    calls, messages = take_stdio()
    process = os.getpid()

    def send(line):
        if os.getpid() != process:
            # It would answer a second time, and take calls away from the process that it was copied from.
            mistakes.log("a copy of the model's process that os.fork made came back to the harness; it ends here, and only the first answers")
            os._exit(0)
        messages.write(line)
        messages.flush()

    def explain(error):
        if isinstance(error, findings.Invalid):
            return str(error)
        try:
            return mistakes.explain(error, os.path.dirname(entry), (__file__, findings.__file__))
        except Exception:
            # The model may have changed what this needs, such as the working folder.
            return mistakes.in_words(error)

    try:
        model = load(entry)
        ready = describe(call(model.setup, SimpleNamespace(**setup)) if defines(model, "setup") else None)
        predict = choose_predict(model, explain)
        # A model that is shown frame by frame cannot tell whether a call holds one stream or several.
        send(encode("ready", protocol=PROTOCOL, mix=not defines(model, "predict"), **ready))
    except BaseException as error:
        send(encode("fatal", error={"message": explain(error)}))
        return 1

    # The loop ends with the input: the parent closed the runner, or is gone.
    for line in calls:
        send(answer(predict, json.loads(line), explain))
    return 0


def encode(kind, **fields):
    """A message as a line. No NaN: it is not JSON."""
    return (json.dumps(dict(type=kind, **fields), allow_nan=False) + "\n").encode()


def answer(predict, call, explain):
    try:
        # The model's own copies: what it does to them is not what was asked.
        frames = [SimpleNamespace(**frame) for frame in call["frames"]]
        started = time.perf_counter()
        answers = predict(frames, call["options"])
        elapsed = (time.perf_counter() - started) * 1000
        predictions = [to_prediction(frame, one, explain) for frame, one in zip(call["frames"], answers)]
        result = encode("result", id=call["id"], predictions=predictions, inference_ms=round(elapsed, 3))
        if len(result) > MAX_MESSAGE:
            raise findings.Invalid(f"the answer is {len(result)} bytes, more than {MAX_MESSAGE}; say less, or take fewer frames at once")
        return result
    except BaseException as error:
        return encode("failed", id=call["id"], error={"message": explain(error)})


def take_stdio():
    """Private copies of stdin and stdout; the model is left with no input and with stderr for its prints."""
    calls, messages = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(line_buffering=True)
    return calls, messages


def load(entry):
    """The model's file as a module that can import its neighbours, as if it had been run itself."""
    sys.argv = [entry]
    sys.path[0] = os.path.dirname(entry)
    return load_file(os.path.splitext(os.path.basename(entry))[0], entry)


def load_file(name, file):
    spec = importlib.util.spec_from_file_location(name, file)
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def load_neighbour(name):
    """Under a name of its own: a model may have a module findings too."""
    return load_file(f"lookout_{name}", os.path.join(os.path.dirname(os.path.abspath(__file__)), f"{name}.py"))


findings = load_neighbour("findings")
mistakes = load_neighbour("mistakes")


def defines(model, name):
    """A module of that name, say, is no function."""
    return callable(getattr(model, name, None))


def call(function, *arguments):
    try:
        return function(*arguments)
    except TypeError as error:
        if error.__traceback__.tb_next is None:
            # It never began: it takes other arguments.
            error.called = function
        raise


def choose_predict(model, explain):
    """`predict(frames, options)` that gives an answer for each frame: a list of findings, or what is wrong with it."""
    if defines(model, "predict"):
        # The count is taken before the call: the list is the model's own too.
        return lambda frames, options: findings.to_answers(count=len(frames), answers=call(model.predict, frames, options))
    if not defines(model, "predict_frame"):
        raise findings.Invalid(f"{os.path.basename(model.__file__)} defines neither predict(frames, options) nor predict_frame(frame, options)")

    def one_by_one(frames, options):
        return [attempt(model.predict_frame, frame, options) for frame in frames]

    def attempt(function, *arguments):
        try:
            return call(function, *arguments)
        except BaseException as error:
            return {"error": explain(error)}

    return one_by_one


def describe(said):
    said = said or {}
    if not isinstance(said, dict):
        raise findings.Invalid(f"setup returned {findings.kind(said) or findings.shown(said)}, not a dict with detector, labels and device, nor None")
    labels = said.get("labels")
    if labels is not None:
        labels = [findings.text(label) for label in (labels.values() if isinstance(labels, dict) else findings.items(labels, "setup: labels"))]
    return {"detector": text_or_none(said.get("detector")), "labels": labels, "device": text_or_none(said.get("device"))}


def text_or_none(value):
    return None if value is None else findings.text(value)


def to_prediction(frame, answer, explain):
    """What is wrong with a finding is wrong with its frame; the others keep theirs."""
    try:
        if isinstance(answer, BaseException):
            return bad_frame(frame, mistakes.in_words(answer))
        if isinstance(answer, dict) and answer.get("error") not in (None, ""):
            return bad_frame(frame, str(answer["error"])[:mistakes.SHOWN_CHARACTERS])
        return {"index": frame["index"], "detections": findings.to_findings(answer, frame, warn)}
    except Exception as error:
        return bad_frame(frame, explain(error))


def bad_frame(frame, message):
    return {"index": frame["index"], "error": {"code": "bad_frame", "message": message}}


warned = set()


def warn(about, words):
    """Once in the life of a process: a model does a thing wrong in every frame, or never."""
    if about not in warned:
        warned.add(about)
        mistakes.log(f"warning: {words}")


if __name__ == "__main__":
    sys.exit(main())
