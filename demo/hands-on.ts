/** What somebody can do with the demo that was kept running: each line may be pasted as it is. */
import type { Stage } from './stage.ts';

/** `phones` is where the control API of the simulated network answers. */
export function handsOn(stage: Stage, phones: string): string {
  const { gateway, master, shopApi, shop, carla, davi } = stage;
  return String.raw`
  Still running. In another terminal:

    export BASE=${gateway.url} MASTER_TOKEN=${master.token} TOKEN=${shopApi.token}
    export NUMBER=${carla.number} PHONES=${phones}

  The shop (${shop.number}) writes to Carla, whose number is $NUMBER:
    SENT=$(curl -s $BASE/send/text -H "Authorization: Bearer $TOKEN" -H 'Content-Type: application/json' -d "{\"number\":\"$NUMBER\",\"text\":\"hello\"}"); echo "$SENT"
    ID=$(echo "$SENT" | sed 's/.*"message_id":"\([^"]*\)".*/\1/')

  Carla looks at her phone, reads it, and writes back:
    curl -s $PHONES/phones/$NUMBER/inbox
    curl -s $PHONES/phones/$NUMBER/read -d "{\"chat\":\"${shop.number}\",\"ids\":[\"$ID\"]}"
    curl -s $PHONES/phones/$NUMBER/send -d '{"to":"${shop.number}","type":"text","text":"hello, shop"}'

  What the gateway knows of it:
    curl -s $BASE/messages/$ID/status -H "Authorization: Bearer $TOKEN"
    curl -s "$BASE/messages?limit=3" -H "Authorization: Bearer $TOKEN"

  A second number: Davi's phone scans the code of a new device. The network retires the secret of a code at its
  first scan, as WhatsApp does since July 2026, so the phone refuses that one and takes the next.
    curl -s $BASE/devices -H "Authorization: Bearer $TOKEN" -H 'Content-Type: application/json' -d '{"name":"second"}'
    qr() { curl -s $BASE/qr -H "Authorization: Bearer $TOKEN" | sed 's/.*"qr_code":"\([^"]*\)".*/\1/'; }
    until curl -sf $PHONES/phones/${davi.number}/scan -d "{\"qr\":\"$(qr)\"}"; do sleep 1; done

  All that phones and network can do: curl -s $PHONES/
  Ctrl-C ends it and removes everything.`;
}
