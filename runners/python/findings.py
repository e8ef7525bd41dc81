"""What a model found, from its author's words to the protocol's: plain JSON, checked in shape and size.

Lookout checks it again. Checked here, a bad finding never makes a message that Lookout cannot read.
"""
import json
import math

# Bytes of JSON: of one finding, and of all of a frame.
MAX_FINDING = 16 * 1024
MAX_FINDINGS = 256 * 1024
MAX_DEPTH = 32
MAX_EXACT = 2**53 - 1
SHOWN_CHARACTERS = 60


class Invalid(Exception):
    """Says what is wrong, and where."""


def to_findings(answer):
    findings, size = [], 0
    for i, found in enumerate(items(answer, "detections")):
        at = f"detections[{i}]"
        finding = to_finding(found, at)
        bytes_of_json = size_of(finding)
        if bytes_of_json > MAX_FINDING:
            raise Invalid(f"{at} is {bytes_of_json} bytes of JSON, more than {MAX_FINDING}")
        size += bytes_of_json
        if size > MAX_FINDINGS:
            raise Invalid(f"detections are more than {MAX_FINDINGS} bytes of JSON")
        findings.append(finding)
    return findings


def to_finding(found, at):
    need_dict(found, at)
    finding = {
        "class": name(first(found, "class", "label"), f"{at}.class"),
        "confidence": confidence(first(found, "confidence"), f"{at}.confidence"),
    }
    for field, convert in DETAILS.items():
        value = first(found, "box", "bbox") if field == "box" else first(found, field)
        if value is not None:
            finding[field] = convert(value, f"{at}.{field}")
    return finding


def size_of(finding):
    return len(json.dumps(finding, separators=(",", ":"), ensure_ascii=False).encode("utf-8", "surrogatepass"))


def first(found, *keys):
    """None stands for absent."""
    return next((found[key] for key in keys if key in found and found[key] is not None), None)


def name(value, at):
    value = scalar(value)
    if value is None or isinstance(value, (bytes, list, tuple, dict)):
        raise wrong(value, at, "a text")
    return str(value)


def confidence(value, at):
    found = number(value, at)
    if not 0 <= found <= 1:
        raise wrong(found, at, "between 0 and 1")
    return found


def box(value, at):
    numbers = [number(side, f"{at}[{i}]") for i, side in enumerate(items(value, at))]
    if len(numbers) != 4:
        raise wrong(numbers, at, "four numbers")
    return numbers


def track(value, at):
    value = scalar(value)
    if isinstance(value, str):
        return str(value)
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
    if isinstance(value, (int, float)):
        found = number(value, at)
        return int(value) if isinstance(value, int) else found
    if depth == MAX_DEPTH:
        raise Invalid(f"{at} is nested deeper than {MAX_DEPTH} levels")
    if hasattr(value, "keys"):
        return {str(key): any_json(value[key], member(at, key), depth + 1) for key in value.keys()}
    if isinstance(value, (list, tuple)):
        return [any_json(one, f"{at}[{i}]", depth + 1) for i, one in enumerate(value)]
    raise wrong(value, at, "JSON")


DETAILS = {
    "box": box,
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
            return iter(value)
        except TypeError:
            pass
    raise wrong(value, at, "a list")


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
    found = "missing" if value is None else repr(value)[:SHOWN_CHARACTERS]
    return Invalid(f"{at} is {found}, not {expected}")
