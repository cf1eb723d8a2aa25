"""Echoes what people write to a linked number: a text comes back as a quote, of a file its type and size are told.

Needs Python 3.9 or newer and nothing else: BASE=... TOKEN=... python3 echo_bot.py
"""
import json
import os
import sys
import time
import urllib.error
import urllib.request

BASE = os.environ.get("BASE", "http://127.0.0.1:3000")
TOKEN = os.environ["TOKEN"]


def call(path, body=None, headers=None):
    """Status and bytes of an answer; errors of HTTP are answers too."""
    request = urllib.request.Request(
        BASE + path,
        data=None if body is None else json.dumps(body).encode(),
        headers={"authorization": f"Bearer {TOKEN}", "content-type": "application/json", **(headers or {})},
    )
    try:
        with urllib.request.urlopen(request, timeout=90) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


def file(message):
    """The bytes of a message's file. 202 means that the phone was asked to upload it again."""
    while True:
        status, content = call(f"/messages/{message['record_id']}/media?wait=30")
        if status == 200:
            return content
        if status != 202:
            raise RuntimeError(f"media: {status} {content!r}")


def reply(event):
    message = event["data"]
    # Not to ourselves: what the account sent, from here or from its phone, would be echoed for ever.
    if message["is_from_me"] or message["is_group"] or message["source"] == "history":
        return
    media = message["media"]
    text = f"{media['mime_type']}, {len(file(message))} bytes" if media else message["content"]
    if not text:
        return
    status, content = call(
        "/send/text",
        {
            "device_id": event["device_id"],
            "number": message["chat_jid"],
            "text": text,
            "quoted": {"key": {"id": message["message_id"]}},
        },
        # The event's id: after a crash the same event answers once.
        {"idempotency-key": event["id"]},
    )
    if status != 200:
        print(f"not answered: {status} {content!r}", file=sys.stderr)


def main():
    # Where to begin: now, told before anybody is invited to write.
    status, content = call("/events?after=latest&limit=1")
    if status != 200:
        sys.exit(f"events: {status} {content!r}")
    after = json.loads(content)["next"]
    print("echoing", flush=True)
    while True:
        try:
            status, content = call(f"/events?event=message.received&after={after}&wait=30")
        except OSError as error:
            status, content = 0, error
        if status != 200:
            # The gateway restarts, or refuses: ask again, and not at once.
            print(f"events: {status} {content!r}", file=sys.stderr)
            time.sleep(2)
            continue
        page = json.loads(content)
        for event in page["events"]:
            try:
                reply(event)
            except (RuntimeError, OSError) as error:
                print(error, file=sys.stderr)
        after = page["next"]


if __name__ == "__main__":
    main()
