"""A robot that knows only the original specification, built on aiortc.

usage: robot.py RELAY_WS_URL DEVICE SECRET [--headers]

Answers each webrtc_request with an offer and sends aiortc's own test picture,
until it is ended. A second viewer gets webrtc_error.
It signs its name only, in the query; with --headers the name and the time, in
headers, and it talks as robots in the field do.
"""

import asyncio
import hashlib
import hmac
import json
import sys
import time

import websockets
from aiortc import (RTCConfiguration, RTCIceServer, RTCPeerConnection, RTCSessionDescription,
                    VideoStreamTrack)
from aiortc.sdp import candidate_from_sdp


def sign(secret, text):
    return hmac.new(secret.encode(), text.encode(), hashlib.sha256).hexdigest()


def connect(url, device, secret, headers):
    if not headers:
        return websockets.connect(f"{url}/ws/device?device_id={device}&sig={sign(secret, device)}")
    now = str(int(time.time()))
    return websockets.connect(f"{url}/ws/device", extra_headers={
        "X-Device-ID": device, "X-Timestamp": now, "X-Signature": sign(secret, f"{device}:{now}")})


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
    peers = {}
    async with connect(url, device, secret, headers) as relay:
        print("connected", flush=True)
        talk = asyncio.ensure_future(chatter(relay, device)) if headers else None
        async for text in relay:
            await handle(relay, peers, json.loads(text))
        if talk:
            talk.cancel()


async def handle(relay, peers, message):
    kind, session = message["type"], message.get("session_id")
    if kind == "webrtc_request" and peers:
        busy = {"type": "webrtc_error", "session_id": session, "error": "Busy: one viewer at a time"}
        await relay.send(json.dumps(busy))
    elif kind == "webrtc_request":
        servers = [RTCIceServer(**s) for s in message["ice_servers"]["iceServers"]]
        peers[session] = peer = RTCPeerConnection(RTCConfiguration(iceServers=servers))
        peer.addTrack(VideoStreamTrack())
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
