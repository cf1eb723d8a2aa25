/** The addresses of files, as they are told: completed at the moment of telling, since a signed one lasts for a time. */

export interface MediaUrls {
  /** The address to tell for `path` (`/messages/{record id}/media`) of a message of this device. */
  told(path: string, deviceId: string): string;
}

/** Told as they are stored. */
export const plainMediaUrls: MediaUrls = { told: (path) => path };

interface WithUrl {
  url?: unknown;
}

/** The `data` of an event or message, with the addresses of its files completed. */
export function withMediaUrls<T extends object>(data: T, deviceId: string, urls: MediaUrls): T {
  if (urls === plainMediaUrls) return data;
  const told = <U>(part: U): U => {
    if (typeof part !== 'object' || part === null) return part;
    const { url } = part as WithUrl;
    return typeof url === 'string' ? { ...part, url: urls.told(url, deviceId) } : part;
  };
  const { media, further_media } = data as { media?: unknown; further_media?: unknown };
  return {
    ...told(data),
    ...(media === undefined ? {} : { media: told(media) }),
    ...(Array.isArray(further_media) ? { further_media: further_media.map(told) } : {}),
  };
}
