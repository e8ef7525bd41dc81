"""As anybody would write it: opencv.py <seconds> <URL>... drains each camera in a thread, and keeps a picture every so often."""
import sys
import threading
import time

import cv2

interval = float(sys.argv[1])


def watch(url):
    capture = cv2.VideoCapture(url)
    due = time.monotonic()
    while True:
        whole, frame = capture.read()
        if not whole:
            raise SystemExit(f"{url} gives nothing")
        if time.monotonic() >= due:
            due += interval
            cv2.imencode(".jpg", frame)


threads = [threading.Thread(target=watch, args=(url,)) for url in sys.argv[2:]]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
