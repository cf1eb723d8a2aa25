/** What the gateway and the process that reads pictures say to each other. */

export interface PictureFacts {
  format: 'jpeg' | 'png' | 'webp' | 'gif';
  mimeType: string;
  /** Pixels, as shown: after the camera's rotation. */
  width: number;
  height: number;
  animated: boolean;
}

export type PictureTask =
  | { kind: 'facts'; path: string }
  /** A JPEG of at most `side` pixels. */
  | { kind: 'preview'; path: string; side: number }
  /** A square JPEG out of the middle, of at most `side` pixels. */
  | { kind: 'square'; path: string; side: number }
  /** A WebP of 512 × 512, animated if the picture is. */
  | { kind: 'sticker'; path: string; maxBytes: number };

export type PictureResult = { facts: PictureFacts; bytes: Uint8Array };

/** `problem` completes "the picture …". */
export type PictureReply = { result: PictureResult } | { problem: string };
