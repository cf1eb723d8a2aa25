import { jidDecode, jidNormalizedUser, type SignalKeyStore } from '../library.ts';
import type { LidDirectory } from '../parse/message-source.ts';

/**
 * Who is who by what is stored, without asking the server: the library's own look-up of an unknown number is
 * a query each, and a history names thousands. Key type and ids are those of the library
 * (lid-mapping.js: the number's digits, and `<LID digits>_reverse`).
 */
export function storedLids(keys: SignalKeyStore): LidDirectory {
  const find = async (id: string): Promise<string | null> => {
    const found = await keys.get('lid-mapping', [id]);
    return found[id] ?? null;
  };
  return {
    async getLIDForPN(pn) {
      const lid = await find(userOf(pn));
      return lid ? jidNormalizedUser(`${lid}@lid`) : null;
    },
    async getPNForLID(lid) {
      const pn = await find(`${userOf(lid)}_reverse`);
      return pn ? jidNormalizedUser(`${pn}@s.whatsapp.net`) : null;
    },
  };
}

function userOf(jid: string): string {
  return jidDecode(jid)?.user ?? '';
}
