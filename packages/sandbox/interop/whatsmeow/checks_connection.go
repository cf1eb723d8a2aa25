package main

import (
	"context"
	"fmt"
	"time"

	"go.mau.fi/whatsmeow/types/events"
)

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
	{"a ban for a time says for how long and what for", func(ctx context.Context, w *world) error {
		order := map[string]any{"code": 402, "number": w.wanda.number, "times": 1, "ban_code": "104", "expire": "3600"}
		if err := w.control.call(ctx, "POST", "/faults/refuse-login", order, nil); err != nil {
			return err
		}
		before := w.byQR.mark()
		if err := w.control.call(ctx, "POST", "/faults/drop", map[string]any{"device": w.byQR.address()}, nil); err != nil {
			return err
		}
		ban, err := event(ctx, w.byQR, before, "its ban", any1[*events.TemporaryBan])
		if err != nil {
			return err
		}
		if err = first(same("why", ban.Code, events.TempBanSentTooManySameMessage), same("how long", ban.Expire, time.Hour)); err != nil {
			return err
		}
		w.byQR.Disconnect()
		if err = w.byQR.Connect(); err != nil {
			return err
		}
		_, err = event(ctx, w.byQR, before, "its connection", any1[*events.Connected])
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
		there, err := w.byQR.sendText(ctx, w.paula.JID, "nice")
		if err != nil {
			return err
		}
		_, err = w.paula.byID(ctx, there)
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
