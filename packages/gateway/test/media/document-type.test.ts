import { expect, test } from 'vitest';
import { documentType } from '../../src/media/outgoing/document-type.ts';

const DOCX = 'application/vnd.openxmlformats-officedocument.wordprocessingml.document';
const ZIP = 'application/zip';
const BYTES = 'application/octet-stream';

/** What is declared, what the first bytes say, the name of the file, what the caller says, and the type of it all. */
test.each<[string | null, string | null, string, string | undefined, string | null]>([
  // The caller's word counts, unless it says nothing.
  ['image/png', 'image/png', 'a.png', 'application/pdf', 'application/pdf'],
  ['image/png', 'image/png', 'a.png', 'Text/CSV; charset=utf-8', 'Text/CSV; charset=utf-8'],
  ['image/png', null, 'a.png', BYTES, 'image/png'],
  ['image/png', null, 'a.png', ' Application/Octet-Stream ; x=1', 'image/png'],
  ['image/png', null, 'a.png', '', 'image/png'],
  ['image/png', null, 'a.png', ' ; x=1', 'image/png'],
  // Then what was declared.
  ['application/pdf', 'image/png', 'a.png', undefined, 'application/pdf'],
  [BYTES, 'image/png', 'a.pdf', undefined, 'image/png'],
  ['multipart/form-data', 'image/png', '', undefined, 'image/png'],
  ['application/x-download', 'image/png', '', undefined, 'image/png'],
  ['application/force-download', 'image/png', '', undefined, 'image/png'],
  ['application/unknown', 'image/png', '', undefined, 'image/png'],
  ['text/plain', 'image/png', '', undefined, 'image/png'],
  // Of an office file the container alone may be known.
  [ZIP, ZIP, 'a.docx', undefined, DOCX],
  [ZIP, DOCX, 'a', undefined, DOCX],
  [null, ZIP, 'a.docx', undefined, DOCX],
  [null, ZIP, 'a.zip', undefined, ZIP],
  [null, ZIP, 'a.png', undefined, ZIP],
  ['application/x-zip-compressed', ZIP, 'a', undefined, 'application/x-zip-compressed'],
  [null, 'application/x-cfb', 'a.doc', undefined, 'application/msword'],
  [null, 'application/xml', 'a.svg', undefined, 'image/svg+xml'],
  [null, 'application/xml', 'a.html', undefined, 'text/html'],
  [null, 'application/xml', 'a.xml', undefined, 'application/xml'],
  [null, 'application/xml', 'a.png', undefined, 'application/xml'],
  [null, 'application/pdf', 'a.docx', undefined, 'application/pdf'],
  // Then the extension.
  [null, null, 'a.csv', undefined, 'text/csv'],
  ['text/plain', null, 'a.csv', undefined, 'text/csv'],
  ['text/plain', null, 'a', undefined, 'text/plain'],
  [null, null, 'pdf', undefined, null],
  [null, null, 'a.', undefined, null],
  [null, null, 'a.ts', undefined, null],
  [null, null, 'a.mp3', undefined, null],
  [null, null, 'a.nothing', undefined, null],
])('declared %j, known %j, named %j, said %j: %j', (declaredType, detectedType, name, said, type) => {
  expect(documentType({ declaredType, detectedType }, name, said)).toBe(type);
});
