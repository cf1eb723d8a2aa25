/** What a label may be. */

/** Characters of a name: what the apps take. */
export const LONGEST_NAME = 100;

/** The last place of the apps' palette (Baileys Types/Label.js `LabelColor`). */
export const HIGHEST_COLOR = 19;
