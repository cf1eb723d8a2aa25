/** Takes the request out of the address bar, asks the person, signs, and goes back. Nothing is kept anywhere. */

function takeUp() {
  const request = requestIn(location.hash);
  if (request === null) return;
  history.replaceState(history.state, '', location.pathname + location.search);
  const panel = new Panel();
  if ('refused' in request) {
    const why = TEXTS.refusals[request.refused];
    panel.show(
      TEXTS.title,
      [`${TEXTS.unusable} ${why}`, TEXTS.nothing],
      [{ text: TEXTS.dismiss, press: () => panel.close() }],
    );
  } else askPerson(panel, request);
}

/**
 * Saying no leads nowhere: somebody who does not know the address should not be sent to it.
 * @param {Panel} panel
 * @param {PasskeyRequest} request
 */
function askPerson(panel, request) {
  const { title, asks, meaning, only, sign, close } = TEXTS;
  panel.show(
    title,
    [asks, { origin: request.origin }, meaning, only],
    [
      { text: sign, main: true, press: () => signFor(panel, request) },
      { text: close, press: () => panel.close() },
    ],
  );
}

/**
 * @param {Panel} panel
 * @param {PasskeyRequest} request
 */
async function signFor(panel, request) {
  const { title, signing, signed, failed, again, dismiss } = TEXTS;
  panel.show(title, [signing], []);
  try {
    const credential = await signAssertion(request.options);
    panel.show(title, [signed], []);
    // In the place of this page: going back leads to the server's page, not to a request that is answered.
    location.replace(answerAddress(request, credential));
  } catch {
    panel.show(
      title,
      [failed],
      [
        { text: again, main: true, press: () => askPerson(panel, request) },
        { text: dismiss, press: () => panel.close() },
      ],
    );
  }
}

takeUp();
// The tab may be at WhatsApp already; then only the fragment changes.
addEventListener('hashchange', takeUp);
