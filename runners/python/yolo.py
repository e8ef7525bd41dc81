"""Any weights that ultralytics can load, as a model's program: the first file found in the weights folders.

Options: weights (a file pattern, "*.pt"), confidence (0.25), iou (0.45), image_size (640), device (chosen by itself).
"""
import os
from pathlib import Path

# Packages come with the environment; nothing is installed or sent while a model runs.
os.environ.setdefault("YOLO_AUTOINSTALL", "false")
os.environ.setdefault("YOLO_OFFLINE", "true")

from PIL import Image
from ultralytics import YOLO

LFS_POINTER = b"version https://git-lfs"

detector = None
settings = {}


def setup(context):
    global detector, settings
    settings = context.options
    weights = find_weights(context.weights_folders, settings.get("weights", "*.pt"))
    detector = YOLO(str(weights))
    # A first look takes longer than the others, and chooses the device.
    findings(look([Image.new("RGB", (64, 64))], settings)[0])
    return {"detector": weights.name, "labels": detector.names, "device": detector.predictor.device}


def find_weights(folders, pattern):
    for folder in folders:
        for weights in sorted(Path(folder).glob(pattern)):
            with weights.open("rb") as file:
                if file.read(len(LFS_POINTER)) == LFS_POINTER:
                    raise ValueError(f"{weights} is a Git LFS pointer, not the weights; fetch them with `git lfs pull`")
            return weights
    raise FileNotFoundError(f"no {pattern} in {' or '.join(map(str, folders))}; put the weights there")


def predict(frames, options):
    wanted = {**settings, **(options or {})}
    pictures = [read(frame.file) for frame in frames]
    readable = [picture for picture in pictures if not isinstance(picture, Exception)]
    results = iter(look(readable, wanted) if readable else [])
    return [picture if isinstance(picture, Exception) else findings(next(results)) for picture in pictures]


def read(file):
    """The picture, or why it cannot be had: ultralytics would leave it out without a word."""
    try:
        with Image.open(file) as picture:
            return picture.convert("RGB")
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        return error


def look(pictures, wanted):
    return detector.predict(
        pictures,
        conf=wanted.get("confidence", 0.25),
        iou=wanted.get("iou", 0.45),
        imgsz=wanted.get("image_size", 640),
        device=wanted.get("device"),
        verbose=False,
    )


def findings(result):
    boxes = result.boxes
    if boxes is None:
        raise TypeError(f"{detector.task} weights find no boxes; weights for detection are needed")
    return [
        {"class": result.names[int(label)], "confidence": confidence, "box": box}
        for label, confidence, box in zip(boxes.cls.tolist(), boxes.conf.tolist(), boxes.xyxy.tolist())
    ]
