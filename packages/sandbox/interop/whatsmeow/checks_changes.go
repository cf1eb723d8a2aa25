package main

import (
	"context"
	"fmt"
	"time"

	"go.mau.fi/whatsmeow"
	"go.mau.fi/whatsmeow/proto/waE2E"
	"go.mau.fi/whatsmeow/types"
	"go.mau.fi/whatsmeow/types/events"
	"google.golang.org/protobuf/proto"
)

func plain(text string) *waE2E.Message { return &waE2E.Message{Conversation: proto.String(text)} }

// onText sends a text, waits until it arrived, and does something to it.
func onText(ctx context.Context, d *device, to types.JID, arrived func(id string) error, do func(id string) error) error {
	id, err := d.sendText(ctx, to, "to be changed")
	if err != nil {
		return err
	}
	if err = arrived(id); err != nil {
		return err
	}
	return do(id)
}

// atPaula: the message of whatsmeow arrived at the phone of Paula.
func atPaula(ctx context.Context, w *world) func(string) error {
	return func(id string) error {
		_, err := w.paula.byID(ctx, id)
		return err
	}
}

// atGateway: the message of whatsmeow arrived at the gateway.
func atGateway(ctx context.Context, w *world) func(string) error {
	return func(id string) error {
		_, err := w.gateway.received(ctx, id)
		return err
	}
}

// told waits for an event of the gateway about the message.
func (g *gateway) told(ctx context.Context, name, id string) error {
	_, err := g.event(ctx, name, id, func(m messageData) bool { return m.MessageID == id })
	return err
}

var changeChecks = []check{
	{"a phone's text is edited", func(ctx context.Context, w *world) error {
		id, err := w.paula.sendText(ctx, w.wanda.number, "befor")
		if err != nil {
			return err
		}
		if _, err = w.byQR.message(ctx, id); err != nil {
			return err
		}
		edit, err := w.paula.send(ctx, w.wanda.number, map[string]any{"type": "edit", "target": id, "text": "before"})
		if err != nil {
			return err
		}
		got, err := event(ctx, w.byQR, 0, "the edit", func(m *events.Message) bool {
			return m.Info.ID == edit || m.Message.GetProtocolMessage().GetKey().GetID() == id
		})
		if err != nil {
			return err
		}
		protocol := got.Message.GetProtocolMessage()
		return first(
			same("the kind", protocol.GetType(), waE2E.ProtocolMessage_MESSAGE_EDIT),
			same("the target", protocol.GetKey().GetID(), id),
			same("the new text", textOf(protocol.GetEditedMessage()), "before"),
		)
	}},
	{"a text is edited at a phone", func(ctx context.Context, w *world) error {
		return onText(ctx, w.byQR, w.paula.JID, atPaula(ctx, w), func(id string) error {
			if _, err := w.byQR.SendMessage(ctx, w.paula.JID, w.byQR.BuildEdit(w.paula.JID, id, plain("changed"))); err != nil {
				return err
			}
			return w.paula.shown(ctx, w.wanda.JID, id, "edited", func(m conversationMessage) bool { return m.Text == "changed" && m.Edited })
		})
	}},
	{"a text is edited at the gateway", func(ctx context.Context, w *world) error {
		return onText(ctx, w.byQR, w.greta.JID, atGateway(ctx, w), func(id string) error {
			if _, err := w.byQR.SendMessage(ctx, w.greta.JID, w.byQR.BuildEdit(w.greta.JID, id, plain("changed"))); err != nil {
				return err
			}
			got, err := w.gateway.event(ctx, "message.edited", id, func(m messageData) bool { return m.MessageID == id })
			return first(err, same("the text", got.Content, "changed"))
		})
	}},
	{"the gateway edits a text", func(ctx context.Context, w *world) error {
		id, err := w.gateway.send(ctx, "/send/text", map[string]any{"to": w.wanda.number, "text": "of the gatewya"})
		if err != nil {
			return err
		}
		if _, err = w.byQR.message(ctx, id); err != nil {
			return err
		}
		body := map[string]any{"to": w.wanda.number, "message": "of the gateway"}
		if err = w.gateway.call(ctx, "PUT", "/messages/"+id, body, nil); err != nil {
			return err
		}
		got, err := event(ctx, w.byQR, 0, "the edit", func(m *events.Message) bool { return m.Message.GetProtocolMessage().GetKey().GetID() == id })
		return first(err, same("the text", textOf(got.Message.GetProtocolMessage().GetEditedMessage()), "of the gateway"))
	}},
	{"a phone's text is revoked", func(ctx context.Context, w *world) error {
		id, err := w.paula.sendText(ctx, w.wanda.number, "a slip")
		if err != nil {
			return err
		}
		if _, err = w.paula.send(ctx, w.wanda.number, map[string]any{"type": "revoke", "target": id}); err != nil {
			return err
		}
		got, err := event(ctx, w.byQR, 0, "the revoke", func(m *events.Message) bool { return m.Message.GetProtocolMessage().GetKey().GetID() == id })
		return first(err, same("the kind", got.Message.GetProtocolMessage().GetType(), waE2E.ProtocolMessage_REVOKE))
	}},
	{"a text is revoked at a phone", func(ctx context.Context, w *world) error {
		return onText(ctx, w.byQR, w.paula.JID, atPaula(ctx, w), func(id string) error {
			if _, err := w.byQR.SendMessage(ctx, w.paula.JID, w.byQR.BuildRevoke(w.paula.JID, types.EmptyJID, id)); err != nil {
				return err
			}
			return w.paula.shown(ctx, w.wanda.JID, id, "revoked", func(m conversationMessage) bool { return m.Revoked })
		})
	}},
	{"a text is revoked at the gateway", func(ctx context.Context, w *world) error {
		return onText(ctx, w.byQR, w.greta.JID, atGateway(ctx, w), func(id string) error {
			if _, err := w.byQR.SendMessage(ctx, w.greta.JID, w.byQR.BuildRevoke(w.greta.JID, types.EmptyJID, id)); err != nil {
				return err
			}
			return w.gateway.told(ctx, "message.revoked", id)
		})
	}},
	{"a phone reacts", func(ctx context.Context, w *world) error {
		return onText(ctx, w.byQR, w.paula.JID, atPaula(ctx, w), func(id string) error {
			if _, err := w.paula.send(ctx, w.wanda.number, map[string]any{"type": "reaction", "target": id, "emoji": "🌻"}); err != nil {
				return err
			}
			got, err := event(ctx, w.byQR, 0, "the reaction", func(m *events.Message) bool { return m.Message.GetReactionMessage().GetKey().GetID() == id })
			return first(err, same("the emoji", got.Message.GetReactionMessage().GetText(), "🌻"))
		})
	}},
	{"a reaction shows at a phone, and is taken back", func(ctx context.Context, w *world) error {
		id, err := w.paula.sendText(ctx, w.wanda.number, "like it?")
		if err != nil {
			return err
		}
		got, err := w.byQR.message(ctx, id)
		if err != nil {
			return err
		}
		for _, emoji := range []string{"👍", ""} {
			reaction := w.byQR.BuildReaction(got.Info.Chat, got.Info.Sender, id, emoji)
			if _, err = w.byQR.SendMessage(ctx, got.Info.Chat, reaction); err != nil {
				return err
			}
			err = w.paula.shown(ctx, w.wanda.JID, id, fmt.Sprintf("with the reaction %q", emoji), func(m conversationMessage) bool {
				return m.Reactions[w.wanda.JID.String()] == emoji
			})
			if err != nil {
				return err
			}
		}
		return nil
	}},
	{"a reaction is told by the gateway, and its own arrives", func(ctx context.Context, w *world) error {
		id, err := w.gateway.send(ctx, "/send/text", map[string]any{"to": w.wanda.number, "text": "like this?"})
		if err != nil {
			return err
		}
		got, err := w.byQR.message(ctx, id)
		if err != nil {
			return err
		}
		if _, err = w.byQR.SendMessage(ctx, got.Info.Chat, w.byQR.BuildReaction(got.Info.Chat, got.Info.Sender, id, "🙌")); err != nil {
			return err
		}
		if err = w.gateway.told(ctx, "message.reaction", id); err != nil {
			return err
		}
		return onText(ctx, w.byQR, w.greta.JID, atGateway(ctx, w), func(id string) error {
			body := map[string]any{"to": w.wanda.number, "messageId": id, "reaction": "🥖"}
			if _, err := w.gateway.send(ctx, "/send/reaction", body); err != nil {
				return err
			}
			got, err := event(ctx, w.byQR, 0, "the reaction", func(m *events.Message) bool { return m.Message.GetReactionMessage().GetKey().GetID() == id })
			return first(err, same("the emoji", got.Message.GetReactionMessage().GetText(), "🥖"))
		})
	}},
	{"a phone's poll is voted on", func(ctx context.Context, w *world) error {
		id, err := w.paula.send(ctx, w.wanda.number, map[string]any{"type": "poll", "question": "When?", "choices": []string{"Today", "Tomorrow"}})
		if err != nil {
			return err
		}
		got, err := w.byQR.message(ctx, id)
		if err != nil {
			return err
		}
		vote, err := w.byQR.BuildPollVote(ctx, &got.Info, []string{"Tomorrow"})
		if err != nil {
			return err
		}
		if _, err = w.byQR.SendMessage(ctx, got.Info.Chat, vote); err != nil {
			return err
		}
		there, err := w.paula.message(ctx, "the vote", func(m phoneMessage) bool { return m.PollVoteOn == id })
		return first(err, same("the vote", fmt.Sprint(there.Votes), "[Tomorrow]"))
	}},
	{"a phone votes on a poll", func(ctx context.Context, w *world) error {
		poll := w.byQR.BuildPollCreation("Where?", []string{"Here", "There"}, 1)
		sent, err := w.byQR.SendMessage(ctx, w.paula.JID, poll)
		if err != nil {
			return err
		}
		if _, err = w.paula.byID(ctx, sent.ID); err != nil {
			return err
		}
		if _, err = w.paula.send(ctx, w.wanda.number, map[string]any{"type": "poll_vote", "target": sent.ID, "choices": []string{"There"}}); err != nil {
			return err
		}
		vote, err := event(ctx, w.byQR, 0, "the vote", func(m *events.Message) bool {
			return m.Message.GetPollUpdateMessage().GetPollCreationMessageKey().GetID() == sent.ID
		})
		if err != nil {
			return err
		}
		opened, err := w.byQR.DecryptPollVote(ctx, vote)
		if err != nil {
			return err
		}
		return first(
			same("the number of options", len(opened.GetSelectedOptions()), 1),
			sameBytes(opened.GetSelectedOptions()[0], hashOf("There")),
		)
	}},
	{"a poll of the gateway is voted on", func(ctx context.Context, w *world) error {
		id, err := w.gateway.send(ctx, "/send/poll", map[string]any{
			"to": w.wanda.number, "question": "How many?",
			"options": []map[string]any{{"option_name": "one"}, {"option_name": "two"}},
		})
		if err != nil {
			return err
		}
		got, err := w.byQR.message(ctx, id)
		if err != nil {
			return err
		}
		vote, err := w.byQR.BuildPollVote(ctx, &got.Info, []string{"two"})
		if err != nil {
			return err
		}
		if _, err = w.byQR.SendMessage(ctx, got.Info.Chat, vote); err != nil {
			return err
		}
		if err = w.gateway.told(ctx, "message.poll_vote", id); err != nil {
			return err
		}
		var results struct {
			Options []struct {
				Name  string `json:"name"`
				Votes int    `json:"votes"`
			} `json:"options"`
		}
		if err = w.gateway.call(ctx, "GET", "/messages/"+id+"/poll", nil, &results); err != nil {
			return err
		}
		return same("the results", fmt.Sprint(results.Options), "[{one 0} {two 1}]")
	}},
	{"a place and a contact reach the gateway", func(ctx context.Context, w *world) error {
		place := &waE2E.Message{LocationMessage: &waE2E.LocationMessage{
			DegreesLatitude: proto.Float64(-23.5), DegreesLongitude: proto.Float64(-46.6), Name: proto.String("Market"),
		}}
		person := &waE2E.Message{ContactMessage: &waE2E.ContactMessage{
			DisplayName: proto.String("Paula"),
			Vcard:       proto.String("BEGIN:VCARD\nVERSION:3.0\nFN:Paula\nTEL;waid=" + w.paula.number + ":+" + w.paula.number + "\nEND:VCARD"),
		}}
		for kind, message := range map[string]*waE2E.Message{"location": place, "contact": person} {
			sent, err := w.byQR.SendMessage(ctx, w.greta.JID, message)
			if err != nil {
				return err
			}
			got, err := w.gateway.received(ctx, sent.ID)
			if err = first(err, same("the kind", got.MessageType, kind)); err != nil {
				return err
			}
		}
		return nil
	}},
	{"read and played are told to a phone", func(ctx context.Context, w *world) error {
		id, err := w.paula.sendText(ctx, w.wanda.number, "read me")
		if err != nil {
			return err
		}
		got, err := w.byQR.message(ctx, id)
		if err != nil {
			return err
		}
		if err = w.byQR.MarkRead(ctx, []string{id}, time.Now(), got.Info.Chat, got.Info.Sender); err != nil {
			return err
		}
		if _, err = w.paula.receipt(ctx, id, "read"); err != nil {
			return err
		}
		if err = w.byQR.MarkRead(ctx, []string{id}, time.Now(), got.Info.Chat, got.Info.Sender, types.ReceiptTypePlayed); err != nil {
			return err
		}
		_, err = w.paula.receipt(ctx, id, "played")
		return err
	}},
	{"read is told by the gateway, and to it", func(ctx context.Context, w *world) error {
		id, err := w.gateway.send(ctx, "/send/text", map[string]any{"to": w.wanda.number, "text": "read me too"})
		if err != nil {
			return err
		}
		got, err := w.byQR.message(ctx, id)
		if err != nil {
			return err
		}
		if err = w.byQR.MarkRead(ctx, []string{id}, time.Now(), got.Info.Chat, got.Info.Sender); err != nil {
			return err
		}
		if err = w.gateway.told(ctx, "message.read", id); err != nil {
			return err
		}
		return onText(ctx, w.byQR, w.greta.JID, atGateway(ctx, w), func(id string) error {
			if err := w.gateway.call(ctx, "POST", "/messages/"+id+"/read", map[string]any{"chat_jid": w.wanda.JID.String()}, nil); err != nil {
				return err
			}
			_, err := w.byQR.receipt(ctx, id, types.ReceiptTypeRead)
			return err
		})
	}},
	{"a device that is not online says inactive", func(ctx context.Context, w *world) error {
		id, err := w.paula.sendText(ctx, w.walter.number, "are you there?")
		if err != nil {
			return err
		}
		if _, err = w.byCode.message(ctx, id); err != nil {
			return err
		}
		_, err = w.paula.receipt(ctx, id, "inactive")
		return err
	}},
}

func hashOf(option string) []byte { return whatsmeow.HashPollOptions([]string{option})[0] }
