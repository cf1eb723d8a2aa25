package main

import (
	"context"

	"go.mau.fi/util/random"
	"go.mau.fi/whatsmeow"
	"go.mau.fi/whatsmeow/proto/waCommon"
	"go.mau.fi/whatsmeow/proto/waE2E"
	"go.mau.fi/whatsmeow/types"
	"go.mau.fi/whatsmeow/types/events"
	"google.golang.org/protobuf/proto"
)

// sealedEdit is an edit as apps make it since May 2026: under the secret of the message that it changes. whatsmeow
// opens such edits and has no function that makes one.
func (d *device) sealedEdit(ctx context.Context, chat types.JID, id, text string) (*waE2E.Message, error) {
	open := d.BuildEdit(chat, id, plain(text)).GetEditedMessage().GetMessage()
	plaintext, err := proto.Marshal(open)
	if err != nil {
		return nil, err
	}
	own := d.Store.GetLID().ToNonAD()
	sealed, iv, err := d.DangerousInternals().EncryptMsgSecret(ctx, own, chat, own, id, whatsmeow.EncSecretMessageEdit, plaintext)
	if err != nil {
		return nil, err
	}
	return &waE2E.Message{SecretEncryptedMessage: &waE2E.SecretEncryptedMessage{
		TargetMessageKey: d.BuildMessageKey(chat, types.EmptyJID, id),
		EncPayload:       sealed, EncIV: iv,
		SecretEncType: waE2E.SecretEncryptedMessage_MESSAGE_EDIT.Enum(),
	}}, nil
}

// sendWithSecret sends a text as apps do: with a secret, under which others seal what they say about it.
func (d *device) sendWithSecret(ctx context.Context, to types.JID, text string) (string, error) {
	message := plain(text)
	message.MessageContextInfo = &waE2E.MessageContextInfo{MessageSecret: random.Bytes(32)}
	sent, err := d.SendMessage(ctx, to, message)
	return sent.ID, err
}

// sendSealedEdit sends a text with a secret, waits until it arrived, and edits it under the seal.
func (d *device) sendSealedEdit(ctx context.Context, to types.JID, arrived func(string) error) (string, error) {
	id, err := d.sendWithSecret(ctx, to, "to be sealed")
	if err != nil {
		return "", err
	}
	if err = arrived(id); err != nil {
		return "", err
	}
	edit, err := d.sealedEdit(ctx, to, id, "changed under a seal")
	if err != nil {
		return "", err
	}
	_, err = d.SendMessage(ctx, to, edit)
	return id, err
}

// aboutText sends a text of whatsmeow to Paula, and tells its phone to send something about it.
func aboutText(ctx context.Context, w *world, message map[string]any, found func(*waE2E.Message) *waCommon.MessageKey) (*events.Message, error) {
	id, err := w.byQR.sendWithSecret(ctx, w.paula.LID, "about this")
	if err != nil {
		return nil, err
	}
	if _, err = w.paula.byID(ctx, id); err != nil {
		return nil, err
	}
	message["target"] = id
	message["sealed"] = true
	if _, err = w.paula.send(ctx, w.wanda.number, message); err != nil {
		return nil, err
	}
	return event(ctx, w.byQR, 0, "what is sealed about "+id, func(m *events.Message) bool { return found(m.Message).GetID() == id })
}

// assistant does what the phone has for Meta AI: `questions` or `answers`; returns the message's id.
func (p *phone) assistant(ctx context.Context, what string, body map[string]any) (string, error) {
	var sent struct {
		ID string `json:"id"`
	}
	err := p.do(ctx, "POST", "/assistant/"+what, body, &sent)
	return sent.ID, err
}

var sealedChecks = []check{
	{"an answer of Meta AI opens, piece by piece", func(ctx context.Context, w *world) error {
		question, err := w.wanda.assistant(ctx, "questions", map[string]any{"text": "how far is the moon?"})
		if err != nil {
			return err
		}
		if _, err = w.byQR.message(ctx, question); err != nil {
			return err
		}
		answer, err := w.wanda.assistant(ctx, "answers", map[string]any{"question": question, "text": "far"})
		if err != nil {
			return err
		}
		got, err := w.byQR.message(ctx, answer)
		if err != nil {
			return err
		}
		if err = same("the beginning", textOf(got.Message), "far"); err != nil {
			return err
		}
		last, err := w.wanda.assistant(ctx, "answers", map[string]any{
			"question": question, "text": "far away", "pieceOf": answer, "last": true,
		})
		if err != nil {
			return err
		}
		if got, err = w.byQR.message(ctx, last); err != nil {
			return err
		}
		return first(same("the whole", textOf(got.Message), "far away"), same("what it is a piece of", got.Info.MsgBotInfo.EditTargetID, answer))
	}},
	{"a phone's sealed edit opens", func(ctx context.Context, w *world) error {
		id, err := w.paula.sendText(ctx, w.wanda.number, "befor")
		if err != nil {
			return err
		}
		if _, err = w.byQR.message(ctx, id); err != nil {
			return err
		}
		if _, err = w.paula.send(ctx, w.wanda.number, map[string]any{"type": "edit", "target": id, "text": "before", "sealed": true}); err != nil {
			return err
		}
		got, err := event(ctx, w.byQR, 0, "the sealed edit", func(m *events.Message) bool {
			return m.Message.GetSecretEncryptedMessage().GetTargetMessageKey().GetID() == id
		})
		if err != nil {
			return err
		}
		opened, err := w.byQR.DecryptSecretEncryptedMessage(ctx, got)
		return first(err, same("the new text", textOf(opened.GetProtocolMessage().GetEditedMessage()), "before"))
	}},
	{"a phone's sealed reaction and comment open", func(ctx context.Context, w *world) error {
		got, err := aboutText(ctx, w, map[string]any{"type": "reaction", "emoji": "🥐"}, func(m *waE2E.Message) *waCommon.MessageKey {
			return m.GetEncReactionMessage().GetTargetMessageKey()
		})
		if err != nil {
			return err
		}
		reaction, err := w.byQR.DecryptReaction(ctx, got)
		if err = first(err, same("the emoji", reaction.GetText(), "🥐")); err != nil {
			return err
		}
		got, err = aboutText(ctx, w, map[string]any{"type": "comment", "text": "well said"}, func(m *waE2E.Message) *waCommon.MessageKey {
			return m.GetEncCommentMessage().GetTargetMessageKey()
		})
		if err != nil {
			return err
		}
		comment, err := w.byQR.DecryptComment(ctx, got)
		return first(err, same("the comment", textOf(comment), "well said"))
	}},
	{"a sealed edit shows at a phone", func(ctx context.Context, w *world) error {
		id, err := w.byQR.sendSealedEdit(ctx, w.paula.LID, atPaula(ctx, w))
		if err != nil {
			return err
		}
		return w.paula.shown(ctx, w.wanda.JID, id, "edited", func(m conversationMessage) bool { return m.Text == "changed under a seal" })
	}},
	{"a sealed edit is told by the gateway", func(ctx context.Context, w *world) error {
		id, err := w.byQR.sendSealedEdit(ctx, w.greta.LID, atGateway(ctx, w))
		if err != nil {
			return err
		}
		got, err := w.gateway.event(ctx, "message.edited", id, func(m messageData) bool { return m.MessageID == id })
		return first(err, same("the text", got.Content, "changed under a seal"))
	}},
	{"a sealed reaction to a text of the gateway is told by it", func(ctx context.Context, w *world) error {
		id, err := w.gateway.send(ctx, "/send/text", map[string]any{"to": w.wanda.number, "text": "with a secret"})
		if err != nil {
			return err
		}
		got, err := w.byQR.message(ctx, id)
		if err != nil {
			return err
		}
		key := w.byQR.BuildMessageKey(got.Info.Chat, got.Info.Sender, id)
		sealed, err := w.byQR.EncryptReaction(ctx, &got.Info, &waE2E.ReactionMessage{Key: key, Text: proto.String("🔏")})
		if err != nil {
			return err
		}
		if _, err = w.byQR.SendMessage(ctx, got.Info.Chat, &waE2E.Message{EncReactionMessage: sealed}); err != nil {
			return err
		}
		return w.gateway.told(ctx, "message.reaction", id)
	}},
	{"a sealed comment on a text of the gateway is told by it", func(ctx context.Context, w *world) error {
		id, err := w.gateway.send(ctx, "/send/text", map[string]any{"to": w.wanda.number, "text": "comment on this"})
		if err != nil {
			return err
		}
		got, err := w.byQR.message(ctx, id)
		if err != nil {
			return err
		}
		comment, err := w.byQR.EncryptComment(ctx, &got.Info, plain("as you wish"))
		if err != nil {
			return err
		}
		sent, err := w.byQR.SendMessage(ctx, got.Info.Chat, comment)
		if err != nil {
			return err
		}
		there, err := w.gateway.received(ctx, sent.ID)
		return first(err, same("the comment", there.Content, "as you wish"))
	}},
	{"names that look like something else stay as they are", func(ctx context.Context, w *world) error {
		for _, name := range []string{"Wanda@s.whatsapp.net", "1234", "@", "DEADBEEF", "a:1@lid", "s.whatsapp.net", "Wanda"} {
			if err := w.paula.do(ctx, "POST", "/hostile/push-name", map[string]any{"name": name}, nil); err != nil {
				return err
			}
			id, err := w.paula.sendText(ctx, w.wanda.number, "who am I?")
			if err != nil {
				return err
			}
			got, err := w.byQR.message(ctx, id)
			if err = first(err, same("the name that came", got.Info.PushName, name)); err != nil {
				return err
			}
			w.byQR.Store.PushName = name
			if err = w.byQR.SendPresence(ctx, types.PresenceAvailable); err != nil {
				return err
			}
			id, err = w.byQR.sendText(ctx, w.greta.JID, "and I?")
			if err != nil {
				return err
			}
			there, err := w.gateway.received(ctx, id)
			if err = first(err, same("the name that the gateway tells", there.Sender.PushName, name)); err != nil {
				return err
			}
		}
		return w.paula.do(ctx, "POST", "/hostile/push-name", map[string]any{"name": "Paula"}, nil)
	}},
}

var acknowledgementChecks = []check{
	{"whatsmeow has acknowledged all that it got", func(ctx context.Context, w *world) error {
		return first(w.settled(ctx, w.byQR.address()), w.settled(ctx, w.byCode.address()))
	}},
	{"the gateway has acknowledged all that it got", func(ctx context.Context, w *world) error {
		return w.settled(ctx, w.gateway.address)
	}},
}
