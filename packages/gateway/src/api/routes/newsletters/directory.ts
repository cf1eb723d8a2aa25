/** Tag `newsletters`: channels that everybody may find. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { DEVICE_FAILURES } from '../../../devices/choice.ts';
import { invalidField } from '../../../errors.ts';
import { NEWSLETTER_FAILURES, type Newsletters } from '../../../newsletters/newsletters.ts';
import { DIRECTORY_VIEWS } from '../../../whatsapp/port/newsletters.ts';
import { stated } from '../../description/stated.ts';
import { DeviceHeaders, DeviceId } from '../../request/device.ts';
import { failures } from '../../request/failures.ts';
import { opaqueInQuery } from '../../request/given.ts';
import { nextPage } from '../../request/page.ts';
import { OneOf } from '../../schemas.ts';
import { tags, whose } from './channels.ts';
import { NewsletterAnswer, newsletterAnswer } from './schemas.ts';

/** As the apps ask (zapo client/newsletter/discovery.ts). */
const USUAL_PAGE = 25;
const LARGEST_PAGE = 100;
/** Letters of a country: ISO 3166-1. */
const COUNTRY = /^[A-Z]{2}$/;

const SearchQuery = Type.Object({
  q: Type.Optional(
    Type.String({ maxLength: 200, description: 'What the name shall have in it', examples: ['news'] }),
  ),
  view: Type.Optional(
    OneOf(DIRECTORY_VIEWS, { description: 'Without `q`: which list. Default `recommended`' }),
  ),
  country: Type.Optional(
    stated(
      Type.String({ description: 'Without `q`: of which countries, two letters each', examples: ['BR,PT'] }),
      { pattern: '^ *[A-Za-z]{2} *(, *[A-Za-z]{2} *){0,19}$' },
    ),
  ),
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: LARGEST_PAGE, default: USUAL_PAGE })),
  cursor: Type.Optional(
    opaqueInQuery({
      maxLength: 2000,
      description: '`next_cursor` of the answer before, with the same search',
    }),
  ),
  device_id: DeviceId,
});

export const directoryRoutes: FastifyPluginAsyncTypebox<{ newsletters: Newsletters }> = async (
  app,
  { newsletters },
) => {
  app.get(
    '/newsletters/search',
    {
      schema: {
        tags,
        headers: DeviceHeaders,
        operationId: 'searchNewsletters',
        summary: 'Find channels in the public directory',
        description:
          "By a word of their name, or one of WhatsApp's lists. Of each it says what there is to know without " +
          'following it: `state.type` is empty and `viewer_metadata` is null.',
        querystring: SearchQuery,
        response: {
          200: Type.Object({
            success: Type.Literal(true),
            newsletters: Type.Array(NewsletterAnswer),
            count: Type.Integer(),
            ...nextPage,
          }),
          ...failures(...DEVICE_FAILURES, ...NEWSLETTER_FAILURES),
        },
      },
    },
    async (request) => {
      const { q: text, view = 'recommended', country, limit = USUAL_PAGE, cursor = null } = request.query;
      const what = text ? { text } : { view, countries: countriesIn(country) };
      const page = await newsletters.search(whose(request), { what, limit, cursor });
      return {
        success: true as const,
        newsletters: page.newsletters.map(newsletterAnswer),
        count: page.newsletters.length,
        next_cursor: page.next,
      };
    },
  );
};

function countriesIn(text: string | undefined): string[] {
  if (text === undefined) return [];
  const countries = text.split(',', 21).map((each) => each.trim().toUpperCase());
  if (countries.length <= 20 && countries.every((each) => COUNTRY.test(each))) return countries;
  throw invalidField('country', 'must be up to 20 codes of countries, such as BR,PT', text);
}
