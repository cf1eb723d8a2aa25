import { scene } from '../printer.ts';
import type { Stage } from '../stage.ts';
import { check } from '../surprise.ts';

/** The shop links by QR, the bakery by pair code. */
export async function linking(stage: Stage): Promise<void> {
  const { master, shop, bakery } = stage;

  const registered = await master.post('/register', tenant('shop'), 201);
  const api = stage.admit('shop', registered.body.token);
  stage.facts.userId = registered.body.user.id;
  const created = await api.post('/devices', { name: 'counter' }, 201);
  const deviceId: string = created.body.device.id;
  stage.facts.deviceId = deviceId;
  const qr = await api.get(`/qr?device_id=${deviceId}`);
  const first: string = qr.body.data.qr_code;
  scene("the shop's phone scans it; WhatsApp retires the QR's secret, as it does since July 2026");
  const refusal = await shop.scanQr(first).then(
    () => 'linked',
    (error: { reason?: string }) => error.reason,
  );
  check('the first scan is refused', refusal, 'adv_secret_retired');
  const next = await api.poll(`/qr?device_id=${deviceId}`, 'a QR with a new secret is shown', (got) => {
    return got.body.data.qr_code !== first;
  });
  scene('the phone scans the new one');
  await shop.scanQr(next.body.data.qr_code);
  const status = await api.poll('/status', 'the shop is connected', (got) => got.body.data.connected);
  check("connected, with the phone's number", status.body.data.phone_number, shop.number);

  const second = await master.post('/register', tenant('bakery'), 201);
  const other = stage.admit('bakery', second.body.token);
  const code = await other.post('/paircode', { phone: '+55 (11) 99999-0002' });
  scene(`the bakery's phone types ${code.body.data.code}`);
  await bakery.enterPairCode(code.body.data.code);
  const linked = await other.poll('/status', 'the bakery is connected', (got) => got.body.data.connected);
  check('connected by pair code', linked.body.data.phone_number, bakery.number);
}

function tenant(name: string) {
  return { tenant_name: name, email: `admin@${name}.example`, password: 'correct horse battery' };
}
