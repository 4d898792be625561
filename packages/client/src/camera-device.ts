// Cameras as the browser gives them: which there are, opening one, why one went away, and waiting until it is back. Browsers
// show a device's label only to pages that may use it (W3C Media Capture and Streams, section 9.3), which is also how
// a withdrawn permission is told from a pulled plug.
import { CAMERA_POLL_MS } from "./defaults.ts";
import { ClientError } from "./errors.ts";

export type CameraDevice = {
  deviceId: string;
  /** Empty until the page was allowed to use a camera. */
  label: string;
};

type Wanted = { width: number; height: number; frameRate: number; deviceId?: string };

/** The cameras of this machine. Throws ClientError `unsupported` where the browser gives the page none. */
export async function cameras(): Promise<CameraDevice[]> {
  const devices = await mediaDevices().enumerateDevices();
  return devices.filter(({ kind }) => kind === "videoinput").map(({ deviceId, label }) => ({ deviceId, label }));
}

/** Calls back with the cameras whenever one comes or goes; returns the function that ends that. */
export function watchCameras(handler: (cameras: CameraDevice[]) => void): () => void {
  const devices = mediaDevices();
  const tell = () => {
    cameras().then(handler, () => handler([]));
  };
  devices.addEventListener("devicechange", tell);
  return () => devices.removeEventListener("devicechange", tell);
}

/** Throws ClientError `device`. */
export async function openCamera({ width, height, frameRate, deviceId }: Wanted): Promise<MediaStream> {
  const devices = mediaDevices();
  try {
    return await devices.getUserMedia({
      audio: false,
      video: {
        width: { ideal: width },
        height: { ideal: height },
        aspectRatio: { ideal: width / height },
        frameRate: { ideal: frameRate },
        ...(deviceId === undefined ? {} : { deviceId: { exact: deviceId } }),
      },
    });
  } catch (error) {
    throw ClientError.device("camera", error);
  }
}

/** Why a camera that was open ended. */
export async function explainCameraEnd(deviceId: string | undefined): Promise<ClientError> {
  const all = await cameras().catch(() => []);
  const device = all.find((one) => one.deviceId === deviceId);
  const isBlocked = all.length > 0 && all.every(({ label }) => label === "");
  const reason = isBlocked ? "permission_denied" : device === undefined ? "unplugged" : "failed";
  return ClientError.device("camera", undefined, reason);
}

/** Resolves when the camera is there and may be used; rejects with `aborted`. It never makes the browser ask. */
export async function cameraIsBack(deviceId: string | undefined, signal: AbortSignal): Promise<void> {
  for (;;) {
    await deviceChange(signal);
    const all = await cameras().catch(() => []);
    if (all.some((one) => one.label !== "" && (deviceId === undefined || one.deviceId === deviceId))) return;
  }
}

/** A device came or went, or it is time to look: not every browser tells. */
function deviceChange(signal: AbortSignal): Promise<void> {
  const devices = mediaDevices();
  return new Promise((resolve, reject) => {
    const settle = () => {
      clearTimeout(timer);
      devices.removeEventListener("devicechange", settle);
      signal.removeEventListener("abort", settle);
      if (signal.aborted) reject(ClientError.aborted(signal.reason));
      else resolve();
    };
    const timer = setTimeout(settle, CAMERA_POLL_MS);
    devices.addEventListener("devicechange", settle);
    signal.addEventListener("abort", settle);
    if (signal.aborted) settle();
  });
}

function mediaDevices(): MediaDevices {
  // Browsers hide it on pages that are neither encrypted nor on this computer.
  if (typeof navigator === "undefined" || navigator.mediaDevices === undefined) {
    throw ClientError.unsupported(
      "The browser gives this page no camera or screen.",
      "Open the page by https or as http://localhost.",
    );
  }
  return navigator.mediaDevices;
}
