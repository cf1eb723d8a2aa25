import type { Phone } from '@wuts/sandbox';
import { type Api, MASTER_TOKEN, until, World } from '../end-to-end/harness.ts';
import { jpeg, mp4, oggOpus, pdf, webp } from '../end-to-end/samples.ts';
import { Receiver } from '../webhooks/receiver.ts';
import { startProxy, type TestProxy } from '../worlds/proxies.ts';
import { setChannel } from './channel-cast.ts';
import type { Operation } from './operations.ts';

export type CallerName = 'none' | 'garbage' | 'user' | 'admin' | 'master';

export const PASSWORD = 'a-password-that-never-comes-back';
export const UNKNOWN_TOKEN = 'a-token-that-nobody-has-0123456789';

/** A tenant with an admin and a plain user, and what generated requests may call its own. */
interface Company {
  guardianToken: string;
  adminToken: string;
  userToken: string;
  names: Record<string, string>;
}

/**
 * The people and things that generated requests speak of. A request says `<name>` where the thing's id,
 * number or file goes: ids change when requests destroy what they name, and a counterexample stays readable.
 * The office sends messages; what requests may break (users, tokens, links, webhooks) is of the playground.
 */
export class Cast {
  readonly world: World;
  readonly #receiver: Receiver;
  readonly #proxy: TestProxy;
  readonly #office: Company;
  readonly #playground: Company;
  readonly #phones: { shop: Phone; contact: Phone };

  private constructor(
    world: World,
    { receiver, proxy }: { receiver: Receiver; proxy: TestProxy },
    office: Company,
    playground: Company,
    phones: { shop: Phone; contact: Phone },
  ) {
    this.world = world;
    this.#receiver = receiver;
    this.#proxy = proxy;
    this.#office = office;
    this.#playground = playground;
    this.#phones = phones;
  }

  static async create(): Promise<Cast> {
    const world = await World.create({
      settings: { WUTS_ALLOW_NETWORKS: '127.0.0.0/8', WUTS_PACE_PER_MINUTE: '0' },
    });
    const receiver = await Receiver.start();
    const proxy = await startProxy('http');
    const { sandbox } = world;
    const phones = {
      shop: await sandbox.createPhone({ number: '5511999995001', name: 'Shop' }),
      // Whom the examples of the document write to.
      contact: await sandbox.createPhone({ number: '5511999999999', name: 'Contact' }),
      spare: await sandbox.createPhone({ number: '5511999995003', name: 'Spare' }),
    };
    const files = {
      jpeg: (await jpeg(80, 80)).toString('base64'),
      webp: (await webp()).toString('base64'),
      mp4: mp4(100).toString('base64'),
      ogg: oggOpus(100).toString('base64'),
      pdf: `data:application/pdf;base64,${pdf(100).toString('base64')}`,
    };
    const shared = {
      ...files,
      contact: phones.contact.number,
      group: (await phones.shop.createGroup('Team', [phones.contact])).jid,
      community: (await phones.shop.createCommunity('Street')).jid,
      invite: await phones.contact.groupInvite(await phones.contact.createGroup('Open', [])),
      contactJid: phones.contact.jid,
      spareNumber: phones.spare.number,
      password: PASSWORD,
      hookUrl: receiver.url,
      proxyUrl: proxy.url,
    };
    await phones.shop.becomeBusiness({ name: 'Shop' });
    const [office, playground] = await Promise.all([
      company(world, 'office', shared),
      company(world, 'playground', shared),
    ]);
    office.names.device = await world.linkByQr(office.adminToken, phones.shop);
    for (const phone of [phones.contact, phones.shop]) await phone.setPicture(await jpeg(80, 80));
    await exchange(world, office, phones);
    const spareDevice = await world.linkByQr(playground.adminToken, phones.spare);
    const created = await world.as(playground.adminToken).post('/devices', { name: 'never linked' });
    Object.assign(playground.names, { device: spareDevice, newDevice: created.body.device.id });
    for (const each of [office, playground]) await publish(world, each);
    await trade(world, office, phones);
    const cast = new Cast(world, { receiver, proxy }, office, playground, phones);
    await cast.#sendLater();
    await cast.#label();
    await cast.#anotherTenant();
    await cast.#replaceWebhooks();
    await cast.#delivery();
    return cast;
  }

  async destroy(): Promise<void> {
    await this.world.destroy();
    await this.#receiver.stop();
    await this.#proxy.stop();
  }

  /** A copy with every `<name>` replaced, in texts and inside of objects. */
  fill<T>(value: T, inPlayground: boolean): T {
    const { names } = inPlayground ? this.#playground : this.#office;
    return JSON.parse(JSON.stringify(value), (_key, each: unknown) =>
      typeof each === 'string'
        ? each.replace(/<(\w+)>/g, (whole, name: string) =>
            Object.hasOwn(names, name) ? (names[name] ?? whole) : whole,
          )
        : each,
    );
  }

  token(caller: CallerName, inPlayground: boolean): string | null {
    const { adminToken, userToken } = inPlayground ? this.#playground : this.#office;
    return { none: null, garbage: UNKNOWN_TOKEN, user: userToken, admin: adminToken, master: MASTER_TOKEN }[
      caller
    ];
  }

  /** Before a request: what it speaks of is in the state that it is good for. */
  ready(operation: Operation): void {
    if (operation.tag !== 'newsletters') return;
    const { shop: owner, contact: other } = this.#phones;
    setChannel(this.world, operation, { jid: this.#office.names.newsletter ?? '', owner, other });
  }

  /** Makes good what a request has destroyed. */
  async mend(
    operation: string,
    answer: {
      body: {
        data?: { user_id?: string; token?: string };
        webhook?: { id: string };
        message_id?: string;
        group_jid?: string;
      };
    },
  ): Promise<void> {
    if (operation === 'cancelSendJob' || operation === 'cancelBulk') await this.#sendLater();
    if (operation === 'joinGroup') await this.#phones.shop.leaveGroup({ jid: answer.body.group_jid ?? '' });
    if (operation === 'leaveGroup') await this.#replaceGroup();
    if (operation === 'clearChat' || operation === 'deleteChat') {
      await exchange(this.world, this.#office, this.#phones);
      await trade(this.world, this.#office, this.#phones);
    }
    // Who is blocked could not write what other requests speak of.
    if (operation === 'blockContact') await this.#phones.shop.unblock(this.#phones.contact);
    if (operation === 'deleteLabel') await this.#label();
    if (/^deleteNewsletter/.test(operation)) await publish(this.world, this.#office);
    if (operation === 'deleteMessage') await this.#replaceMessage(answer.body.message_id);
    const { names } = this.#playground;
    if (operation === 'superAdminDeleteTenant') await this.#anotherTenant();
    if (operation === 'rotateUserToken') {
      const { user_id: id, token = '' } = answer.body.data ?? {};
      if (id === names.admin) this.#playground.adminToken = token;
      if (id === names.user) this.#playground.userToken = token;
    }
    if (operation === 'deleteUser') await this.#replaceDeletedUsers();
    if (operation === 'updateUser' || operation === 'promoteUser') {
      for (const [name, role] of Object.entries({ admin: 'admin', user: 'user', victim: 'user' })) {
        await this.#guardian.put(`/users/${names[name]}`, { active: true, role });
      }
    }
    if (operation === 'disconnectDevice' || operation === 'disconnectSession') {
      await this.#guardian.post(`/connect?device_id=${names.device}`);
    }
    if (/^set(Device|Tenant)Proxy$/.test(operation)) await this.#goDirectly();
    if (operation === 'removeProfilePicture') await this.#phones.shop.setPicture(await jpeg(80, 80));
    if (operation === 'createWebhook') await this.#guardian.delete(`/webhooks/${answer.body.webhook?.id}`);
    if (/^(configure|update|delete)Webhook/.test(operation)) await this.#replaceWebhooks();
  }

  async #replaceGroup(): Promise<void> {
    const { shop, contact } = this.#phones;
    this.#office.names.group = (await shop.createGroup('Team', [contact])).jid;
  }

  /** An admin whom no request can name, so that none takes its rights away. */
  get #guardian(): Api {
    return this.world.as(this.#playground.guardianToken);
  }

  get #webhook() {
    return { webhook_url: this.#receiver.url, enabled_events: ['message.received'], enabled: true };
  }

  async #replaceWebhooks(): Promise<void> {
    const { names } = this.#playground;
    const byDefault = await this.#guardian.post(`/webhook?device_id=${names.device}`, this.#webhook);
    names.defaultWebhook = byDefault.body.webhook.id;
    const kept = await this.#guardian.put(`/webhooks/${names.webhook}`, this.#webhook);
    if (kept.status === 200) return;
    const made = await this.#guardian.post(`/webhooks?device_id=${names.device}`, this.#webhook);
    names.webhook = made.body.webhook.id;
  }

  async #goDirectly(): Promise<void> {
    const { names } = this.#playground;
    await this.#guardian.delete('/proxy');
    for (const device of [names.device, names.newDevice])
      await this.#guardian.delete(`/devices/${device}/proxy`);
    await this.#guardian.post(`/connect?device_id=${names.device}`);
  }

  /** A delivery of a webhook that no request can name, so that none takes both away. */
  async #delivery(): Promise<void> {
    const { names } = this.#playground;
    const made = await this.#guardian.post(`/webhooks?device_id=${names.device}`, this.#webhook);
    const tried = await this.#guardian.post('/webhook/test', { endpoint_id: made.body.webhook.id });
    names.delivery = tried.body.delivery_id;
  }

  async #replaceDeletedUsers(): Promise<void> {
    const { names } = this.#playground;
    for (const name of ['user', 'victim']) {
      if ((await this.#guardian.get(`/users/${names[name]}`)).status === 200) continue;
      const token = await addUser(this.world, this.#playground, name);
      if (name === 'user') this.#playground.userToken = token;
    }
  }

  /** What is sent in a month can be asked for and cancelled. */
  async #sendLater(): Promise<void> {
    const { names, adminToken } = this.#office;
    const api = this.world.as(adminToken);
    const message = { number: names.contact, text: 'later' };
    const send_at = new Date(Date.now() + 30 * 24 * 3600_000).toISOString();
    names.job = (await api.post('/send/text', { ...message, send_at })).body.job_id;
    const bulk = await api.post('/bulk', { messages: [{ type: 'text', ...message }], send_at });
    names.bulk = bulk.body.bulk.id;
  }

  async #label(): Promise<void> {
    const { names, adminToken } = this.#office;
    const made = await this.world.as(adminToken).post('/labels', { name: 'Paid' });
    names.label = made.body.label.id;
  }

  /** Sends another one in the place of a text that was deleted. */
  async #replaceMessage(id: string | undefined): Promise<void> {
    const { names, adminToken } = this.#office;
    const api = this.world.as(adminToken);
    for (const name of ['sentText', 'doomedText'].filter((each) => names[each] === id)) {
      const sent = await api.post('/send/text', { number: names.contact, text: 'another' });
      names[name] = sent.body.message_id;
    }
    if (names.receivedText === id) names.receivedText = await this.#receiveText();
  }

  async #receiveText(): Promise<string> {
    const { contact, shop } = this.#phones;
    const { id } = await contact.sendText(shop.number, 'another');
    await until('the text is there', async () => {
      const answer = await this.world.as(this.#office.adminToken).get(`/messages/${id}/media`);
      return answer.body?.error_code === 'MEDIA_NOT_FOUND';
    });
    return id;
  }

  /** Registers the tenant that the next deletion may take. */
  async #anotherTenant(): Promise<void> {
    const answer = await this.world.master.post('/register', {
      tenant_name: 'doomed',
      email: `${crypto.randomUUID()}@doomed.example`,
      password: PASSWORD,
    });
    this.#playground.names.tenant = answer.body.tenant.id;
  }
}

async function company(world: World, name: string, shared: Record<string, string>): Promise<Company> {
  const guardianToken = await world.tenant(name);
  const made: Company = { guardianToken, adminToken: '', userToken: '', names: { ...shared } };
  made.adminToken = await addUser(world, made, 'admin', 'admin');
  made.userToken = await addUser(world, made, 'user');
  await addUser(world, made, 'victim');
  return made;
}

/** A product of theirs, and an order of it that came. */
async function trade(
  world: World,
  { adminToken, names }: Company,
  { shop, contact }: { shop: Phone; contact: Phone },
): Promise<void> {
  const product = { id: '5550001', name: 'Hat', price: 19_900, currency: 'BRL' };
  world.sandbox.stock(shop, { products: [product] });
  const { id, token } = world.sandbox.placeOrder(shop, [{ product, quantity: 1 }]);
  const sent = await contact.sendRaw(shop.number, {
    orderMessage: { orderId: id, token, sellerJid: shop.jid },
  });
  Object.assign(names, { product: product.id, order: id, orderToken: token, orderMessage: sent.id });
  await until(
    'the order is there',
    async () => (await world.as(adminToken).get(`/messages/${sent.id}`)).status === 200,
  );
}

/** A channel of theirs with a post, and a story. */
async function publish(world: World, { adminToken, names }: Company): Promise<void> {
  const api = world.as(adminToken);
  const { jid } = (await api.post('/newsletters', { name: 'Offers' })).body.newsletter;
  const post = await api.post(`/newsletters/${jid}/messages`, { text: 'hello' });
  const story = await api.post('/status/text', { text: 'hello', audience: [names.contact] });
  Object.assign(names, { newsletter: jid, post: post.body.message_id, story: story.body.message_id });
}

async function addUser(world: World, to: Company, name: string, role = 'user'): Promise<string> {
  const email = `${crypto.randomUUID()}@people.example`;
  const answer = await world.as(to.guardianToken).post('/users', { email, password: PASSWORD, role });
  to.names[name] = answer.body.user.id;
  return answer.body.user.token;
}

/** One message of each sort that operations on messages can meet. */
async function exchange(
  world: World,
  office: Company,
  { shop, contact }: { shop: Phone; contact: Phone },
): Promise<void> {
  const api = world.as(office.adminToken);
  const text = await api.post('/send/text', { number: contact.number, text: 'hello' });
  const doomed = await api.post('/send/text', { number: contact.number, text: 'bye' });
  const options = [{ option_name: 'a' }, { option_name: 'b' }];
  const poll = await api.post('/send/poll', { number: contact.number, question: 'Which?', options });
  const image = await api.post('/send/image', { number: contact.number, image: office.names.jpeg });
  const got = await contact.sendImage(shop.number, { bytes: await jpeg() });
  const gotText = await contact.sendText(shop.number, 'hello');
  const gotStory = await contact.stories.postText('hello', { to: [shop] });
  await until('the story is there', async () => (await api.get(`/stories/${gotStory.id}`)).status === 200);
  const media = await until('the picture is there', async () => {
    const answer = await api.get(`/messages/${got.id}/media`);
    return answer.status === 200 && answer;
  });
  await until(
    'the text is there',
    async () => (await api.get(`/messages/${gotText.id}/media`)).body?.error_code === 'MEDIA_NOT_FOUND',
  );
  contact.answersRetries = false;
  const garbled = await contact.sendText(shop.number, 'nobody can read this', { corrupt: true });
  await until('the message nobody can read is there', async () => {
    const { events } = (await api.get('/events?event=message.undecryptable')).body;
    return events.some(({ data }: { data: { message_id: string } }) => data.message_id === garbled.id);
  });
  Object.assign(office.names, {
    undecryptable: garbled.id,
    sentText: text.body.message_id,
    doomedText: doomed.body.message_id,
    poll: poll.body.message_id,
    sentImage: image.body.message_id,
    receivedImage: got.id,
    receivedText: gotText.id,
    contactStory: gotStory.id,
    etag: media.headers.get('etag'),
  });
}
