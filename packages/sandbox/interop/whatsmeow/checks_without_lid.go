package main

import (
	"context"

	"go.mau.fi/whatsmeow/types"
)

// withoutLIDChecks are about somebody whom the server has given no LID. whatsmeow writes to such people in groups
// alone (send.go SendMessage: "no LID found"), and hears them everywhere.
func withoutLIDChecks() []check {
	var nadia *phone
	var group types.JID
	return []check{
		{"somebody without a LID writes", func(ctx context.Context, w *world) error {
			var err error
			if nadia, err = newPhoneWith(ctx, w.control, "5511988880009", "Nadia", map[string]any{"lid": nil}); err != nil {
				return err
			}
			if err = same("the LID", nadia.LID, types.EmptyJID); err != nil {
				return err
			}
			id, err := nadia.sendText(ctx, w.wanda.number, "Hello")
			if err != nil {
				return err
			}
			got, err := w.byQR.message(ctx, id)
			if err != nil {
				return err
			}
			return first(
				same("the text", textOf(got.Message), "Hello"),
				same("the sender", got.Info.Sender.ToNonAD(), nadia.JID),
				same("the sender's other name", got.Info.SenderAlt, types.EmptyJID),
			)
		}},
		{"she is in a group, and everybody reads everybody", func(ctx context.Context, w *world) error {
			var made struct {
				JID string `json:"jid"`
			}
			body := map[string]any{
				"by": w.paula.number, "subject": "Choir",
				"members": []string{w.wanda.number, w.greta.number, nadia.number},
			}
			err := w.control.call(ctx, "POST", "/groups", body, &made)
			if err != nil {
				return err
			}
			if group, err = types.ParseJID(made.JID); err != nil {
				return err
			}
			fromGateway, err := w.gateway.send(ctx, "/send/text", map[string]any{"to": made.JID, "text": "of the gateway"})
			if err != nil {
				return err
			}
			fromWhatsmeow, err := w.byQR.sendText(ctx, group, "of whatsmeow")
			if err != nil {
				return err
			}
			fromNadia, err := nadia.sendText(ctx, made.JID, "of Nadia")
			if err != nil {
				return err
			}
			_, err = nadia.byID(ctx, fromGateway)
			if _, other := nadia.byID(ctx, fromWhatsmeow); err == nil {
				err = other
			}
			if _, other := w.byQR.message(ctx, fromGateway); err == nil {
				err = other
			}
			if _, other := w.byQR.message(ctx, fromNadia); err == nil {
				err = other
			}
			if _, other := w.gateway.received(ctx, fromNadia); err == nil {
				err = other
			}
			if _, other := w.gateway.received(ctx, fromWhatsmeow); err == nil {
				err = other
			}
			return err
		}},
		{"the gateway and she write to each other", func(ctx context.Context, w *world) error {
			there, err := w.gateway.send(ctx, "/send/text", map[string]any{"to": nadia.number, "text": "And you?"})
			if err != nil {
				return err
			}
			if _, err = nadia.byID(ctx, there); err != nil {
				return err
			}
			back, err := nadia.sendText(ctx, w.greta.number, "Fine")
			if err != nil {
				return err
			}
			_, err = w.gateway.received(ctx, back)
			return err
		}},
	}
}
