"""Runs a model's own Python file as a Lookout runner: python harness.py <entry.py> <setup JSON>.

Needs Python 3.8 and nothing else. What the file may define is told in ../README.md.
"""
import importlib.util
import json
import os
import sys
import time
import traceback
from types import SimpleNamespace

PROTOCOL = 1
MAX_MESSAGE = 16 * 1024 * 1024
TRACEBACK_LINES = 12


def main():
    entry, setup = sys.argv[1], json.loads(sys.argv[2])
    calls, messages = take_stdio()

    def send(line):
        messages.write(line)
        messages.flush()

    try:
        model = load(entry)
        ready = describe(model.setup(SimpleNamespace(**setup)) if hasattr(model, "setup") else None)
        predict = choose_predict(model)
        # A model that is shown frame by frame cannot tell whether a call holds one stream or several.
        send(encode("ready", protocol=PROTOCOL, mix=not hasattr(model, "predict"), **ready))
    except (Exception, SystemExit) as error:
        send(encode("fatal", error={"message": explain(error)}))
        return 1

    # The loop ends with the input: the parent closed the runner, or is gone.
    for line in calls:
        send(answer(predict, json.loads(line)))
    return 0


def encode(kind, **fields):
    """A message as a line. No NaN: it is not JSON."""
    return (json.dumps(dict(type=kind, **fields), allow_nan=False) + "\n").encode()


def answer(predict, call):
    try:
        frames = [SimpleNamespace(**frame) for frame in call["frames"]]
        started = time.perf_counter()
        answers = predict(frames, call["options"])
        elapsed = (time.perf_counter() - started) * 1000
        result = encode("result", id=call["id"], predictions=to_predictions(frames, answers), inference_ms=round(elapsed, 3))
        if len(result) > MAX_MESSAGE:
            raise ValueError(f"the answer is {len(result)} bytes, more than {MAX_MESSAGE}; say less, or take fewer frames at once")
        return result
    except (Exception, SystemExit) as error:
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
    entry = os.path.abspath(entry)
    sys.argv = [entry]
    sys.path[0] = os.path.dirname(entry)
    return load_file(os.path.splitext(os.path.basename(entry))[0], entry)


def load_file(name, file):
    spec = importlib.util.spec_from_file_location(name, file)
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


# Under a name of its own: a model may have a module findings too.
findings = load_file("lookout_findings", os.path.join(os.path.dirname(os.path.abspath(__file__)), "findings.py"))


def choose_predict(model):
    if hasattr(model, "predict"):
        return model.predict
    if not hasattr(model, "predict_frame"):
        raise TypeError("the model defines neither predict(frames, options) nor predict_frame(frame, options)")

    def one_by_one(frames, options):
        return [attempt(model.predict_frame, frame, options) for frame in frames]

    return one_by_one


def attempt(function, *arguments):
    """What the function returns, or the exception that it raised."""
    try:
        return function(*arguments)
    except Exception as error:
        traceback.print_exc()
        return error


def describe(said):
    said = said or {}
    labels = said.get("labels")
    if labels is not None:
        labels = [str(label) for label in (labels.values() if isinstance(labels, dict) else labels)]
    return {"detector": text_or_none(said.get("detector")), "labels": labels, "device": text_or_none(said.get("device"))}


def text_or_none(value):
    return None if value is None else str(value)


def to_predictions(frames, answers):
    answers = list(answers)
    if len(answers) != len(frames):
        raise ValueError(f"predict returned {len(answers)} answers for {len(frames)} frames")
    return [to_prediction(frame.index, answer) for frame, answer in zip(frames, answers)]


def to_prediction(index, answer):
    """What is wrong with a finding is wrong with its frame; the others keep theirs."""
    try:
        if isinstance(answer, BaseException):
            return bad_frame(index, f"{type(answer).__name__}: {answer}")
        if isinstance(answer, dict) and "error" in answer:
            return bad_frame(index, str(answer["error"]))
        return {"index": index, "detections": findings.to_findings(answer)}
    except findings.Invalid as error:
        return bad_frame(index, str(error))
    except Exception as error:
        traceback.print_exc()
        return bad_frame(index, f"{type(error).__name__}: {error}")


def bad_frame(index, message):
    return {"index": index, "error": {"code": "bad_frame", "message": message}}


def explain(error):
    """The exception and the end of its traceback; all of it goes to the log."""
    # From the second frame on: the first is the harness's.
    lines = "".join(traceback.format_exception(type(error), error, error.__traceback__.tb_next)).strip().splitlines()
    print("\n".join(lines), file=sys.stderr)
    return "\n".join([f"{type(error).__name__}: {error}", *lines[-TRACEBACK_LINES:-1]])


if __name__ == "__main__":
    sys.exit(main())
