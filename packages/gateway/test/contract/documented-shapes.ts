/**
 * The success shapes of the public documentation, with the JSON types of its examples. A member that ends in `?` may be
 * missing or null; further members are ours. `time` is RFC 3339, `=word` that word.
 */
export type Shape = string | readonly [Shape] | { readonly [member: string]: Shape };

const ok = 'true';
const device = {
  id: 'string',
  user_id: 'string',
  name: 'string',
  connected: 'boolean',
  created_at: 'time',
  updated_at: 'time',
};
const user = {
  id: 'string',
  tenant_id: 'string',
  email: 'string',
  role: 'string',
  active: 'boolean',
  created_at: 'time',
  updated_at: 'time',
};
const tenant = { id: 'string', name: 'string', created_at: 'time', updated_at: 'time' };
const webhook = {
  id: 'string',
  webhook_url: 'string',
  enabled_events: ['string'],
  enabled: 'boolean',
  retry_attempts: 'number',
  timeout: 'number',
  headers: {},
  created_at: 'time',
  updated_at: 'time',
} as const;
const newsletter = {
  id: 'string',
  state: {},
  thread_metadata: {
    name: {},
    description: {},
    invite: 'string',
    subscribers_count: 'string',
    verification: 'string',
  },
  viewer_metadata: { mute: 'string', role: 'string' },
} as const;
const published = (type: string): Shape => ({
  success: ok,
  message_id: 'string',
  timestamp: 'time',
  newsletter: 'string',
  status_type: `=${type}`,
});
const rich = (metadata: Record<string, Shape>): Shape => ({
  success: ok,
  message_id: 'string',
  timestamp: 'time',
  status: '=sent',
  chat_jid: 'string',
  metadata: {
    device_id: 'string',
    user_id: 'string',
    processing_time_ms: 'number',
    sent_at: 'time',
    ...metadata,
  },
});
const simple = (message: string, further: Record<string, Shape> = {}): Shape => ({
  success: ok,
  message_id: 'string',
  timestamp: 'time',
  message: `=${message}`,
  ...further,
});
const found = { mentions_processed: 'number', quoted_message_found: 'boolean' };
const presence = { presence_sent: 'boolean', presence_duration_seconds: 'number' };
const receipt = (kind: string): Shape => ({
  success: ok,
  chat_jid: 'string',
  'sender_jid?': 'string',
  message_ids: ['string'],
  receipt_type: `=${kind}`,
  timestamp: 'time',
});
const blockChange = (action: string): Shape => ({
  success: ok,
  data: {
    jid: 'string',
    'phone_number?': 'string',
    action: `=${action}`,
    blocked: 'boolean',
    count: 'number',
    dhash: 'string',
  },
});
const done = (message: string): Shape => ({ success: ok, message: `=${message}` });
const forDevice = (message: string): Shape => ({
  success: ok,
  data: { message: `=${message}`, device_id: 'string' },
});

const group = {
  jid: 'string',
  name: 'string',
  'topic?': 'string',
  owner: 'string',
  created_at: 'time',
  is_announce: 'boolean',
  is_locked: 'boolean',
  join_approval: 'boolean',
  members_count: 'number',
};
const participant = {
  jid: 'string',
  'phone_number?': 'string',
  is_admin: 'boolean',
  is_super_admin: 'boolean',
};

const chatDone = { success: ok, chat_jid: 'string' };

export const DOCUMENTED: Readonly<Record<string, Shape>> = {
  getChats: {
    success: ok,
    chats: [
      {
        jid: 'string',
        type: 'string',
        name: 'string',
        pinned: 'boolean',
        archived: 'boolean',
        'muted_until?': 'time',
        participant_count: 'number',
      },
    ],
    count: 'number',
  },
  archiveChat: { ...chatDone, archived: 'boolean' },
  muteChat: { ...chatDone, muted: 'boolean', 'duration_seconds?': 'number' },
  pinChat: { ...chatDone, pinned: 'boolean' },
  unpinChat: { ...chatDone, pinned: 'boolean' },
  sendChatTyping: { ...chatDone, state: '=composing', media: '=text' },
  updateChatDisappearing: {
    ...chatDone,
    'preset?': 'string',
    seconds: 'number',
    timestamp: 'time',
  },
  sendPresence: { success: ok, state: '=available' },
  subscribePresence: { success: ok, subject_jid: 'string' },
  listGroups: { success: ok, groups: [group] },
  createCommunity: { success: ok, community: {} },
  addCommunityParticipants: { success: ok, jid: 'string', action: 'string', participants: [{}] },
  removeCommunityParticipants: { success: ok, jid: 'string', action: 'string', participants: [{}] },
  joinGroup: { success: ok, pending_approval: 'boolean', group_jid: 'string' },
  getGroup: { success: ok, group: { ...group, participants: [participant] } },
  createGroup: { success: ok, group: { ...group, participants: [participant] } },
  updateGroup: { success: ok, group },
  addGroupParticipants: { success: ok, participants: [participant] },
  removeGroupParticipants: { success: ok, participants: [participant] },
  getGroupInviteLink: { success: ok, group_jid: 'string', invite_link: 'string' },
  resetGroupInviteLink: { success: ok, group_jid: 'string', invite_link: 'string', reset_at: 'time' },
  leaveGroup: { success: ok },
  setGroupPicture: { success: ok, picture_id: 'string' },
  setGroupEphemeral: { success: ok, duration_seconds: 'number' },
  createDevice: {
    success: ok,
    message: '=Device created successfully',
    device,
    data: { device_id: 'string', name: 'string' },
  },
  listDevices: {
    success: ok,
    devices: [{ ...device, 'whatsapp_jid?': 'string', 'last_seen?': 'time', 'webhook_url?': 'string' }],
  },
  getMyDevices: {
    success: ok,
    data: {
      devices: [
        { id: 'string', name: 'string', connected: 'boolean', 'last_seen?': 'time', created_at: 'time' },
      ],
      count: 'number',
      user_id: 'string',
    },
  },
  disconnectDevice: done('Device disconnected'),
  generateSessionQrCode: {
    success: ok,
    data: { qr_code: 'string', image: 'string', cached: 'boolean', expires_at: 'time', ttl: 'number' },
  },
  getSessionQrStatus: { success: ok, data: { exists: 'boolean', 'generated_at?': 'time' } },
  generateSessionPairCode: {
    success: ok,
    data: {
      code: 'string',
      phone: 'string',
      expires_in: 'number',
      cached: 'boolean',
      instructions: 'string',
    },
  },
  checkSessionStatus: {
    success: ok,
    data: {
      connected: 'boolean',
      status: 'string',
      device_id: 'string',
      'jid?': 'string',
      'phone_number?': 'string',
      is_logged_in: 'boolean',
      'last_seen?': 'time',
    },
  },
  connectSession: { success: ok, data: { status: 'string', device_id: 'string', needs_qr: 'boolean' } },
  disconnectSession: forDevice('device disconnected successfully'),
  logoutInstance: forDevice('device logged out successfully'),
  checkContactsOnWhatsApp: { success: ok, data: {} },
  getContacts: {
    success: ok,
    count: 'number',
    contacts: [
      {
        jid: 'string',
        'first_name?': 'string',
        'full_name?': 'string',
        'push_name?': 'string',
        'business_name?': 'string',
      },
    ],
  },
  appstateSync: { success: ok, scopes: ['string'], full_sync: 'boolean' },
  blockContact: blockChange('block'),
  unblockContact: blockChange('unblock'),
  getBlocklist: {
    success: ok,
    data: { items: [{ jid: 'string', 'phone_number?': 'string' }], count: 'number', dhash: 'string' },
  },
  getContactProfile: {
    success: ok,
    data: {
      jid: 'string',
      user_info: { Status: 'string', PictureID: 'string', Devices: ['string'], 'VerifiedName?': {} },
      'business_profile?': {},
    },
  },
  getContactProfilePicture: {
    success: ok,
    data: { jid: 'string', url: 'string', id: 'string', type: 'string', direct_path: 'string' },
  },
  resolveContacts: {
    success: ok,
    count: 'number',
    items: [
      {
        input: 'string',
        input_jid: 'string',
        resolved_jid: 'string',
        jid: 'string',
        phone_number: 'string',
        'lid_jid?': 'string',
        'full_name?': 'string',
        'push_name?': 'string',
      },
    ],
  },
  sendText: rich({ ...presence, ...found }),
  sendTextMentions: rich({
    ...presence,
    mentions_processed: 'number',
    mention_all_applied: 'boolean',
    specific_mentions: 'number',
    silent_mentions: 'boolean',
    group_participants: 'number',
  }),
  sendImageMessage: rich({
    ...found,
    image_size_bytes: 'number',
    image_format: 'string',
    download_time_ms: 'number',
    upload_time_ms: 'number',
    view_once_enabled: 'boolean',
  }),
  sendVideoMessage: rich({
    ...found,
    video_size_bytes: 'number',
    video_format: 'string',
    video_duration_seconds: 'number',
    upload_time_ms: 'number',
    view_once_enabled: 'boolean',
    was_converted: 'boolean',
    has_custom_thumbnail: 'boolean',
    async_processing: 'boolean',
  }),
  sendAudioMessage: rich({
    ...found,
    audio_size_bytes: 'number',
    audio_format: 'string',
    audio_duration_seconds: 'number',
    conversion_time_ms: 'number',
    download_time_ms: 'number',
    upload_time_ms: 'number',
    ptt_enabled: 'boolean',
    conversion_applied: 'boolean',
    original_format: 'string',
    waveform_generated: 'boolean',
    async_processing: 'boolean',
  }),
  sendDocumentMessage: rich({
    ...found,
    document_size_bytes: 'number',
    mime_type: 'string',
    file_name: 'string',
  }),
  sendStickerMessage: simple('Sticker sent successfully', { is_animated: 'boolean' }),
  sendReaction: rich({ original_message_id: 'string', reaction_emoji: 'string' }),
  sendLocation: simple('Location sent successfully'),
  sendLiveLocation: simple('Live location sent successfully'),
  sendContact: simple('Contact sent successfully'),
  sendContacts: simple('Contacts sent successfully', { contact_count: 'number' }),
  sendPollMessage: simple('Poll sent successfully', { options_count: 'number', multiple_choice: 'boolean' }),
  sendButtonsMessage: simple('Buttons message sent successfully'),
  sendButtonsResponseMessage: simple('Buttons response sent successfully'),
  sendInteractiveListMessage: simple('Interactive list message sent successfully'),
  sendListResponseMessage: simple('List response sent successfully'),
  sendTemplateMessage: rich({}),
  sendProduct: rich({}),
  sendCatalog: rich({}),
  createNewsletter: { success: ok, newsletter },
  getNewsletterInfo: { success: ok, newsletter },
  getNewsletterInvite: { success: ok, jid: 'string', invite_code: 'string', invite_link: 'string' },
  getNewsletterMessages: {
    success: ok,
    messages: [
      {
        MessageServerID: 'number',
        MessageID: 'string',
        Type: 'string',
        Timestamp: 'string',
        ViewsCount: 'number',
        ReactionCounts: {},
      },
    ],
    count: 'number',
  },
  markNewsletterRead: { success: ok, newsletter: 'string', count: 'number' },
  sendNewsletterMedia: published('image'),
  sendNewsletterMessage: published('text'),
  subscribeNewsletter: { success: ok, jid: 'string', subscribed: 'boolean' },
  postStatusText: { success: ok, message_id: 'string', timestamp: 'time', status_type: '=text' },
  postStatusMedia: {
    success: ok,
    message_id: 'string',
    timestamp: 'time',
    status_type: '=image',
    mime_type: 'string',
  },
  getStatusPrivacy: { success: ok, lists: [{ type: 'string', default: 'boolean', list: ['string'] }] },
  updateStatusPrivacy: { success: ok, type: 'string', count: 'number', list: ['string'] },
  requestPayment: simple('Payment request sent successfully', { amount: 'string' }),
  cancelPayment: simple('Payment request cancelled successfully'),
  declinePayment: simple('Payment request declined successfully'),
  sendPaymentNotification: simple('Payment notification sent successfully'),
  editMessage: simple('Message edited successfully'),
  deleteMessage: {
    success: ok,
    message_id: 'string',
    deleted_at: 'time',
    delete_type: 'string',
    chat_jid: 'string',
    metadata: {
      time_elapsed_minutes: 'number',
      within_time_limit: 'boolean',
      'reason?': 'string',
      processing_time_ms: 'number',
    },
  },
  getMessageStatus: {
    success: ok,
    message_id: 'string',
    chat_jid: 'string',
    is_group: 'boolean',
    status: 'string',
    'delivered_at?': 'time',
    'read_at?': 'time',
    'played_at?': 'time',
  },
  markMessageRead: receipt('read'),
  markMessageDelivered: receipt('delivered'),
  requestMessageRetry: receipt('retry'),
  requestMessageHistory: {
    success: ok,
    message: '=History sync requested. Messages will be delivered via webhook (event: history.sync).',
    chat_jid: 'string',
    requested_count: 'number',
  },
  createUser: {
    success: ok,
    user: { ...user, token: 'string' },
    webhook_configured: 'boolean',
    'webhook_url?': 'string',
    'note?': 'string',
  },
  // Tokens in lists are a deliberate deviation.
  listUsers: { success: ok, users: [user] },
  getUserById: { success: ok, data: user },
  updateUser: done('User updated successfully'),
  promoteUser: {
    success: ok,
    message: '=User role updated successfully',
    data: { user_id: 'string', old_role: 'string', new_role: 'string' },
  },
  deleteUser: done('User permanently deleted'),
  superAdminRegisterTenant: {
    success: ok,
    user: { ...user, token: 'string' },
    tenant,
    token: 'string',
    webhook_configured: 'boolean',
    'webhook_url?': 'string',
    'note?': 'string',
  },
  superAdminListTenants: { success: ok, tenants: [tenant] },
  superAdminGetTenant: { success: ok, data: tenant },
  superAdminDeleteTenant: {
    success: ok,
    message: '=Tenant and all related data permanently deleted',
    data: { tenant_id: 'string', tenant_name: 'string', deleted_at: 'time' },
  },
  rejectCall: { success: ok },
  getPrivacySettings: {
    success: ok,
    data: {
      GroupAdd: 'string',
      LastSeen: 'string',
      Status: 'string',
      Profile: 'string',
      ReadReceipts: 'string',
      CallAdd: 'string',
      Online: 'string',
      Messages: 'string',
      Defense: 'string',
      Stickers: 'string',
    },
  },
  setProfilePicture: { success: ok, picture_id: 'string' },
  getTenantProxy: {
    success: ok,
    'tenant_proxy?': { proxy_url: 'string', updated_at: 'time' },
    device_overrides: [{ device_id: 'string', proxy_url: 'string', updated_at: 'time' }],
  },
  setTenantProxy: { success: ok, scope: '=tenant', proxy_url: 'string', reconnecting_devices: 'number' },
  deleteTenantProxy: { success: ok, scope: '=tenant', deleted: 'boolean', reconnecting_devices: 'number' },
  getDeviceProxy: {
    success: ok,
    device_id: 'string',
    'override?': { proxy_url: 'string', updated_at: 'time' },
    effective: { 'proxy_url?': 'string', source: 'string' },
  },
  setDeviceProxy: {
    success: ok,
    scope: '=device',
    device_id: 'string',
    proxy_url: 'string',
    reconnect: 'string',
  },
  deleteDeviceProxy: {
    success: ok,
    scope: '=device',
    device_id: 'string',
    deleted: 'boolean',
    reconnect: 'string',
  },
  configureWebhook: { success: ok, message: '=Webhook configured successfully', webhook },
  getWebhook: { success: ok, webhook },
  deleteWebhook: done('Webhook configuration deleted successfully'),
  getAvailableWebhookEvents: { success: ok, events: ['string'] },
  setUserWebhookURL: {
    success: ok,
    message:
      '=Webhook URL configured. It will be automatically applied to new devices with ALL available events',
    data: { webhook_url: 'string', available_events: ['string'], events_count: 'number' },
  },
};

const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)$/;

/** Where a value is not as documented. */
export function differences(shape: Shape, value: unknown, place = 'answer'): string[] {
  if (typeof shape === 'string')
    return isOf(shape, value) ? [] : [`${place} is ${show(value)}, not ${shape}`];
  if (Array.isArray(shape)) {
    const [each] = shape as readonly [Shape];
    if (!Array.isArray(value)) return [`${place} is ${show(value)}, not a list`];
    return value.flatMap((item, index) => differences(each, item, `${place}.${index}`));
  }
  if (typeof value !== 'object' || value === null) return [`${place} is ${show(value)}, not an object`];
  const given = value as Record<string, unknown>;
  return Object.entries(shape).flatMap(([member, of]) => {
    const optional = member.endsWith('?');
    const name = optional ? member.slice(0, -1) : member;
    if (optional && (given[name] ?? null) === null) return [];
    return differences(of, given[name], `${place}.${name}`);
  });
}

function isOf(type: string, value: unknown): boolean {
  if (type.startsWith('=')) return value === type.slice(1);
  if (type === 'true') return value === true;
  if (type === 'time') return typeof value === 'string' && TIME.test(value);
  return typeof value === type;
}

function show(value: unknown): string {
  return (JSON.stringify(value) ?? 'missing').slice(0, 80);
}
