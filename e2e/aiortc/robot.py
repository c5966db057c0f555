"""A robot that knows only the original specification, built on aiortc.

usage: robot.py RELAY_WS_URL DEVICE SECRET [--headers] [--clip FILE]

Answers each webrtc_request with an offer and sends aiortc's own test picture,
until it is ended. A second viewer gets webrtc_error.
It signs its name only, in the query; with --headers the name and the time, in
headers, and it talks as robots in the field do.
With --clip it is measured: it sends the pictures of a Y4M file (4:2:0), over and
over, 15 a second at 1.5 Mbit/s, to two viewers.
"""

import asyncio
import hashlib
import hmac
import itertools
import json
import sys
import time

import numpy
import websockets
from aiortc import (RTCConfiguration, RTCIceServer, RTCPeerConnection, RTCSessionDescription,
                    VideoStreamTrack, mediastreams)
from aiortc.codecs import vpx
from aiortc.contrib.media import MediaRelay
from aiortc.sdp import candidate_from_sdp
from av import VideoFrame


def sign(secret, text):
    return hmac.new(secret.encode(), text.encode(), hashlib.sha256).hexdigest()


def connect(url, device, secret, headers):
    if not headers:
        return websockets.connect(f"{url}/ws/device?device_id={device}&sig={sign(secret, device)}")
    now = str(int(time.time()))
    return websockets.connect(f"{url}/ws/device", extra_headers={
        "X-Device-ID": device, "X-Timestamp": now, "X-Signature": sign(secret, f"{device}:{now}")})


def pictures(path):
    with open(path, "rb") as clip:
        width, height = (int(field[1:]) for field in clip.readline().split()[1:3])
        while clip.readline():
            planes = numpy.frombuffer(clip.read(width * height * 3 // 2), numpy.uint8)
            yield VideoFrame.from_ndarray(planes.reshape(-1, width), format="yuv420p")


class Clip(VideoStreamTrack):
    def __init__(self, path):
        super().__init__()
        mediastreams.VIDEO_PTIME, vpx.DEFAULT_BITRATE = 1 / 15, 1_500_000
        self.pictures = itertools.cycle(list(pictures(path)))

    async def recv(self):
        picture = next(self.pictures)
        picture.pts, picture.time_base = await self.next_timestamp()
        return picture


async def chatter(relay, device):
    """What robots in the field say besides."""
    now = time.time()
    for message in (
        {"type": "robot_connected", "device_id": device, "firmware_version": "2.1.0"},
        {"type": "get_profiles", "timestamp": now},
    ):
        await relay.send(json.dumps(message))
    while True:
        await relay.send(json.dumps({"type": "heartbeat", "status": "ok", "battery": 87.5, "timestamp": time.time()}))
        await asyncio.sleep(0.2)


async def serve(url, device, secret, *options):
    headers = "--headers" in options
    clip = Clip(options[options.index("--clip") + 1]) if "--clip" in options else None
    share = MediaRelay().subscribe
    track = lambda: share(clip, buffered=False) if clip else VideoStreamTrack()
    peers = {}
    async with connect(url, device, secret, headers) as relay:
        print("connected", flush=True)
        talk = asyncio.ensure_future(chatter(relay, device)) if headers else None
        async for text in relay:
            await handle(relay, peers, json.loads(text), track, 2 if clip else 1)
        if talk:
            talk.cancel()


async def handle(relay, peers, message, track, places):
    kind, session = message["type"], message.get("session_id")
    if kind == "webrtc_request" and len(peers) >= places:
        busy = {"type": "webrtc_error", "session_id": session, "error": "Busy: one viewer at a time"}
        await relay.send(json.dumps(busy))
    elif kind == "webrtc_request":
        servers = [RTCIceServer(**s) for s in message["ice_servers"]["iceServers"]]
        peers[session] = peer = RTCPeerConnection(RTCConfiguration(iceServers=servers))
        peer.addTrack(track())
        await peer.setLocalDescription(await peer.createOffer())
        offer = {"type": peer.localDescription.type, "sdp": peer.localDescription.sdp}
        await relay.send(json.dumps({"type": "webrtc_offer", "session_id": session, "sdp": offer}))
    elif kind == "webrtc_answer":
        await peers[session].setRemoteDescription(RTCSessionDescription(**message["sdp"]))
    elif kind == "webrtc_ice" and message["candidate"]["candidate"]:
        ice = message["candidate"]
        candidate = candidate_from_sdp(ice["candidate"].removeprefix("candidate:"))
        candidate.sdpMid, candidate.sdpMLineIndex = ice["sdpMid"], ice["sdpMLineIndex"]
        await peers[session].addIceCandidate(candidate)
    elif kind == "webrtc_close" and session in peers:
        await peers.pop(session).close()


asyncio.run(serve(*sys.argv[1:]))
