#!/usr/bin/env python3
"""Sends pictures and detections to the robot: README.md beside this file has the
bytes. Try it with --demo, and use Sender from your own program:

    sender = Sender("/run/wimz/feed.sock")
    while True:
        ok, picture = camera.read()        # BGR, as OpenCV has it
        sender.send(picture, {"objects": detect(picture)}, captured=time.monotonic())
"""
import argparse, json, select, socket, struct, sys, time
import numpy as np


class Refused(Exception):
    """The robot will not have this sender; connecting again changes nothing."""


class Sender:
    def __init__(self, path):
        self.path, self.socket, self.wanted = path, None, {}

    def connect(self):
        """Waits for the robot; then wanted["width"], ["height"], ["fps"] are known."""
        said = None
        while self.socket is None:
            self.socket = socket.socket(socket.AF_UNIX)
            self.socket.settimeout(10)
            try:
                self.socket.connect(self.path)
                self.lines = self.socket.makefile()
                self.wanted = json.loads(self.lines.readline())
            except (OSError, ValueError) as error:  # it is not there yet, or goes just now
                if said != (said := str(error)):
                    print(f"waiting for the robot at {self.path}: {error}", file=sys.stderr)
                self.socket = None
                time.sleep(1)

    def hear(self):
        """Shows what the robot has found wrong."""
        while select.select([self.lines], [], [], 0)[0] and (line := self.lines.readline()):
            print("robot:", json.loads(line)["error"], file=sys.stderr)
            if json.loads(line).get("fatal"):
                raise Refused(json.loads(line)["error"])

    def send(self, picture=None, detections=None, captured=None):
        """picture: uint8, height x width x 3, BGR. detections: what the robot is to
        know of it. captured: time.monotonic() when it was taken; now if None."""
        self.connect()
        words = json.dumps(detections).encode() if detections is not None else b""
        height, width = picture.shape[:2] if picture is not None else (0, 0)
        micros = int((time.monotonic() if captured is None else captured) * 1e6)
        head = struct.pack("<4sBBHHHIQ", b"WIMZ", 1, picture is not None, width, height, 0, len(words), micros)
        try:
            try:
                self.socket.sendall(head + words)
                if picture is not None:
                    self.socket.sendall(memoryview(np.ascontiguousarray(picture)).cast("B"))
            finally:
                self.hear()
        except OSError:  # the robot is gone: this picture is lost
            self.socket = None


def demo(sender):
    """Shows a square that moves to and fro, and calls it a dog."""
    sender.connect()
    width, height, rate = (sender.wanted[key] for key in ("width", "height", "fps"))
    scene = np.zeros((height, width, 3), np.uint8)
    scene[:] = np.linspace(40, 200, width, dtype=np.uint8)[None, :, None]
    while True:
        begin = time.monotonic()
        side, picture = height // 4, scene.copy()
        x = int(abs(begin % 8 / 4 - 1) * (width - side))
        picture[side:2 * side, x:x + side] = (40, 80, 220)
        box = [x / width, 0.25, side / width, 0.25]
        sender.send(picture, {"mode": "Demo", "objects": [{"class": "dog", "name": "Rex", "confidence": 0.9, "box": box}]}, begin)
        time.sleep(max(0, 1 / rate - (time.monotonic() - begin)))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Sends pictures to the robot, as an example: see README.md.")
    parser.add_argument("--socket", default="/run/wimz/feed.sock", help="camera.feed.socket of the robot (%(default)s)")
    parser.add_argument("--demo", action="store_true", required=True, help="send a moving picture with detections")
    try:
        demo(Sender(parser.parse_args().socket))
    except Refused:
        sys.exit(1)
    except KeyboardInterrupt:
        pass
