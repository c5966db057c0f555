"""An app that knows only the original specification, built on aiortc.

usage: app.py RELAY_WS_URL TOKEN DEVICE FRAMES [--drive] [--narrow KBPS]

Asks for the robot's video, decodes FRAMES pictures, closes the session and
prints one JSON line. Any error message of the relay ends it with status 1.
With --drive it sends motor frames meanwhile. With --narrow it then tells the robot
that it wants no more than that (REMB), and goes on until it gets a picture of
another size and two seconds more.
"""

import argparse
import asyncio
import json
import time

import websockets
from aiortc import RTCConfiguration, RTCIceServer, RTCPeerConnection, RTCSessionDescription
from aiortc.sdp import candidate_from_sdp


class Estimate:
    """What aiortc estimates of the way to it, but no more than a limit in kilobits
    a second, and the bytes that have come."""

    def __init__(self, receiver):
        self.limit, self.bytes = None, 0
        self.own = receiver._RTCRtpReceiver__remote_bitrate_estimator
        self.add, self.own.add = self.own.add, self.limited

    def limited(self, **packet):
        self.bytes += packet["payload_size"]
        estimate = self.add(**packet)
        if estimate and self.limit:
            return min(estimate[0], self.limit * 1000), estimate[1]
        return estimate


async def narrow(track, estimate, kbps):
    """Returns the other picture's width, and the bit rate that comes with it."""
    first = (await track.recv()).width
    estimate.limit = kbps
    while (frame := await track.recv()).width == first:
        pass
    begin, before = time.monotonic(), estimate.bytes
    while (span := time.monotonic() - begin) < 2:
        await track.recv()
    return {"narrow": frame.width, "kbps": (estimate.bytes - before) * 8 / 1000 / span}


async def drive(channel):
    while channel.readyState == "open":
        channel.send(json.dumps({"command": "motor", "left": 0.5, "right": 0.5}))
        await asyncio.sleep(0.05)


async def watch(o):
    async with websockets.connect(f"{o.relay}/ws/app?token={o.token}") as relay:
        await relay.send(json.dumps({"type": "webrtc_request", "device_id": o.device}))
        peer, session, done = None, None, asyncio.get_running_loop().create_future()

        async def decode(track):
            try:
                estimate, frame = Estimate(peer.getReceivers()[0]), await track.recv()
                seen = {"frames": o.frames, "width": frame.width, "height": frame.height}
                for _ in range(o.frames - 1):
                    await track.recv()
                done.set_result(seen | (await narrow(track, estimate, o.narrow) if o.narrow else {}))
            except Exception as error:  # the track ended early
                done.set_exception(error)

        async def speak():
            nonlocal peer, session
            async for text in relay:
                message = json.loads(text)
                kind = message["type"]
                if kind in ("error", "webrtc_error"):
                    done.set_exception(RuntimeError(text))
                elif kind == "webrtc_credentials":
                    session = message["session_id"]
                    servers = [RTCIceServer(**s) for s in message["ice_servers"]["iceServers"]]
                    peer = RTCPeerConnection(RTCConfiguration(iceServers=servers))
                    peer.on("track", lambda track: asyncio.ensure_future(decode(track)))
                    if o.drive:
                        peer.on("datachannel", lambda channel: asyncio.ensure_future(drive(channel)))
                elif kind == "webrtc_offer" and peer.signalingState == "stable" and not peer.remoteDescription:
                    await peer.setRemoteDescription(RTCSessionDescription(**message["sdp"]))
                    await peer.setLocalDescription(await peer.createAnswer())
                    answer = {"type": peer.localDescription.type, "sdp": peer.localDescription.sdp}
                    await relay.send(json.dumps({"type": "webrtc_answer", "session_id": session, "sdp": answer}))
                elif kind == "webrtc_ice" and message["candidate"]["candidate"]:
                    ice = message["candidate"]
                    candidate = candidate_from_sdp(ice["candidate"].removeprefix("candidate:"))
                    candidate.sdpMid, candidate.sdpMLineIndex = ice["sdpMid"], ice["sdpMLineIndex"]
                    await peer.addIceCandidate(candidate)

        speaking = asyncio.ensure_future(speak())
        try:
            print(json.dumps(await done))
            await relay.send(json.dumps({"type": "webrtc_close", "session_id": session}))
        finally:
            speaking.cancel()
            if peer:
                await peer.close()


parser = argparse.ArgumentParser()
for name, kind in ("relay", str), ("token", str), ("device", str), ("frames", int):
    parser.add_argument(name, type=kind)
parser.add_argument("--drive", action="store_true")
parser.add_argument("--narrow", type=int, metavar="KBPS")
asyncio.run(asyncio.wait_for(watch(parser.parse_args()), 60))
