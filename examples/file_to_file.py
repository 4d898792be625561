"""Video file in, video file out, with plain HTTP and aiortc (Debian: apt install python3-aiortc). No SDK, every step.

    python3 file_to_file.py in.mp4 out.mp4 "oil painting" --server http://localhost:8000
"""
import argparse
import asyncio
import json
import urllib.error
import urllib.request
from fractions import Fraction

from aiortc import MediaStreamTrack, RTCPeerConnection, RTCSessionDescription
from aiortc.contrib.media import MediaPlayer, MediaRecorder

TAIL_S = 4  # the last chunk comes after the input has ended

options = argparse.ArgumentParser()
options.add_argument("input")
options.add_argument("output")
options.add_argument("prompt", nargs="?", default="")
options.add_argument("--server", default="http://localhost:8000")
options.add_argument("--token", help="where the server asks for one")
args = options.parse_args()


def ask(method, path, body=None):
    """One request; the server's own words where it refuses."""
    request = urllib.request.Request(args.server + path, method=method, data=body and json.dumps(body).encode())
    if args.token:
        request.add_header("Authorization", f"Bearer {args.token}")
    try:
        with urllib.request.urlopen(request) as answer:
            return json.loads(answer.read() or "null")
    except urllib.error.HTTPError as error:
        raise SystemExit(f"{path}: {json.loads(error.read())['detail']}")


class Even(MediaStreamTrack):
    """At most one picture in each thirtieth of a second: the recorder cannot write two."""
    kind = "video"

    def __init__(self, source):
        super().__init__()
        self.source, self.slot = source, -1

    async def recv(self):
        while True:
            frame = await self.source.recv()
            if (slot := round(frame.time * 30)) > self.slot:
                self.slot, frame.pts, frame.time_base = slot, slot, Fraction(1, 30)
                return frame


async def main():
    ask("POST", "/api/v1/pipeline/load", {"pipeline_id": "longlive", "load_params": {"seed": 42}})
    while (status := ask("GET", "/api/v1/pipeline/status"))["status"] != "loaded":
        if status["status"] == "error":
            raise SystemExit(status["error"])
        await asyncio.sleep(0.5)

    peer, video, recorder = RTCPeerConnection(), MediaPlayer(args.input).video, MediaRecorder(args.output)
    ended = asyncio.Event()
    video.on("ended", ended.set)
    channel = peer.createDataChannel("parameters")  # part of the offer, so it is made first
    channel.on("message", print)  # stats, parameters_applied, ...; channel.send(json.dumps({...})) changes parameters
    peer.addTrack(video)
    peer.on("track", lambda track: recorder.addTrack(Even(track)))
    peer.on("connectionstatechange", lambda: peer.connectionState == "failed" and ended.set())

    await peer.setLocalDescription(await peer.createOffer())  # aiortc puts all its candidates into the offer
    parameters = {"input_mode": "video", "prompts": [{"text": args.prompt, "weight": 1}], "vace_enabled": False}
    offer = {"type": "offer", "sdp": peer.localDescription.sdp, "initialParameters": parameters}
    answer = ask("POST", "/api/v1/webrtc/offer", offer)
    await peer.setRemoteDescription(RTCSessionDescription(answer["sdp"], answer["type"]))
    await recorder.start()
    await ended.wait()
    if peer.connectionState == "failed":
        raise SystemExit("The connection to the server was lost.")
    await asyncio.sleep(TAIL_S)
    await recorder.stop()
    await peer.close()
    ask("DELETE", f"/api/v1/webrtc/offer/{answer['sessionId']}")


asyncio.run(main())
