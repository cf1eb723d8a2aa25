/** Every word of the page, but for what it says without JavaScript. */
export const TEXTS = {
  title: 'Link WhatsApp with your passkey',
  timeLeft: 'Time left:',
  giveUp: 'Stop linking',
  begin: {
    title: 'WhatsApp asks for your passkey',
    what: 'Your account is protected by a passkey. Before the new device is linked, WhatsApp wants it to be shown in a browser:',
    steps: [
      'You go from here to web.whatsapp.com, the only site where this passkey works.',
      'Your browser asks for the passkey: fingerprint, face or PIN, or a QR that your phone scans.',
      'You come back here and see how it goes on. Your phone may show a code to compare.',
    ],
    once: 'Start on a computer, in the browser where you want to sign: from then on this link works there alone.',
    start: 'Start in this browser',
  },
  required: {
    title: 'Sign with your passkey',
    what: 'Keep WhatsApp open on your phone until everything is done.',
    with: {
      title: 'With the WUTS browser extension',
      what: 'WhatsApp Web opens in this tab. The extension shows the address of this page and asks you; then you come back by yourself.',
      go: 'Go to WhatsApp Web and sign',
      nothing:
        'WhatsApp opens and nobody asks you? Then the extension is missing: come back and take the other way.',
    },
    without: {
      title: 'Without an extension',
      insecure:
        'This page was opened without https, where the extension gives nothing back. This way works nevertheless.',
      open: 'Open WhatsApp Web in another tab. You need not log in there.',
      whatsapp: 'Open WhatsApp Web',
      console:
        'Open its console (F12, or Ctrl+Shift+J; on a Mac Cmd+Option+J), paste these lines and press Enter. The browser may want you to type "allow pasting" first. Never paste into a console what you have from elsewhere.',
      snippet: 'The lines to paste',
      copy: 'Copy the lines',
      copied: 'Copied.',
      notCopied: 'Not copied: mark the lines and copy them yourself.',
      answer: 'Sign. The answer is copied then: paste it here.',
      handIn: 'Hand in the answer',
    },
  },
  verifying: {
    title: 'WhatsApp checks it',
    what: 'The passkey was handed in. Look at your phone: it may want you to agree.',
  },
  confirm: {
    title: 'Compare the code',
    what: 'Does WhatsApp on your phone show exactly this code?',
    same: 'Yes, it is the same',
    differs: 'No, it differs',
  },
  linking: {
    title: 'Almost there',
    what: 'Your phone takes the new device in. Leave WhatsApp open on it.',
    code: 'The code on your phone, should it ask:',
  },
  linked: {
    title: 'Linked',
    what: 'Your WhatsApp is linked. You can close this page; WhatsApp on your phone lists the device under "Linked devices".',
  },
  over: {
    title: 'Not linked',
    again: 'To try again, link the device anew: scan a new QR or ask for a new code where you began.',
    why: {
      passkey_expired: 'The time for the passkey is over.',
      passkey_given_up: 'The linking was stopped.',
      passkey_refused: 'WhatsApp or your phone refused.',
      passkey_failed: 'What WhatsApp or your phone answered could not be used.',
      other: 'The linking has ended, or WhatsApp asks for the passkey once more.',
    },
  },
  problems: {
    noLink: 'This page needs a link: open the one that you were given.',
    handedIn: 'Your passkey was handed in.',
    foreign:
      'This answer belongs to another linking. Nothing was handed in. If you did not ask for it, somebody tried to give this page an answer that is not yours.',
    damaged: 'This is no answer of a passkey. Paste all of what was copied.',
    unreachable: 'The server does not answer. This page keeps trying.',
    failed: 'That did not work:',
    codes: {
      PASSKEY_LINK_UNKNOWN: 'This link is not valid, or its time is over. Ask for a new one.',
      PASSKEY_LINK_USED:
        'This link was opened in another browser already. Go on there. If that was not you, ask for a new link: the old one ends with it.',
      ORIGIN_REFUSED:
        'This page was reached under another address than its server knows. Tell who runs it: WUTS_PUBLIC_URL has to be the address that you see above.',
      PASSKEY_STATE_MISMATCH: 'This answer belongs to another linking. Nothing was handed in.',
      PASSKEY_CHALLENGE_MISMATCH: 'The answer is to an older request: sign once more.',
      PASSKEY_ORIGIN_MISMATCH: 'It was signed on another site: sign on https://web.whatsapp.com.',
      PASSKEY_RP_MISMATCH: 'It was signed by a passkey of another site. Take the one of WhatsApp.',
      PASSKEY_CREDENTIAL_MISMATCH:
        'WhatsApp does not take this passkey for this account. Sign with another one.',
      PASSKEY_USER_NOT_VERIFIED: 'Your browser did not ask who you are. Sign with fingerprint, face or PIN.',
      PASSKEY_REFUSED: 'WhatsApp refused this passkey. Sign with the one of the account that you link.',
      PASSKEY_REFUSED_BY_PHONE: 'Your phone did not let the device in.',
      PASSKEY_ALREADY_ANSWERED: 'The passkey was handed in already.',
      VALIDATION_ERROR: 'This is no answer of a passkey. Paste all of what was copied.',
    },
  },
};
