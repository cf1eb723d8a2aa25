package main

import (
	"context"

	"go.mau.fi/whatsmeow/types/events"
)

var linkingChecks = []check{
	{"whatsmeow links by QR", func(ctx context.Context, w *world) error {
		if err := w.byQR.linkByQR(ctx, w.wanda); err != nil {
			return err
		}
		return first(
			same("the number", w.byQR.Store.GetJID().User, w.wanda.JID.User),
			same("the LID", w.byQR.Store.GetLID().User, w.wanda.LID.User),
		)
	}},
	{"whatsmeow links by code", func(ctx context.Context, w *world) error {
		if err := w.byCode.linkByCode(ctx, w.walter); err != nil {
			return err
		}
		return same("the number", w.byCode.Store.GetJID().User, w.walter.JID.User)
	}},
	{"the gateway links by QR", func(ctx context.Context, w *world) error {
		return w.gateway.link(ctx, w.greta)
	}},
	{"the offline queue is announced, even when it is empty", func(ctx context.Context, w *world) error {
		if _, err := event(ctx, w.byQR, 0, "the preview", any1[*events.OfflineSyncPreview]); err != nil {
			return err
		}
		_, err := event(ctx, w.byQR, 0, "the end of the queue", any1[*events.OfflineSyncCompleted])
		return err
	}},
}
