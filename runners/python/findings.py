"""What a model found, from its author's words to the protocol's: plain JSON, checked in shape and size.

Lookout checks it again. Checked here, a bad finding is told in words that its author knows, and boxes are fitted to
the frame, whose size is known here.
"""
import inspect
import itertools
import json
import math

# Bytes of JSON: of one finding, and of all of a frame.
MAX_FINDING = 16 * 1024
MAX_FINDINGS = 256 * 1024
MAX_DEPTH = 32
# A generator may never end.
MAX_ANSWERS = 10_000
MAX_ELEMENTS = 16 * 1024
MAX_EXACT = 2**53 - 1
SHOWN_CHARACTERS = 60
# By how much a confidence may miss 0 and 1: sums of rounded numbers do.
ROUNDING = 0.001


class Invalid(Exception):
    """Says what is wrong, and where."""


def to_answers(answers, count):
    """What `predict` returned, as a list with an answer for each of `count` frames."""
    if kind(answers) is not None or not hasattr(plain(answers), "__iter__"):
        raise Invalid(f"predict returned {kind(answers) or shown(answers)}, not a list with a list of findings for each frame")
    answers = list(itertools.islice(answers, MAX_ANSWERS))
    if answers and all(is_finding(answer) for answer in answers):
        raise Invalid("predict returned a flat list of findings, not a list with a list of findings for each frame")
    if len(answers) != count:
        raise Invalid(f"predict returned {len(answers)} answers for {count} frames; each frame needs one, [] where nothing is found")
    return answers


def to_findings(answer, frame, warn):
    """The findings of one frame, a dict with `index`, `width` and `height`. `warn(about, words)` is called for what looks odd."""
    at = f"frame {frame['index']}"
    if is_finding(answer):
        raise Invalid(f"{at}: the answer is a single finding, not a list of findings; put it into a list")
    if kind(answer) is not None or not hasattr(plain(answer), "__iter__"):
        raise Invalid(f"{at}: the answer is {kind(answer) or shown(answer)}, not a list of findings; nothing found is []")
    findings, size = [], 0
    for i, found in enumerate(plain(answer)):
        try:
            finding = to_finding(found, frame, warn)
        except Invalid as error:
            raise Invalid(f"{at}, finding {i}: {error}") from None
        bytes_of_json = size_of(finding)
        if bytes_of_json > MAX_FINDING:
            raise Invalid(f"{at}, finding {i}: it is {bytes_of_json} bytes of JSON, more than {MAX_FINDING}")
        size += bytes_of_json
        if size > MAX_FINDINGS:
            raise Invalid(f"{at}: the findings are more than {MAX_FINDINGS} bytes of JSON")
        findings.append(finding)
    return findings


def to_finding(found, frame, warn):
    need_dict(found, "it")
    finding = {
        "class": name(required(found, "class", "label"), "class"),
        "confidence": confidence(required(found, "confidence"), "confidence"),
    }
    said = first(found, "box", "bbox")
    if said is not None:
        finding["box"] = fitted(box(said, "box"), frame, warn)
    for field, convert in DETAILS.items():
        value = first(found, field)
        if value is not None:
            finding[field] = convert(value, field)
    return finding


def kind(answer):
    """What is no list, though some of it can be walked through, in words; None: it may be one."""
    if answer is None:
        return "None"
    if hasattr(answer, "keys"):
        return f"a {type(answer).__name__}, {shown(answer)}"
    if isinstance(answer, str):
        return f"a text, {shown(answer)}"
    if isinstance(answer, (bytes, bytearray)):
        return f"bytes, {shown(answer)}"
    if inspect.iscoroutine(answer):
        answer.close()
        return "a coroutine (define it with def, not with async def)"
    if inspect.isasyncgen(answer):
        return "an async generator (define it with def, not with async def)"
    return None


def is_finding(answer):
    return hasattr(answer, "keys") and "confidence" in answer and ("class" in answer or "label" in answer)


def size_of(finding):
    return len(json.dumps(finding, separators=(",", ":"), ensure_ascii=False).encode("utf-8", "surrogatepass"))


def first(found, *keys):
    """None stands for absent."""
    return next((found[key] for key in keys if key in found and found[key] is not None), None)


def required(found, *keys):
    value = first(found, *keys)
    if value is None:
        there = shown_list(str(key) for key in found.keys() if found[key] is not None)
        raise Invalid(f"{keys[0]} is missing; {f'there are {there}' if there else 'there is nothing'}")
    return value


def name(value, at):
    value = scalar(value)
    if value is None or isinstance(value, (bytes, list, tuple, dict)):
        raise wrong(value, at, "a text")
    return text(value)


def text(value):
    """Of a text that is a member of an enumeration too, the text: str() would name the member."""
    return str.__str__(value) if isinstance(value, str) else str(value)


def confidence(value, at):
    found = number(value, at)
    if not -ROUNDING <= found <= 1 + ROUNDING:
        raise wrong(found, at, "between 0 and 1")
    return min(max(found, 0.0), 1.0)


def box(value, at):
    numbers = [number(side, f"{at}[{i}]") for i, side in enumerate(items(value, at))]
    if len(numbers) != 4:
        raise wrong(numbers, at, "four numbers")
    return numbers


def fitted(sides, frame, warn):
    """The box within the frame."""
    x1, y1, x2, y2 = sides
    width, height = frame["width"], frame["height"]
    if x2 < x1 or y2 < y1:
        if 0 <= x1 <= x1 + x2 <= width and 0 <= y1 <= y1 + y2 <= height:
            warn("corner and size", f"the box {sides} looks like x, y, width, height; a box is x1, y1, x2, y2 in pixels of the frame")
        raise Invalid(f"box is {sides}, and {'x2 is less than x1' if x2 < x1 else 'y2 is less than y1'}")
    if 0 <= min(sides) and 0 < max(sides) <= 1:
        warn("shares", f"the box {sides} looks like shares of the frame, 0 to 1; a box is x1, y1, x2, y2 in pixels of the frame")
    if x1 > width or y1 > height or x2 < 0 or y2 < 0:
        warn("outside", f"the box {sides} lies outside the frame of {width} x {height} pixels; nothing of it is left")
    return [min(max(side, 0), most) for side, most in zip(sides, (width, height) * 2)]


def track(value, at):
    value = scalar(value)
    if isinstance(value, str):
        return text(value)
    found = number(value, at)
    if isinstance(value, bool) or (found == int(found) and abs(int(value)) > MAX_EXACT):
        raise wrong(value, at, "a text or a number below 2^53")
    return int(value) if isinstance(value, int) else found


def polygon(value, at):
    ring = [point(corner, f"{at}[{i}]") for i, corner in enumerate(items(value, at))]
    if len(ring) < 3:
        raise wrong(ring, at, "a ring of at least three points")
    return ring


def point(value, at):
    numbers = [pixels(side, f"{at}[{i}]") for i, side in enumerate(items(value, at))]
    if len(numbers) != 2:
        raise wrong(numbers, at, "a point [x, y]")
    return numbers


def mask(value, at):
    need_dict(value, at)
    size = [whole(side, f"{at}.size[{i}]", 1) for i, side in enumerate(items(first(value, "size"), f"{at}.size"))]
    if len(size) != 2:
        raise wrong(size, f"{at}.size", "[height, width]")
    return {"size": size, "counts": run_lengths(first(value, "counts"), f"{at}.counts", size[0] * size[1])}


def run_lengths(value, at, area):
    """pycocotools gives bytes."""
    if isinstance(value, bytes):
        value = value.decode("latin-1")
    if isinstance(value, str):
        if not value or any(not "0" <= character <= "o" for character in value):
            raise wrong(value, at, "run lengths as COCO compresses them")
        return value
    lengths = [whole(length, f"{at}[{i}]", 0) for i, length in enumerate(items(value, at))]
    if sum(lengths) != area:
        raise Invalid(f"{at} add up to {sum(lengths)}, not to height times width, {area}")
    return lengths


def keypoints(value, at):
    return [keypoint(one, f"{at}[{i}]") for i, one in enumerate(items(value, at))]


def keypoint(value, at):
    """From a dict, or from x, y and perhaps the confidence."""
    if hasattr(value, "keys"):
        fields = {key: first(value, key) for key in ("x", "y", "confidence", "name")}
    else:
        numbers = list(items(value, at))
        if len(numbers) not in (2, 3):
            raise wrong(numbers, at, "[x, y] or [x, y, confidence]")
        fields = dict(zip(("x", "y", "confidence"), numbers))
    said = {"x": pixels(fields["x"], f"{at}.x"), "y": pixels(fields["y"], f"{at}.y")}
    if fields.get("confidence") is not None:
        said["confidence"] = confidence(fields["confidence"], f"{at}.confidence")
    if fields.get("name") is not None:
        said["name"] = name(fields["name"], f"{at}.name")
    return said


def attributes(value, at):
    need_dict(value, at)
    return {str(key): attribute(value[key], member(at, key)) for key in value.keys()}


def attribute(value, at):
    value = scalar(value)
    if not isinstance(value, (str, bool, int, float)):
        raise wrong(value, at, "a text, a number, True or False")
    return any_json(value, at)


def embedding(value, at):
    """To the seven digits that a float of 32 bits has: all of them would be twice as long."""
    numbers = [float(f"{number(one, f'{at}[{i}]'):.7g}") for i, one in enumerate(items(value, at))]
    if not numbers:
        raise wrong(numbers, at, "a list with numbers")
    return numbers


def any_json(value, at, depth=0):
    value = plain(value)
    if value is None or isinstance(value, (bool, str)):
        return value
    if isinstance(value, int):
        if abs(value) > MAX_EXACT:
            raise wrong(value, at, "a text or a number below 2^53")
        return int(value)
    if isinstance(value, float):
        return number(value, at)
    if depth == MAX_DEPTH:
        raise Invalid(f"{at} is nested deeper than {MAX_DEPTH} levels")
    if hasattr(value, "keys"):
        return {str(key): any_json(value[key], member(at, key), depth + 1) for key in value.keys()}
    if isinstance(value, (list, tuple)):
        return [any_json(one, f"{at}[{i}]", depth + 1) for i, one in enumerate(value)]
    raise wrong(value, at, "JSON")


DETAILS = {
    "track": track,
    "polygon": polygon,
    "mask": mask,
    "keypoints": keypoints,
    "attributes": attributes,
    "embedding": embedding,
    "extra": any_json,
}


def member(at, key):
    """A key may be of any length."""
    return f"{at}.{str(key)[:SHOWN_CHARACTERS]}"


def number(value, at):
    value = scalar(value)
    try:
        found = float(value)
    except (TypeError, ValueError, OverflowError):
        raise wrong(value, at, "a number") from None
    if not math.isfinite(found):
        raise wrong(value, at, "a number")
    return found


def pixels(value, at):
    """To a hundredth: more digits would only be longer."""
    return round(number(value, at), 2)


def whole(value, at, least):
    found = number(value, at)
    if found != int(found) or found < least:
        raise wrong(value, at, f"a whole number from {least}")
    return int(found)


def items(value, at):
    value = plain(value)
    if not isinstance(value, (str, bytes)) and not hasattr(value, "keys"):
        try:
            return not_too_many(iter(value), at)
        except TypeError:
            pass
    raise wrong(value, at, "a list")


def not_too_many(values, at):
    for i, value in enumerate(values):
        if i == MAX_ELEMENTS:
            raise Invalid(f"{at} has more than {MAX_ELEMENTS} elements")
        yield value


def need_dict(value, at):
    if not hasattr(value, "keys"):
        raise wrong(value, at, "a dict")


def plain(value):
    """Numbers and arrays of numpy and torch as Python's own, all at once, from the GPU too."""
    return value.tolist() if callable(getattr(value, "tolist", None)) else value


def scalar(value):
    """The one number of an array that has one, as ultralytics gives it."""
    value = plain(value)
    return value[0] if isinstance(value, list) and len(value) == 1 else value


def wrong(value, at, expected):
    return Invalid(f"{at} is {'missing' if value is None else shown(value)}, not {expected}")


def shown(value):
    """On one line, and cut."""
    return cut(repr(value))


def shown_list(words):
    return cut(", ".join(words))


def cut(text):
    line = " ".join(text[:4 * SHOWN_CHARACTERS].split())
    return line if len(line) <= SHOWN_CHARACTERS else f"{line[:SHOWN_CHARACTERS]}…"
