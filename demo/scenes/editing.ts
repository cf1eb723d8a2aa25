import type { Stage } from '../stage.ts';
import { check, until } from '../surprise.ts';

/** Carla's phone shows the new text; what cannot be edited is refused by name. */
export async function editing(stage: Stage): Promise<void> {
  const { carla, shop, shopApi, facts } = stage;
  const body = (message: string) => ({ to: carla.number, message });

  await shopApi.put(`/messages/${facts.textId}`, body('Yes, two left. Shall I keep one?'));
  const shown = await until('the new text is on the phone', () => {
    const line = carla.conversation(shop.jid).find((message) => message.id === facts.textId);
    return line?.edited && line;
  });
  check("Carla's phone shows the new text", shown.text, 'Yes, two left. Shall I keep one?');

  const hers = stage.received('image').id;
  const another = await shopApi.put(`/messages/${hers}`, body('mine now'), 404);
  check("not another's message", another.body.error_code, 'MESSAGE_NOT_FOUND');
  const unknown = await shopApi.put('/messages/3EB0F8A1B2C3D4E5F6', body('hello?'), 404);
  check('not an unknown one', unknown.body.error_code, 'MESSAGE_NOT_FOUND');
  const spoken = await shopApi.put(`/messages/${facts.voiceId}`, body('words'), 409);
  check('not a voice note', spoken.body.error_code, 'NOT_EDITABLE');
}
