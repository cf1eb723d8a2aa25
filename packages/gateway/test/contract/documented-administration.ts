/** Documented answers about users, tenants, proxies, webhooks and what an account shows of itself. */
import type { Shape } from './shape.ts';

export const ok = 'true';
export const device = {
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
export const done = (message: string): Shape => ({ success: ok, message: `=${message}` });

export const ADMINISTRATION: Readonly<Record<string, Shape>> = {
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
