import { describe, expect, it } from "vitest";
import { hasVideo, hintBitrate, offersVp8, refuseRotation } from "./sdp.ts";

const SDP = [
  "v=0",
  "m=audio 9 UDP/TLS/RTP/SAVPF 111",
  "a=rtpmap:111 opus/48000/2",
  "m=video 9 UDP/TLS/RTP/SAVPF 96 97 98",
  "a=extmap:4 urn:3gpp:video-orientation",
  "a=extmap:5 http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time",
  "a=rtpmap:96 VP8/90000",
  "a=rtcp-fb:96 nack",
  "a=rtpmap:97 rtx/90000",
  "a=fmtp:97 apt=96",
  "a=rtpmap:98 VP8/90000",
  "a=fmtp:98 max-fs=12288",
  "",
].join("\r\n");

describe("offersVp8", () => {
  it("finds VP8 in a video section only", () => {
    expect(hasVideo(SDP)).toBe(true);
    expect(offersVp8(SDP)).toBe(true);
    expect(offersVp8(SDP.replaceAll("VP8", "H264"))).toBe(false);
    expect(offersVp8(SDP.replace("m=video", "m=audio"))).toBe(false);
    expect(hasVideo("garbage m=video ")).toBe(false);
  });
});

describe("hintBitrate", () => {
  it("adds start and maximum, in kbit/s, to VP8 lines that have no parameters of their own", () => {
    const hinted = hintBitrate(SDP, { startBps: 1_200_000, maxBps: 1_500_000 });
    expect(hinted).toContain(
      "a=rtpmap:96 VP8/90000\r\na=fmtp:96 x-google-start-bitrate=1200;x-google-max-bitrate=1500\r\na=rtcp-fb:96",
    );
    expect(hinted.match(/x-google-start/g)).toHaveLength(1);
    expect(hinted.replace(/a=fmtp:96 .*\r\n/, "")).toBe(SDP);
  });
});

describe("refuseRotation", () => {
  it("takes out the orientation extension and nothing else", () => {
    expect(refuseRotation(SDP)).toBe(SDP.replace("a=extmap:4 urn:3gpp:video-orientation\r\n", ""));
  });
});
