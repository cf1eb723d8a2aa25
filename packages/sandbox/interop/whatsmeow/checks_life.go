package main

import (
	"context"
	"fmt"
	"time"

	"go.mau.fi/whatsmeow/appstate"
	"go.mau.fi/whatsmeow/proto/waE2E"
	"go.mau.fi/whatsmeow/proto/waHistorySync"
	"go.mau.fi/whatsmeow/types"
	"go.mau.fi/whatsmeow/types/events"
	"google.golang.org/protobuf/proto"
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
		return first(err, same("from oneself", got.IsFromMe, true))
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

var callChecks = []check{
	{"a call is told, and rejected", func(ctx context.Context, w *world) error {
		before := w.byQR.mark()
		var call struct {
			ID string `json:"id"`
		}
		if err := w.paula.do(ctx, "POST", "/calls", map[string]any{"to": w.wanda.number, "video": true}, &call); err != nil {
			return err
		}
		offer, err := event(ctx, w.byQR, before, "the call", func(c *events.CallOffer) bool { return c.CallID == call.ID })
		if err != nil {
			return err
		}
		if err = same("the caller", offer.CallCreator.User, w.paula.LID.User); err != nil {
			return err
		}
		if err = w.byQR.RejectCall(ctx, offer.From, call.ID); err != nil {
			return err
		}
		return until(ctx, "the rejection at Paula's phone", func() (bool, error) {
			var got struct {
				Signals []struct {
					CallID string `json:"callId"`
					Signal string `json:"signal"`
				} `json:"signals"`
			}
			err := w.paula.do(ctx, "GET", "/calls", nil, &got)
			for _, each := range got.Signals {
				if each.CallID == call.ID && each.Signal == "reject" {
					return true, nil
				}
			}
			return false, err
		})
	}},
	{"a call that is given up is told", func(ctx context.Context, w *world) error {
		before := w.byQR.mark()
		var call struct {
			ID string `json:"id"`
		}
		if err := w.paula.do(ctx, "POST", "/calls", map[string]any{"to": w.wanda.number}, &call); err != nil {
			return err
		}
		if err := w.paula.do(ctx, "POST", "/calls/"+call.ID, map[string]any{"signal": "terminate", "reason": "timeout"}, nil); err != nil {
			return err
		}
		ended, err := event(ctx, w.byQR, before, "the end of the call", func(c *events.CallTerminate) bool { return c.CallID == call.ID })
		return first(err, same("the reason", ended.Reason, "timeout"))
	}},
}

const queued = 12

var connectionChecks = []check{
	{"what came meanwhile arrives when whatsmeow is back, once and in order", func(ctx context.Context, w *world) error {
		w.byQR.Disconnect()
		before := w.byQR.mark()
		var ids []string
		for n := range queued {
			id, err := w.paula.sendText(ctx, w.wanda.number, fmt.Sprintf("meanwhile %d", n))
			if err != nil {
				return err
			}
			ids = append(ids, id)
		}
		id, err := w.gateway.send(ctx, "/send/text", map[string]any{"to": w.wanda.number, "text": "meanwhile, from the gateway"})
		if err != nil {
			return err
		}
		ids = append(ids, id)
		if err = w.byQR.Connect(); err != nil {
			return err
		}
		preview, err := event(ctx, w.byQR, before, "the preview", any1[*events.OfflineSyncPreview])
		if err = first(err, same("the messages announced", preview.Messages, len(ids))); err != nil {
			return err
		}
		if _, err = event(ctx, w.byQR, before, "the end of the queue", any1[*events.OfflineSyncCompleted]); err != nil {
			return err
		}
		for _, id := range ids {
			if _, err = w.byQR.message(ctx, id); err != nil {
				return err
			}
		}
		var order []string
		for _, each := range w.byQR.since(before) {
			if m, ok := each.(*events.Message); ok {
				order = append(order, m.Info.ID)
			}
		}
		return first(same("the order", fmt.Sprint(order), fmt.Sprint(ids)), w.settled(ctx, w.byQR.address()))
	}},
	{"what came meanwhile arrives when the gateway is back", func(ctx context.Context, w *world) error {
		if err := w.gateway.call(ctx, "POST", "/disconnect", map[string]any{"device_id": w.gateway.device}, nil); err != nil {
			return err
		}
		var ids []string
		for n := range queued {
			id, err := w.byQR.sendText(ctx, w.greta.JID, fmt.Sprintf("meanwhile %d", n))
			if err != nil {
				return err
			}
			ids = append(ids, id)
		}
		if err := w.gateway.call(ctx, "POST", "/connect", map[string]any{"device_id": w.gateway.device}, nil); err != nil {
			return err
		}
		for _, id := range ids {
			if _, err := w.gateway.received(ctx, id); err != nil {
				return err
			}
		}
		return w.gateway.connected(ctx)
	}},
	{"a connection that is cut comes back by itself", func(ctx context.Context, w *world) error {
		before := w.byQR.mark()
		if err := w.control.call(ctx, "POST", "/faults/drop", map[string]any{"device": w.byQR.address()}, nil); err != nil {
			return err
		}
		_, err := event(ctx, w.byQR, before, "its connection", any1[*events.Connected])
		return err
	}},
	{"a stanza that breaks off comes again", func(ctx context.Context, w *world) error {
		if err := w.control.call(ctx, "POST", "/faults/tear", map[string]any{"device": w.byQR.address()}, nil); err != nil {
			return err
		}
		id, err := w.paula.sendText(ctx, w.wanda.number, "torn")
		if err != nil {
			return err
		}
		_, err = w.byQR.message(ctx, id)
		return err
	}},
	{"a message that is refused is an error", func(ctx context.Context, w *world) error {
		order := map[string]any{"code": 479, "number": w.wanda.number}
		if err := w.control.call(ctx, "POST", "/faults/ack-error", order, nil); err != nil {
			return err
		}
		_, err := w.byQR.sendText(ctx, w.paula.JID, "refused")
		if err == nil {
			return fmt.Errorf("a message that was refused was sent")
		}
		return nil
	}},
	{"a device that the phone removes is told, and links anew", func(ctx context.Context, w *world) error {
		before := w.byCode.mark()
		path := fmt.Sprintf("/companions/%d", w.byCode.number)
		if err := w.walter.do(ctx, "DELETE", path, nil, nil); err != nil {
			return err
		}
		if _, err := event(ctx, w.byCode, before, "its end", any1[*events.LoggedOut]); err != nil {
			return err
		}
		again, err := newDevice(ctx, w, "again")
		if err != nil {
			return err
		}
		if err = again.linkByQR(ctx, w.walter); err != nil {
			return err
		}
		id, err := w.paula.sendText(ctx, w.walter.number, "welcome back")
		if err != nil {
			return err
		}
		if _, err = again.message(ctx, id); err != nil {
			return err
		}
		there, err := again.sendText(ctx, w.wanda.JID, "I am back")
		if err != nil {
			return err
		}
		_, err = w.byQR.message(ctx, there)
		return err
	}},
	{"a phone that registers again writes under another identity", func(ctx context.Context, w *world) error {
		before := w.byQR.mark()
		if err := w.paula.do(ctx, "POST", "/reregister", map[string]any{}, nil); err != nil {
			return err
		}
		if _, err := event(ctx, w.byQR, before, "the identity", func(i *events.IdentityChange) bool { return i.JID.User == w.paula.JID.User }); err != nil {
			return err
		}
		id, err := w.paula.sendText(ctx, w.wanda.number, "a new phone")
		if err != nil {
			return err
		}
		if _, err = w.byQR.message(ctx, id); err != nil {
			return err
		}
		there, err := w.byQR.SendMessage(ctx, w.paula.JID, &waE2E.Message{Conversation: proto.String("nice")})
		if err != nil {
			return err
		}
		_, err = w.paula.byID(ctx, there.ID)
		return err
	}},
	{"a device logs out by itself", func(ctx context.Context, w *world) error {
		if err := w.byQR.Logout(ctx); err != nil {
			return err
		}
		return until(ctx, "no device on Wanda's phone", func() (bool, error) {
			var shown struct {
				Companions []int `json:"companions"`
			}
			err := w.wanda.do(ctx, "GET", "", nil, &shown)
			return len(shown.Companions) == 0, err
		})
	}},
}
