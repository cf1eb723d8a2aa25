package main

import (
	"context"
	"fmt"
	"time"

	"go.mau.fi/whatsmeow/appstate"
	"go.mau.fi/whatsmeow/proto/waHistorySync"
	"go.mau.fi/whatsmeow/types"
	"go.mau.fi/whatsmeow/types/events"
)

// account does something on a phone that its devices hear of.
func (p *phone) account(ctx context.Context, change string, more map[string]any) error {
	body := map[string]any{"change": change}
	for key, value := range more {
		body[key] = value
	}
	return p.do(ctx, "POST", "/account", body, nil)
}

// heard waits for an event of the type after a change on the phone.
func heard[T any](ctx context.Context, d *device, p *phone, change string, more map[string]any, fits func(T) bool) error {
	before := d.mark()
	if err := p.account(ctx, change, more); err != nil {
		return err
	}
	_, err := event(ctx, d, before, change, fits)
	return err
}

// labelled: a label of the gateway reaches another device of its account, which takes it away again.
func (w *world) labelled(ctx context.Context, second *device) error {
	before := second.mark()
	var made struct {
		Label struct {
			ID string `json:"id"`
		} `json:"label"`
	}
	if err := w.gateway.call(ctx, "POST", "/labels", map[string]any{"name": "Urgent", "color": 5}, &made); err != nil {
		return err
	}
	id := made.Label.ID
	if _, err := event(ctx, second, before, "the label", func(e *events.LabelEdit) bool {
		return e.LabelID == id && e.Action.GetName() == "Urgent" && e.Action.GetColor() == 5
	}); err != nil {
		return err
	}
	if err := w.gateway.call(ctx, "PUT", "/labels/"+id+"/chats/"+w.paula.number, nil, nil); err != nil {
		return err
	}
	if _, err := event(ctx, second, before, "the chat with it", func(e *events.LabelAssociationChat) bool {
		return e.LabelID == id && e.JID == w.paula.LID && e.Action.GetLabeled()
	}); err != nil {
		return err
	}
	if err := second.SendAppState(ctx, appstate.BuildLabelChat(w.paula.LID, id, false)); err != nil {
		return err
	}
	return until(ctx, "the chat to have no label any more", func() (bool, error) {
		var got struct {
			Chats []struct{} `json:"chats"`
		}
		err := w.gateway.call(ctx, "GET", "/labels/"+id+"/chats", nil, &got)
		return len(got.Chats) == 0, err
	})
}

var accountChecks = []check{
	{"what is done on the phone is told", func(ctx context.Context, w *world) error {
		chat := map[string]any{"chat": w.paula.number}
		id, err := w.paula.sendText(ctx, w.wanda.number, "to be labelled")
		if err != nil {
			return err
		}
		if _, err = w.wanda.byID(ctx, id); err != nil {
			return err
		}
		d, p := w.byQR, w.wanda
		return first(
			heard(ctx, d, p, "pin", chat, func(e *events.Pin) bool { return e.JID == w.paula.LID && e.Action.GetPinned() }),
			heard(ctx, d, p, "mute", chat, func(e *events.Mute) bool { return e.JID == w.paula.LID && e.Action.GetMuted() }),
			heard(ctx, d, p, "archive", chat, func(e *events.Archive) bool { return e.JID == w.paula.LID && e.Action.GetArchived() }),
			heard(ctx, d, p, "read", chat, func(e *events.MarkChatAsRead) bool { return e.JID == w.paula.LID && e.Action.GetRead() }),
			heard(ctx, d, p, "contact", map[string]any{"contact": w.paula.number, "fullName": "Paula P."}, func(e *events.Contact) bool {
				return e.Action.GetFullName() == "Paula P."
			}),
			heard(ctx, d, p, "label", map[string]any{"label": "7", "name": "Late"}, func(e *events.LabelEdit) bool { return e.Action.GetName() == "Late" }),
			heard(ctx, d, p, "label_chat", map[string]any{"chat": w.paula.number, "label": "7"}, func(e *events.LabelAssociationChat) bool {
				return e.LabelID == "7" && e.Action.GetLabeled()
			}),
			heard(ctx, d, p, "label_message", map[string]any{"chat": w.paula.number, "label": "7", "message": id}, func(e *events.LabelAssociationMessage) bool {
				return e.MessageID == id && e.Action.GetLabeled()
			}),
			heard(ctx, d, p, "delete_for_me", map[string]any{"message": id}, func(e *events.DeleteForMe) bool { return e.MessageID == id }),
			heard(ctx, d, p, "clear", chat, func(e *events.ClearChat) bool { return e.JID == w.paula.LID }),
			heard(ctx, d, p, "unarchive_chats", map[string]any{"on": true}, func(e *events.UnarchiveChatsSetting) bool { return e.Action.GetUnarchiveChats() }),
			heard(ctx, d, p, "delete", chat, func(e *events.DeleteChat) bool { return e.JID == w.paula.LID }),
		)
	}},
	{"what a device of the gateway's account does is told by the gateway", func(ctx context.Context, w *world) error {
		second, err := newDevice(ctx, w, "secondOfGreta")
		if err != nil {
			return err
		}
		if err = second.linkByQR(ctx, w.greta); err != nil {
			return err
		}
		if _, err = event(ctx, second, 0, "the end of the first sync", func(e *events.AppStateSyncComplete) bool { return e.Name == appstate.WAPatchRegularHigh }); err != nil {
			return err
		}
		chat := w.paula.LID
		for _, step := range []struct {
			patch appstate.PatchInfo
			event string
		}{
			{appstate.BuildPin(chat, true), "chat.pin"},
			{appstate.BuildMute(chat, true, 8*time.Hour), "chat.mute"},
			{appstate.BuildArchive(chat, true, time.Now(), nil), "chat.archive"},
			{appstate.BuildMarkChatAsRead(chat, true, time.Now(), nil), "chat.mark_as_read"},
			{appstate.BuildLabelEdit("9", "New", 2, false), "label.edit"},
		} {
			if err = second.SendAppState(ctx, step.patch); err != nil {
				return fmt.Errorf("%s: %w", step.event, err)
			}
			if _, err = w.gateway.event(ctx, step.event, "the change", func(messageData) bool { return true }); err != nil {
				return err
			}
		}
		id, err := second.sendText(ctx, w.paula.JID, "from another device of Greta")
		if err != nil {
			return err
		}
		got, err := w.gateway.event(ctx, "message.sent", id, func(m messageData) bool { return m.MessageID == id })
		if err = first(err, same("from oneself", got.IsFromMe, true)); err != nil {
			return err
		}
		return w.labelled(ctx, second)
	}},
	{"an address book that is too large for a stanza is told, and to a new device as a snapshot", func(ctx context.Context, w *world) error {
		last := func(e *events.Contact) bool { return e.Action.GetFullName() == "Contact 149" }
		if err := heard(ctx, w.byQR, w.wanda, "contacts", map[string]any{"count": 150}, last); err != nil {
			return err
		}
		fresh, err := newDevice(ctx, w, "anotherOfWanda")
		if err != nil {
			return err
		}
		if err = fresh.linkByQR(ctx, w.wanda); err != nil {
			return err
		}
		if _, err = event(ctx, fresh, 0, "a contact", last); err != nil {
			return err
		}
		whole := func(e *events.AppStateSyncComplete) bool { return e.Name == appstate.WAPatchCriticalUnblockLow }
		if _, err = event(ctx, fresh, 0, "the end of the address book", whole); err != nil {
			return err
		}
		return fresh.Logout(ctx)
	}},
	{"history is given to a device that is new, and more when it asks", func(ctx context.Context, w *world) error {
		var past struct {
			Messages []struct {
				ID        string `json:"id"`
				Timestamp int64  `json:"timestamp"`
			} `json:"messages"`
		}
		if err := w.paula.do(ctx, "POST", "/past", map[string]any{"chat": w.walter.number, "count": 60}, &past); err != nil {
			return err
		}
		fresh, err := newDevice(ctx, w, "ofPaula")
		if err != nil {
			return err
		}
		if err = fresh.linkByQR(ctx, w.paula); err != nil {
			return err
		}
		_, err = event(ctx, fresh, 0, "the first history", func(h *events.HistorySync) bool {
			return h.Data.GetSyncType() == waHistorySync.HistorySync_INITIAL_BOOTSTRAP && len(h.Data.GetConversations()) > 0
		})
		if err != nil {
			return err
		}
		_, err = event(ctx, fresh, 0, "the push names", func(h *events.HistorySync) bool {
			return h.Data.GetSyncType() == waHistorySync.HistorySync_PUSH_NAME && len(h.Data.GetPushnames()) > 0
		})
		if err != nil {
			return err
		}
		oldest := past.Messages[30]
		info := &types.MessageInfo{ID: oldest.ID, Timestamp: time.Unix(oldest.Timestamp, 0)}
		info.Chat = w.walter.LID
		if _, err = fresh.SendPeerMessage(ctx, fresh.BuildHistorySyncRequest(info, 10)); err != nil {
			return err
		}
		more, err := event(ctx, fresh, 0, "the history asked for", func(h *events.HistorySync) bool {
			return h.Data.GetSyncType() == waHistorySync.HistorySync_ON_DEMAND
		})
		if err != nil {
			return err
		}
		if err = same("conversations", len(more.Data.GetConversations()), 1); err != nil {
			return err
		}
		if err = same("messages", len(more.Data.GetConversations()[0].GetMessages()), 10); err != nil {
			return err
		}
		return fresh.Logout(ctx)
	}},
	{"a message that came without content is asked of the own phone", func(ctx context.Context, w *world) error {
		id, err := w.paula.sendText(ctx, w.wanda.number, "ask the phone for me")
		if err != nil {
			return err
		}
		if _, err = w.wanda.byID(ctx, id); err != nil {
			return err
		}
		got, err := w.byQR.message(ctx, id)
		if err != nil {
			return err
		}
		before := w.byQR.mark()
		if _, err = w.byQR.SendPeerMessage(ctx, w.byQR.BuildUnavailableMessageRequest(got.Info.Chat, got.Info.Sender, id)); err != nil {
			return err
		}
		again, err := event(ctx, w.byQR, before, "it once more", func(m *events.Message) bool { return m.Info.ID == id })
		return first(err, same("the text", textOf(again.Message), "ask the phone for me"))
	}},
}
