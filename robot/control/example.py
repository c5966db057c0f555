"""Prints what a robot is told to do: python3 example.py /run/wimz/control.sock"""
import json
import socket
import sys
import time


def motors(left, right, why=""):  # here the motors would be set
    print(f"motors {left:+.2f} {right:+.2f} {why}".rstrip(), flush=True)


def obey(line, answer):
    name, data = line.get("command"), line.get("data", {})
    if name == "motor":
        motors(data["left"], data["right"])
    elif name in ("stop", "emergency_stop"):
        motors(0, 0, f"{name}: {line.get('reason', 'by ' + line['from'])}")
    else:
        print(name, data, line.get("error", ""), flush=True)
        if name:
            answer({"type": "command_ack", "command": name, "success": True})


while True:
    try:
        with socket.socket(socket.AF_UNIX) as robot:
            robot.connect(sys.argv[1])
            for text in robot.makefile("rb"):
                obey(json.loads(text), lambda event: robot.sendall(json.dumps(event).encode() + b"\n"))
    except OSError as error:
        print("no robot:", error, flush=True)
    motors(0, 0, "connection lost")  # whatever has ended it
    time.sleep(1)
