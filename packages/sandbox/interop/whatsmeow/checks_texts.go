package main

import (
	"context"

	"go.mau.fi/whatsmeow/proto/waE2E"
	"go.mau.fi/whatsmeow/types"
	"google.golang.org/protobuf/proto"
)

// sendText sends a plain text and returns the message's id.
func (d *device) sendText(ctx context.Context, to types.JID, text string) (string, error) {
	sent, err := d.SendMessage(ctx, to, &waE2E.Message{Conversation: proto.String(text)})
	return sent.ID, err
}

var textChecks = []check{
	{"a text of a phone arrives", func(ctx context.Context, w *world) error {
		id, err := w.paula.sendText(ctx, w.wanda.number, "Bom dia, Wanda")
		if err != nil {
			return err
		}
		got, err := w.byQR.message(ctx, id)
		if err != nil {
			return err
		}
		return first(
			same("the text", textOf(got.Message), "Bom dia, Wanda"),
			same("the sender", got.Info.Sender.User, w.paula.LID.User),
			same("the sender's number", got.Info.SenderAlt.User, w.paula.JID.User),
			same("the push name", got.Info.PushName, "Paula"),
		)
	}},
	{"a text reaches a phone, and it is delivered and read", func(ctx context.Context, w *world) error {
		id, err := w.byQR.sendText(ctx, w.paula.JID, "Bom dia, Paula ☀️")
		if err != nil {
			return err
		}
		got, err := w.paula.byID(ctx, id)
		if err != nil {
			return err
		}
		if err = first(same("the text", got.Text, "Bom dia, Paula ☀️"), same("the sender", got.From, w.wanda.JID.String())); err != nil {
			return err
		}
		if _, err = w.byQR.receipt(ctx, id, types.ReceiptTypeDelivered); err != nil {
			return err
		}
		if err = w.paula.do(ctx, "POST", "/read", map[string]any{"chat": w.wanda.number, "ids": []string{id}}, nil); err != nil {
			return err
		}
		_, err = w.byQR.receipt(ctx, id, types.ReceiptTypeRead)
		return err
	}},
	{"a text shows on the own phone", func(ctx context.Context, w *world) error {
		id, err := w.byQR.sendText(ctx, w.paula.JID, "from another device")
		if err != nil {
			return err
		}
		got, err := w.wanda.byID(ctx, id)
		if err != nil {
			return err
		}
		return first(same("fromMe", got.FromMe, true), same("the chat", got.Chat, w.paula.JID.String()))
	}},
	{"a text of the own phone arrives", func(ctx context.Context, w *world) error {
		id, err := w.wanda.sendText(ctx, w.paula.number, "typed on the phone")
		if err != nil {
			return err
		}
		got, err := w.byQR.message(ctx, id)
		if err != nil {
			return err
		}
		return first(same("fromMe", got.Info.IsFromMe, true), same("the chat", got.Info.Chat.User, w.paula.LID.User))
	}},
	{"what a phone sends to a broadcast list is read at the list, and the own phone's list tells its members", func(ctx context.Context, w *world) error {
		list, id, err := w.paula.sendToList(ctx, "Bom dia a todos", w.wanda.number)
		if err != nil {
			return err
		}
		got, err := w.byQR.message(ctx, id)
		if err != nil {
			return err
		}
		err = first(
			same("that it came by a list", got.Info.IsIncomingBroadcast(), true),
			same("the list", got.Info.Chat.String(), list),
			same("the sender", got.Info.Sender.User, w.paula.LID.User),
			w.byQR.MarkRead(ctx, []string{id}, now(), got.Info.Chat, got.Info.Sender),
		)
		if err != nil {
			return err
		}
		read, err := w.paula.receipt(ctx, id, "read")
		if err = first(err, same("where it was read", read.Chat, list)); err != nil {
			return err
		}
		list, id, err = w.wanda.sendToList(ctx, "Promoção", w.paula.number, w.greta.number)
		if err != nil {
			return err
		}
		own, err := w.byQR.message(ctx, id)
		if err != nil {
			return err
		}
		return first(
			same("fromMe", own.Info.IsFromMe, true),
			same("the own list", own.Info.Chat.String(), list),
			same("how many are on it", len(own.Info.BroadcastRecipients), 2),
		)
	}},
	{"two devices of whatsmeow write to each other", func(ctx context.Context, w *world) error {
		there, err := w.byQR.sendText(ctx, w.walter.JID, "Walter?")
		if err != nil {
			return err
		}
		if _, err = w.byCode.message(ctx, there); err != nil {
			return err
		}
		back, err := w.byCode.sendText(ctx, w.wanda.LID, "Wanda!")
		if err != nil {
			return err
		}
		_, err = w.byQR.message(ctx, back)
		return err
	}},
	{"a text reaches the gateway", func(ctx context.Context, w *world) error {
		id, err := w.byQR.sendText(ctx, w.greta.JID, "Is anybody there?")
		if err != nil {
			return err
		}
		got, err := w.gateway.received(ctx, id)
		if err != nil {
			return err
		}
		if err = first(
			same("the text", got.Content, "Is anybody there?"),
			same("the sender's number", got.Sender.PhoneNumber, w.wanda.number),
		); err != nil {
			return err
		}
		_, err = w.byQR.receipt(ctx, id, types.ReceiptTypeDelivered)
		return err
	}},
	{"a text of the gateway arrives", func(ctx context.Context, w *world) error {
		id, err := w.gateway.send(ctx, "/send/text", map[string]any{"to": w.wanda.number, "text": "We are."})
		if err != nil {
			return err
		}
		got, err := w.byQR.message(ctx, id)
		if err != nil {
			return err
		}
		if err = same("the text", textOf(got.Message), "We are."); err != nil {
			return err
		}
		_, err = w.gateway.event(ctx, "message.delivered", id, func(m messageData) bool { return m.MessageID == id })
		return err
	}},
}

// textOf is the text of a message, whichever way it was written.
func textOf(m *waE2E.Message) string {
	if text := m.GetExtendedTextMessage().GetText(); text != "" {
		return text
	}
	return m.GetConversation()
}
