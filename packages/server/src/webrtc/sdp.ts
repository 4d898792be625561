/**
 * The few things that are read from and changed in session descriptions
 * (RFC 8866; the VP8 payload: RFC 7741).
 */

/** Whether the description has a video section at all. */
export function hasVideo(sdp: string): boolean {
  return /^m=video /m.test(sdp);
}

/** Whether a video section lists VP8. */
export function offersVp8(sdp: string): boolean {
  return sdp
    .split(/^m=/m)
    .some((section) => section.startsWith("video ") && /^a=rtpmap:\d+ VP8\/90000/im.test(section));
}

/**
 * Whether two offers come from one connection: a connection keeps its
 * session id in the origin line and its certificate (RFC 8829 5.2.2).
 */
export function isSameConnection(one: string, other: string): boolean {
  const origin = (sdp: string) => /^o=\S+ (\S+) /m.exec(sdp)?.[1];
  const fingerprint = (sdp: string) => /^a=fingerprint:(.+?)\s*$/m.exec(sdp)?.[1];
  const id = origin(one);
  return id !== undefined && id === origin(other) && fingerprint(one) === fingerprint(other);
}

/**
 * Tells a libwebrtc encoder where to start and where to stop.
 *
 * Without a start value it begins near 300 kbit/s and sends a small picture
 * for the first seconds. The hints are `x-google-*` format parameters, which
 * other implementations ignore.
 */
export function hintBitrate(sdp: string, range: { startBps: number; maxBps: number }): string {
  const kbps = (bps: number) => Math.round(bps / 1000);
  return sdp.replace(/^a=rtpmap:(\d+) VP8\/90000\r?\n/gim, (line, payloadType: string) =>
    sdp.includes(`a=fmtp:${payloadType} `)
      ? line
      : `${line}a=fmtp:${payloadType} x-google-start-bitrate=${kbps(range.startBps)};x-google-max-bitrate=${kbps(range.maxBps)}\r\n`,
  );
}

/**
 * Removes the video-orientation extension (3GPP TS 26.114) from an offer, so
 * that a telephone turns its pictures upright before it sends them.
 */
export function refuseRotation(sdp: string): string {
  return sdp.replace(/^a=extmap:\d+(?:\/\w+)? urn:3gpp:video-orientation\r?\n/gm, "");
}
