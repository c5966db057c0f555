"""A robot that knows only the original specification, built on aiortc.

usage: robot.py RELAY_WS_URL DEVICE SECRET

Signs without a timestamp, answers each webrtc_request with an offer and sends
aiortc's own test picture, until it is ended.
"""

import asyncio
import hashlib
import hmac
import json
import sys

import websockets
from aiortc import (RTCConfiguration, RTCIceServer, RTCPeerConnection, RTCSessionDescription,
                    VideoStreamTrack)
from aiortc.sdp import candidate_from_sdp


async def serve(url, device, secret):
    signature = hmac.new(secret.encode(), device.encode(), hashlib.sha256).hexdigest()
    peers = {}
    async with websockets.connect(f"{url}/ws/device?device_id={device}&sig={signature}") as relay:
        print("connected", flush=True)
        async for text in relay:
            message = json.loads(text)
            kind, session = message["type"], message.get("session_id")
            if kind == "webrtc_request":
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


asyncio.run(serve(*sys.argv[1:4]))
