"""An app that knows only the original specification, built on aiortc.

usage: app.py RELAY_WS_URL TOKEN DEVICE FRAMES [--drive]

Asks for the robot's video, decodes FRAMES pictures, closes the session and
prints one JSON line. Any error message of the relay ends it with status 1.
With --drive it sends motor frames meanwhile.
"""

import asyncio
import json
import sys

import websockets
from aiortc import RTCConfiguration, RTCIceServer, RTCPeerConnection, RTCSessionDescription
from aiortc.sdp import candidate_from_sdp


async def drive(channel):
    while channel.readyState == "open":
        channel.send(json.dumps({"command": "motor", "left": 0.5, "right": 0.5}))
        await asyncio.sleep(0.05)


async def watch(url, token, device, wanted, *options):
    async with websockets.connect(f"{url}/ws/app?token={token}") as relay:
        await relay.send(json.dumps({"type": "webrtc_request", "device_id": device}))
        peer, session, done = None, None, asyncio.get_running_loop().create_future()

        async def decode(track):
            try:
                for _ in range(wanted):
                    frame = await track.recv()
                done.set_result({"frames": wanted, "width": frame.width, "height": frame.height})
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
                    if "--drive" in options:
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


asyncio.run(asyncio.wait_for(watch(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4]), *sys.argv[5:]), 60))
