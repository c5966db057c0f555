"""Sends detections to the robot; README.md beside this file says what they are."""
import json
import socket
import sys
import time


class Detections:
    def __init__(self, path="/run/wimz/detections.sock"):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(path)

    def send(self, taken, objects, mode=""):
        """taken: time.monotonic() when the picture was taken that was looked at."""
        line = {"age_ms": (time.monotonic() - taken) * 1000, "mode": mode, "objects": objects}
        self.socket.sendall(json.dumps(line).encode() + b"\n")
        try:
            raise ValueError(self.socket.recv(4096, socket.MSG_DONTWAIT).decode() or "the robot is gone")
        except BlockingIOError:
            pass  # nothing was wrong with the lines before


if __name__ == "__main__":
    robot = Detections(sys.argv[1])
    while True:
        dog = {"class": "dog", "name": "Žofka", "confidence": 0.93, "box": [0.25, 0.25, 0.5, 0.4], "behaviour": "sit"}
        robot.send(time.monotonic(), [dog], "Training")
        time.sleep(1 / 15)
