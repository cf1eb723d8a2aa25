/** Where a customer came from: the ad, page or link that the chat was opened with. */
import type { Referral } from '../../../port/content.ts';
import { proto } from '../../library.ts';

const MEDIA_TYPES = new Map<number, Referral['mediaType']>([
  [proto.ContextInfo.ExternalAdReplyInfo.MediaType.IMAGE, 'image'],
  [proto.ContextInfo.ExternalAdReplyInfo.MediaType.VIDEO, 'video'],
]);

/**
 * From `externalAdReply` (an ad that opens a chat, "click to WhatsApp") and from the members that the apps add when a
 * chat was opened from elsewhere, such as a link (WAWebProtobufsE2E.proto ContextInfo). Null when neither is there.
 */
export function referralIn(context: proto.IContextInfo | null | undefined): Referral | null {
  if (!context) return null;
  const ad = context.externalAdReply ?? {};
  const { utm } = context;
  const referral: Referral = {
    title: ad.title || null,
    body: ad.body || null,
    sourceType: ad.sourceType || null,
    sourceId: ad.sourceId || null,
    sourceUrl: ad.sourceUrl || null,
    sourceApp: ad.sourceApp || null,
    mediaType: MEDIA_TYPES.get(ad.mediaType ?? 0) ?? null,
    mediaUrl: ad.mediaUrl || null,
    thumbnailUrl: ad.thumbnailUrl || ad.originalImageUrl || null,
    ctwaClid: ad.ctwaClid || null,
    ref: ad.ref || null,
    conversionSource: context.conversionSource || null,
    entryPoint: context.entryPointConversionSource || null,
    entryPointApp: context.entryPointConversionApp || null,
    entryPointExternalSource: context.entryPointConversionExternalSource || null,
    entryPointExternalMedium: context.entryPointConversionExternalMedium || null,
    utmSource: utm?.utmSource || null,
    utmCampaign: utm?.utmCampaign || null,
  };
  return Object.values(referral).some((value) => value !== null) ? referral : null;
}
