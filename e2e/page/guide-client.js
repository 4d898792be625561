// The flow of the LongLive video-to-video guide against the raw API: fetch and RTCPeerConnection, nothing else.
// Loaded into the page under test; everything that the guide's client does, in its order.

const Guide = (() => {
  const api = location.origin;
  const json = { "Content-Type": "application/json" };
  const output = document.createElement("video");
  output.muted = true;
  output.autoplay = true;
  output.playsInline = true;
  document.body.append(output);
  const state = { frames: 0, distinct: 0, messages: [], pc: null, channel: null, sessionId: null };
  const probe = document.createElement("canvas");
  probe.width = 48;
  probe.height = 27;
  const probeContext = probe.getContext("2d", { willReadFrequently: true });
  let lastPixels;
  // A held picture is sent again now and then; only a picture that moved counts as a new one.
  const isNew = () => {
    probeContext.drawImage(output, 0, 0, probe.width, probe.height);
    const pixels = probeContext.getImageData(0, 0, probe.width, probe.height).data;
    let sum = 0;
    for (let i = 0; i < pixels.length; i++) sum += Math.abs(pixels[i] - (lastPixels?.[i] ?? 0));
    if (sum / pixels.length < 0.4) return false;
    lastPixels = pixels;
    return true;
  };
  const onFrame = () => {
    state.frames += 1;
    if (isNew()) state.distinct += 1;
    output.requestVideoFrameCallback(onFrame);
  };
  output.requestVideoFrameCallback(onFrame);

  async function load(loadParams) {
    const response = await fetch(`${api}/api/v1/pipeline/load`, {
      method: "POST",
      headers: json,
      body: JSON.stringify({ pipeline_id: "longlive", load_params: loadParams }),
    });
    if (!response.ok) throw new Error(`load: ${await response.text()}`);
    for (;;) {
      const status = await (await fetch(`${api}/api/v1/pipeline/status`)).json();
      if (status.status === "loaded") return status;
      if (status.status === "error") throw new Error(`load: ${status.error}`);
      await new Promise((resolve) => setTimeout(resolve, 300));
    }
  }

  async function sendCandidate(candidate) {
    const { candidate: text, sdpMid, sdpMLineIndex } = candidate;
    await fetch(`${api}/api/v1/webrtc/offer/${state.sessionId}`, {
      method: "PATCH",
      headers: json,
      body: JSON.stringify({ candidates: [{ candidate: text, sdpMid, sdpMLineIndex }] }),
    });
  }

  async function start(stream, initialParameters) {
    const { iceServers } = await (await fetch(`${api}/api/v1/webrtc/ice-servers`)).json();
    const pc = new RTCPeerConnection({ iceServers });
    const queued = [];
    const channel = pc.createDataChannel("parameters", { ordered: true });
    channel.onmessage = (event) => {
      const message = JSON.parse(event.data);
      state.messages.push(message);
      if (message.type === "stream_stopped") pc.close();
    };
    for (const track of stream.getTracks()) if (track.kind === "video") pc.addTrack(track, stream);
    pc.ontrack = (event) => {
      if (event.streams?.[0]) output.srcObject = event.streams[0];
    };
    pc.onicecandidate = async (event) => {
      if (!event.candidate) return;
      if (state.sessionId) await sendCandidate(event.candidate);
      else queued.push(event.candidate);
    };
    Object.assign(state, { pc, channel, sessionId: null });
    const offer = await pc.createOffer();
    await pc.setLocalDescription(offer);
    const { sdp, type } = pc.localDescription;
    const response = await fetch(`${api}/api/v1/webrtc/offer`, {
      method: "POST",
      headers: json,
      body: JSON.stringify({ sdp, type, initialParameters }),
    });
    if (!response.ok) throw new Error(`offer: ${await response.text()}`);
    const answer = await response.json();
    state.sessionId = answer.sessionId;
    await pc.setRemoteDescription({ type: answer.type, sdp: answer.sdp });
    for (const candidate of queued.splice(0)) await sendCandidate(candidate);
    return answer.sessionId;
  }

  /** Uploads a painted image (two colours, big soft shapes) as the guide uploads a file; gives the path to name it by. */
  async function uploadPainting(name, ground, shapes) {
    const canvas = Object.assign(document.createElement("canvas"), { width: 400, height: 300 });
    const context = canvas.getContext("2d");
    context.fillStyle = ground;
    context.fillRect(0, 0, 400, 300);
    context.fillStyle = shapes;
    for (let i = 0; i < 12; i++) {
      context.beginPath();
      context.arc((i * 131) % 400, (i * 83) % 300, 24 + ((i * 17) % 40), 0, 2 * Math.PI);
      context.fill();
    }
    const blob = await new Promise((resolve) => canvas.toBlob(resolve, "image/png"));
    const response = await fetch(`${api}/api/v1/assets?filename=${encodeURIComponent(name)}`, {
      method: "POST",
      headers: { "Content-Type": "application/octet-stream" },
      body: await blob.arrayBuffer(),
    });
    if (!response.ok) throw new Error(`upload: ${await response.text()}`);
    return (await response.json()).path;
  }

  function grab(source) {
    const canvas = document.createElement("canvas");
    canvas.width = 144;
    canvas.height = 80;
    const context = canvas.getContext("2d");
    context.drawImage(source, 0, 0, canvas.width, canvas.height);
    return { width: canvas.width, height: canvas.height, data: [...context.getImageData(0, 0, 144, 80).data] };
  }

  return {
    state,
    output,
    load,
    start,
    uploadPainting,
    send: (parameters) => state.channel.send(JSON.stringify(parameters)),
    sendText: (text) => state.channel.send(text),
    stop: () => {
      state.channel.close();
      state.pc.close();
    },
    size: () => ({ width: output.videoWidth, height: output.videoHeight }),
    outputPicture: () => grab(output),
    inputPicture: () => grab(Scene.canvas),
  };
})();
window.Guide = Guide;
