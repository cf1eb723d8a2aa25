package main

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"

	"go.mau.fi/whatsmeow"
	"go.mau.fi/whatsmeow/proto/waE2E"
	"go.mau.fi/whatsmeow/proto/waMmsRetry"
	"go.mau.fi/whatsmeow/types"
	"go.mau.fi/whatsmeow/types/events"
	"google.golang.org/protobuf/proto"
)

// mediaRetry asks the own phone for a file that is gone from the servers, and fetches it from its new place.
func mediaRetry(ctx context.Context, w *world) error {
	file := sampleBytes(7, 4000)
	id, err := w.paula.send(ctx, w.wanda.number, map[string]any{
		"type": "document", "fileName": "late.bin", "base64": base64.StdEncoding.EncodeToString(file),
	})
	if err != nil {
		return err
	}
	got, err := w.byQR.message(ctx, id)
	if err != nil {
		return err
	}
	// The phone has to have it too, to upload it again.
	if _, err = w.wanda.byID(ctx, id); err != nil {
		return err
	}
	document := got.Message.GetDocumentMessage()
	expired := map[string]any{"path": document.GetDirectPath(), "status": 410}
	if err = w.control.call(ctx, "POST", "/cdn/expire", expired, nil); err != nil {
		return err
	}
	if _, err = w.byQR.Download(ctx, document); !errors.Is(err, whatsmeow.ErrMediaDownloadFailedWith410) {
		return fmt.Errorf("not 410 but %v", err)
	}
	before := w.byQR.mark()
	if err = w.byQR.SendMediaRetryReceipt(ctx, &got.Info, document.GetMediaKey()); err != nil {
		return err
	}
	answer, err := event(ctx, w.byQR, before, "the answer of the phone", func(m *events.MediaRetry) bool { return m.MessageID == id })
	if err != nil {
		return err
	}
	retry, err := whatsmeow.DecryptMediaRetryNotification(answer, document.GetMediaKey())
	if err != nil {
		return err
	}
	if err = same("the result", retry.GetResult(), waMmsRetry.MediaRetryNotification_SUCCESS); err != nil {
		return err
	}
	document.DirectPath = proto.String(retry.GetDirectPath())
	again, err := w.byQR.Download(ctx, document)
	return first(err, sameBytes(again, file))
}

// lostSession makes the device forget how it writes with all devices of somebody.
func (d *device) lostSession(ctx context.Context, lid types.JID) error {
	return d.Store.Sessions.DeleteAllSessions(ctx, lid.SignalAddressUser())
}

var retryChecks = []check{
	{"a text that cannot be opened comes again", func(ctx context.Context, w *world) error {
		id, err := w.paula.send(ctx, w.wanda.number, map[string]any{"text": "once more", "corrupt": true})
		if err != nil {
			return err
		}
		if _, err = event(ctx, w.byQR, 0, "one that cannot be decrypted", func(u *events.UndecryptableMessage) bool { return u.Info.ID == id }); err != nil {
			return err
		}
		got, err := w.byQR.message(ctx, id)
		if err != nil {
			return err
		}
		return same("the text", textOf(got.Message), "once more")
	}},
	{"a text to a device that lost the session comes again", func(ctx context.Context, w *world) error {
		if err := w.byQR.lostSession(ctx, w.paula.LID); err != nil {
			return err
		}
		id, err := w.paula.sendText(ctx, w.wanda.number, "in a session that is lost")
		if err != nil {
			return err
		}
		got, err := w.byQR.message(ctx, id)
		if err != nil {
			return err
		}
		return same("the text", textOf(got.Message), "in a session that is lost")
	}},
	{"a text of the gateway to a device that lost the session comes again", func(ctx context.Context, w *world) error {
		if err := w.byQR.lostSession(ctx, w.greta.LID); err != nil {
			return err
		}
		id, err := w.gateway.send(ctx, "/send/text", map[string]any{"to": w.wanda.number, "text": "and this?"})
		if err != nil {
			return err
		}
		got, err := w.byQR.message(ctx, id)
		if err != nil {
			return err
		}
		return same("the text", textOf(got.Message), "and this?")
	}},
	{"the gateway asks again for a text under a counter that was used before", func(ctx context.Context, w *world) error {
		// Both directions are in use, so the next messages are on one chain.
		if err := w.exchange(ctx); err != nil {
			return err
		}
		earlier, err := w.byQR.sessions(ctx)
		if err != nil {
			return err
		}
		id, err := w.byQR.sendText(ctx, w.greta.JID, "counted")
		if err != nil {
			return err
		}
		if _, err = w.gateway.received(ctx, id); err != nil {
			return err
		}
		if err = w.byQR.restore(ctx, earlier); err != nil {
			return err
		}
		again, err := w.byQR.sendText(ctx, w.greta.JID, "counted twice")
		if err != nil {
			return err
		}
		told, err := w.gateway.event(ctx, "message.undecryptable", again, func(m messageData) bool { return m.MessageID == again })
		if err != nil {
			return err
		}
		got, err := w.gateway.received(ctx, told.MessageID)
		if err != nil {
			return err
		}
		return same("the text", got.Content, "counted twice")
	}},
	{"whatsmeow and the gateway write to each other at once", func(ctx context.Context, w *world) error {
		return w.storm(ctx, 25)
	}},
}

// exchange sends a text each way between whatsmeow and the gateway.
func (w *world) exchange(ctx context.Context) error {
	back, err := w.gateway.send(ctx, "/send/text", map[string]any{"to": w.wanda.number, "text": "ping"})
	if err != nil {
		return err
	}
	if _, err = w.byQR.message(ctx, back); err != nil {
		return err
	}
	there, err := w.byQR.sendText(ctx, w.greta.JID, "pong")
	if err != nil {
		return err
	}
	_, err = w.gateway.received(ctx, there)
	return err
}

// storm sends `each` texts from both sides at once and waits until all of them arrived.
func (w *world) storm(ctx context.Context, each int) error {
	there, back := make([]string, each), make([]string, each)
	done := make(chan error, 2)
	go func() {
		for n := range each {
			sent, err := w.byQR.SendMessage(ctx, w.greta.JID, &waE2E.Message{Conversation: proto.String(fmt.Sprintf("there %d", n))})
			if err != nil {
				done <- err
				return
			}
			there[n] = sent.ID
		}
		done <- nil
	}()
	go func() {
		for n := range each {
			id, err := w.gateway.send(ctx, "/send/text", map[string]any{"to": w.wanda.number, "text": fmt.Sprintf("back %d", n)})
			if err != nil {
				done <- err
				return
			}
			back[n] = id
		}
		done <- nil
	}()
	if err := first(<-done, <-done); err != nil {
		return err
	}
	for n := range each {
		if _, err := w.byQR.message(ctx, back[n]); err != nil {
			return err
		}
		if _, err := w.gateway.received(ctx, there[n]); err != nil {
			return err
		}
	}
	return nil
}
