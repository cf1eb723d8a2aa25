// Signs WhatsApp's passkey challenge. For the console of https://web.whatsapp.com, and nowhere else.
await (async (options, put) => {
  if (location.origin !== 'https://web.whatsapp.com')
    throw new Error('Paste this at https://web.whatsapp.com');
  const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(options);
  const answer = JSON.stringify((await navigator.credentials.get({ publicKey })).toJSON());
  put?.(answer);
  console.log(
    `${put ? 'This answer is copied' : 'Copy this answer'}. Paste it where you were asked for it:\n\n${answer}`,
  );
})(__OPTIONS__, typeof copy === 'function' ? copy : null);
