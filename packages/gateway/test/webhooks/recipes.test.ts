/** The recipe of docs/webhooks.md that Node runs. */
import { join } from 'node:path';
import { recipesHold } from './recipe-verdicts.ts';

recipesHold([
  {
    name: 'typescript',
    file: 'recipe.ts',
    driver: {
      file: 'driver.ts',
      code: `import { readFileSync } from 'node:fs';
import { verifySignature, verifyStandard } from './recipe.ts';
const deliveries = JSON.parse(readFileSync(0, 'utf8'));
console.log(JSON.stringify(deliveries.map(({ headers, body, secret }) =>
  [verifyStandard(headers, body, secret), verifySignature(body, secret)])));`,
    },
    run: (folder) => [process.execPath, join(folder, 'driver.ts')],
  },
]);
